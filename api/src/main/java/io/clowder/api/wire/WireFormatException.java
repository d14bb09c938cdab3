// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import java.io.Serial;

/** Bytes that are not what they should be: cut short, over a limit, or of an unknown kind. */
public final class WireFormatException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Says what was found and what was expected. */
  public WireFormatException(String message) {
    super(message);
  }
}
