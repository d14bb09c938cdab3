// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.Limits;
import io.clowder.api.wire.Utf8;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What {@link KvMachine} may be asked: a byte of kind, a byte of version, the fields. Keys and
 * resources are UTF-8, and stay bytes: their order is that of the bytes.
 */
sealed interface KvRequest {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** What goes through the log. */
  sealed interface Change extends KvRequest {}

  /** A change of one entry. */
  sealed interface Write extends Change {}

  /** What is answered from the present state. */
  sealed interface Question extends KvRequest {}

  /** Sets a value. */
  record Put(byte[] key, byte[] value) implements Write {}

  /** Removes a key. */
  record Delete(byte[] key) implements Write {}

  /** Sets a value if the key has version {@code expected}; 0 if it is absent. */
  record CompareAndSet(byte[] key, long expected, byte[] value) implements Write {}

  /** Does the write if the resource has seen no larger token. */
  record Fenced(byte[] resource, long token, Write write) implements Change {}

  /** One entry. */
  record Get(byte[] key) implements Question {}

  /** Up to {@code limit} entries that begin with {@code prefix} and come after {@code after}. */
  record Page(byte[] prefix, byte @Nullable [] after, int limit) implements Question {}

  /** The bytes of this request. */
  default byte[] encode() {
    if (this instanceof Put put) {
      return begin(1, put.key.length + put.value.length)
          .writeBytes(put.key)
          .writeBytes(put.value)
          .toByteArray();
    } else if (this instanceof Delete delete) {
      return begin(2, delete.key.length).writeBytes(delete.key).toByteArray();
    } else if (this instanceof CompareAndSet cas) {
      return begin(3, cas.key.length + cas.value.length)
          .writeBytes(cas.key)
          .writeVarLong(cas.expected)
          .writeBytes(cas.value)
          .toByteArray();
    } else if (this instanceof Get get) {
      return begin(4, get.key.length).writeBytes(get.key).toByteArray();
    } else if (this instanceof Page page) {
      WireWriter out = begin(5, page.prefix.length).writeBytes(page.prefix);
      out.writeBoolean(page.after != null);
      if (page.after != null) {
        out.writeBytes(page.after);
      }
      return out.writeVarLong(page.limit).toByteArray();
    } else if (this instanceof Fenced fenced) {
      byte[] write = fenced.write.encode();
      return begin(6, fenced.resource.length + write.length)
          .writeBytes(fenced.resource)
          .writeVarLong(fenced.token)
          .writeRaw(write, 0, write.length)
          .toByteArray();
    }
    throw new AssertionError("no bytes for " + getClass());
  }

  /**
   * Reads a request.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static KvRequest decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = readKind(in);
    KvRequest request =
        switch (kind) {
          case 4 -> new Get(readName("key", in));
          case 5 ->
              new Page(
                  in.readBytes(Limits.KEY_BYTES),
                  in.readBoolean() ? in.readBytes(Limits.KEY_BYTES) : null,
                  readLimit(in));
          case 6 ->
              new Fenced(readName("resource", in), readToken(in), readWrite(readKind(in), in));
          default -> readWrite(kind, in);
        };
    in.expectEnd();
    return request;
  }

  private static int readKind(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("kv request of kind " + kind + " in version " + version);
    }
    return kind;
  }

  /** Not for a fence within a fence: how deep bytes make us go must not be up to them. */
  private static Write readWrite(int kind, WireReader in) {
    return switch (kind) {
      case 1 -> new Put(readName("key", in), readValue(in));
      case 2 -> new Delete(readName("key", in));
      case 3 -> new CompareAndSet(readName("key", in), readExpected(in), readValue(in));
      default -> throw new WireFormatException("kv request of unknown kind " + kind);
    };
  }

  private static WireWriter begin(int kind, int bytes) {
    return new WireWriter(bytes + 32).writeByte(kind).writeByte(VERSION);
  }

  private static byte[] readName(String what, WireReader in) {
    byte[] name = in.readBytes(Limits.KEY_BYTES);
    if (name.length == 0) {
      throw new WireFormatException("empty " + what);
    }
    if (!Utf8.isValid(name)) {
      throw new WireFormatException(what + " that is not UTF-8");
    }
    return name;
  }

  private static long readToken(WireReader in) {
    long token = in.readVarLong();
    if (token < 1) {
      throw new WireFormatException("token " + token);
    }
    return token;
  }

  private static byte[] readValue(WireReader in) {
    return in.readBytes(Limits.VALUE_BYTES);
  }

  private static long readExpected(WireReader in) {
    long expected = in.readVarLong();
    if (expected < 0) {
      throw new WireFormatException("expected version " + expected);
    }
    return expected;
  }

  private static int readLimit(WireReader in) {
    long limit = in.readVarLong();
    if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
      throw new WireFormatException("page of " + limit + " entries");
    }
    return (int) limit;
  }
}
