// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/** What a client asks about. */
sealed interface Query {
  /** One key. */
  record Get(String key) implements Query {}

  /** Keys that begin with a prefix, after one of them if it is given. */
  record Scan(String prefix, @Nullable String after, int limit) implements Query {}

  /** Whether a write of this key may change the answer. */
  default boolean isAbout(String key) {
    if (this instanceof Get get) {
      return get.key.equals(key);
    } else if (this instanceof Scan scan) {
      return key.startsWith(scan.prefix);
    }
    throw new AssertionError("cannot look at " + getClass());
  }

  /** Writes it. */
  default void write(WireWriter out) {
    if (this instanceof Get get) {
      out.writeByte(1).writeString(get.key);
    } else if (this instanceof Scan scan) {
      out.writeByte(2).writeString(scan.prefix).writeBoolean(scan.after != null);
      if (scan.after != null) {
        out.writeString(scan.after);
      }
      out.writeVarLong(scan.limit);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  /** Reads what {@link #write} wrote. */
  static Query read(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Get(in.readString(Limits.KEY_BYTES));
      case 2 -> {
        String prefix = in.readString(Limits.KEY_BYTES);
        String after = in.readBoolean() ? in.readString(Limits.KEY_BYTES) : null;
        long limit = in.readVarLong();
        if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
          throw new WireFormatException("a scan of " + limit);
        }
        yield new Scan(prefix, after, (int) limit);
      }
      default -> throw new WireFormatException("query of unknown kind " + kind);
    };
  }
}
