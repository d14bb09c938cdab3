// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * What a client is told. The version of a value is the sequence number of the write that set it.
 */
sealed interface Answer {
  /** What came of a write. It is part of its record, so that a retry is told the same. */
  sealed interface Written extends Answer {}

  /** It was done, at this sequence number. */
  record Changed(long version) implements Written {}

  /** The key is gone; {@code existed} says whether it was there. */
  record Removed(boolean existed) implements Written {}

  /** Nothing changed: a key had version {@code found}, 0 if it was absent. */
  record Conflict(long found) implements Written {}

  /** The value and its version. */
  record Found(byte[] value, long version) implements Answer {}

  /** There is no such key. */
  record Absent() implements Answer {}

  /** Writes the result of a write. */
  static void write(Written result, WireWriter out) {
    if (result instanceof Changed changed) {
      out.writeByte(1).writeVarLong(changed.version);
    } else if (result instanceof Removed removed) {
      out.writeByte(2).writeBoolean(removed.existed);
    } else if (result instanceof Conflict conflict) {
      out.writeByte(3).writeVarLong(conflict.found);
    } else {
      throw new AssertionError("no bytes for " + result.getClass());
    }
  }

  /** Reads what {@link #write} wrote. */
  static Written read(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Changed(in.readVarLong());
      case 2 -> new Removed(in.readBoolean());
      case 3 -> new Conflict(in.readVarLong());
      default -> throw new WireFormatException("result of unknown kind " + kind);
    };
  }
}
