// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * What a client is told. The version of a value is the sequence number of the write that set it.
 */
sealed interface Answer {
  /** What came of a write. It is part of its record, so that a retry is told the same. */
  sealed interface Written extends Answer {}

  /**
   * It was done, at this sequence number; {@code existed} says if the last key removed was there.
   */
  record Changed(long version, boolean existed) implements Written {}

  /** Nothing changed: the key of a step had version {@code found}, 0 if it was absent. */
  record Conflict(int step, long found) implements Written {}

  /** Nothing changed: the fence's resource has seen a larger token. */
  record Stale(long seen) implements Written {}

  /** What was found: nothing, one entry, or a page of them. */
  record Entries(List<KvEntry> rows) implements Answer {
    public Entries {
      rows = List.copyOf(rows);
    }
  }

  /** Writes an answer. */
  static void write(Answer answer, WireWriter out) {
    if (answer instanceof Changed changed) {
      out.writeByte(1).writeVarLong(changed.version).writeBoolean(changed.existed);
    } else if (answer instanceof Conflict conflict) {
      out.writeByte(2).writeVarLong(conflict.step).writeVarLong(conflict.found);
    } else if (answer instanceof Stale stale) {
      out.writeByte(3).writeVarLong(stale.seen);
    } else if (answer instanceof Entries entries) {
      out.writeByte(4).writeVarLong(entries.rows.size());
      entries.rows.forEach(
          it -> out.writeString(it.key()).writeVarLong(it.version()).writeBytes(it.value()));
    } else {
      throw new AssertionError("no bytes for " + answer.getClass());
    }
  }

  /** Reads what {@link #write} wrote. */
  static Answer read(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Changed(in.readVarLong(), in.readBoolean());
      case 2 -> new Conflict((int) in.readVarLong(), in.readVarLong());
      case 3 -> new Stale(in.readVarLong());
      case 4 -> {
        int count = in.readCount();
        if (count > Limits.PAGE_ENTRIES) {
          throw new WireFormatException(count + " entries in one answer");
        }
        List<KvEntry> rows = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
          String key = in.readString(Limits.KEY_BYTES);
          long version = in.readVarLong();
          rows.add(new KvEntry(key, in.readBytes(Limits.VALUE_BYTES), version));
        }
        yield new Entries(rows);
      }
      default -> throw new WireFormatException("answer of unknown kind " + kind);
    };
  }

  /** Reads the result of a write. */
  static Written readWritten(WireReader in) {
    if (read(in) instanceof Written written) {
      return written;
    }
    throw new WireFormatException("a write answered by entries");
  }
}
