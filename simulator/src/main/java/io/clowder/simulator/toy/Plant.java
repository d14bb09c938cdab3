// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import io.clowder.api.protocol.Message;
import org.jspecify.annotations.Nullable;

/** A mistake that is planted in a toy world, which must then break. */
public interface Plant {
  /** No mistake. */
  Plant NONE = new Plant() {};

  /** What is written instead of a record; null: nothing. */
  default @Nullable Message written(Message record) {
    return record;
  }

  /** What is sent instead of a message. */
  default Message sent(Message message) {
    return message;
  }

  /** What comes back at once as if the receiver had said it; null: nothing. */
  default @Nullable Message forged(Message sent) {
    return null;
  }

  /** Whether sends do not wait for the disk. */
  default boolean sendsEarly() {
    return false;
  }
}
