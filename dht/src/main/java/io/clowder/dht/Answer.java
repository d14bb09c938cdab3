// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.DhtVersion;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What an owner says to an {@link Ask}.
 *
 * @param version of what is there now; of what was removed
 * @param value what was read; null if there is none
 * @param count how many copies there can be, if these are too few
 */
record Answer(Code code, DhtVersion version, @Nullable Value value, int count) {
  /** How it went; all but the first and {@link #LOST} had no effect. */
  enum Code {
    DONE(1),
    /** There was nothing to remove. */
    ABSENT(2),
    /** The condition does not hold. */
    CONFLICT(3),
    /** Fewer copies can be made than were asked for. */
    TOO_FEW(4),
    /** Another node owns the key, or will soon. */
    NOT_OWNER(5),
    /** It owns the key but cannot say yet what is newest. */
    NOT_READY(6),
    /** It has too much to do. */
    BUSY(7),
    /** It began and lost the key: it may happen, or have happened. */
    LOST(8),
    /** Asked whether it happened: not as far as can be seen. */
    UNSEEN(9);

    private final int code;

    Code(int code) {
      this.code = code;
    }

    private static Code of(int code) {
      for (Code it : values()) {
        if (it.code == code) {
          return it;
        }
      }
      throw new WireFormatException("an answer of code " + code);
    }
  }

  static Answer of(Code code) {
    return new Answer(code, DhtVersion.NONE, null, 0);
  }

  static Answer of(Code code, DhtVersion version) {
    return new Answer(code, version, null, 0);
  }

  /** Whether another attempt may do better. */
  boolean isForAnotherTime() {
    return code == Code.NOT_OWNER || code == Code.NOT_READY || code == Code.BUSY;
  }

  void write(WireWriter out) {
    out.writeByte(code.code);
    Value.writeVersion(out, version);
    out.writeBoolean(value != null);
    if (value != null) {
      value.write(out);
    }
    out.writeVarLong(count);
  }

  static Answer read(WireReader in) {
    return new Answer(
        Code.of(in.readByte()),
        Value.readVersion(in),
        in.readBoolean() ? Value.read(in) : null,
        RingMessage.readSmall(in));
  }
}
