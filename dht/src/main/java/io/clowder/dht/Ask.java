// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Limits;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What a user wants of a key's owner.
 *
 * @param content null to remove, or to read
 * @param condition the version that there must be; null for none
 * @param ttlMillis 0 for ever
 * @param copies on how many nodes it must be at least; 0 for as many as usual
 * @param isQuestion whether it was asked before and may have happened: is only looked for then
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared.
record Ask(
    Kind kind,
    Identifier id,
    byte[] key,
    byte @Nullable [] content,
    @Nullable DhtVersion condition,
    long ttlMillis,
    int copies,
    RequestKey request,
    boolean isQuestion) {
  enum Kind {
    FETCH(1),
    STORE(2),
    REMOVE(3);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    private static Kind of(int code) {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw new WireFormatException("a question of kind " + code);
    }
  }

  boolean isWrite() {
    return kind != Kind.FETCH;
  }

  Ask asQuestion() {
    return new Ask(kind, id, key, null, null, 0, copies, request, true);
  }

  int size() {
    return 100 + key.length + (content == null ? 0 : content.length);
  }

  void write(WireWriter out) {
    out.writeByte(kind.code);
    id.write(out);
    out.writeBytes(key).writeBoolean(content != null);
    if (content != null) {
      out.writeBytes(content);
    }
    out.writeBoolean(condition != null);
    if (condition != null) {
      Value.writeVersion(out, condition);
    }
    out.writeVarLong(ttlMillis).writeByte(copies);
    request.write(out);
    out.writeBoolean(isQuestion);
  }

  static Ask read(WireReader in) {
    return new Ask(
        Kind.of(in.readByte()),
        Identifier.read(in),
        in.readBytes(Limits.KEY_BYTES),
        in.readBoolean() ? in.readBytes(Limits.VALUE_BYTES) : null,
        in.readBoolean() ? Value.readVersion(in) : null,
        in.readVarLong(),
        in.readByte(),
        RequestKey.read(in),
        in.readBoolean());
  }
}
