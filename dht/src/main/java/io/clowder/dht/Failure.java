// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireFormatException;

/** Why a lookup, or what came of it, failed. */
enum Failure {
  /** No answer in time. */
  DEADLINE(1),
  /** It went on and on, as in a ring that is not repaired yet. */
  HOP_LIMIT(2),
  /** A member knew nobody who answers. */
  NOBODY(3),
  /** Too many lookups are under way already. */
  BUSY(4),
  /** This node is not on the ring, not yet or not any more. */
  NO_MEMBER(5);

  private final int code;

  Failure(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  static Failure of(int code) {
    for (Failure failure : values()) {
      if (failure.code == code) {
        return failure;
      }
    }
    throw new WireFormatException("failure " + code);
  }
}
