// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.protocol.Message;

/** How the messages and records of one protocol look in a trace: one line each. */
public interface Vocabulary {
  /** The message as text. */
  String print(Message message);

  /**
   * The message that {@link #print} gives that text for.
   *
   * @throws IllegalArgumentException if there is none
   */
  Message parse(String text);
}
