// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import io.clowder.api.NodeId;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads what {@link WireWriter} wrote. Every method throws {@link WireFormatException} when the
 * bytes end too early or a length is over its limit, before anything is allocated for it.
 */
public final class WireReader {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /** The longest name of a node, see {@link NodeId}. */
  private static final int NODE_BYTES = 64;

  private final byte[] bytes;
  private final int end;
  private int at;

  /** Reads all of {@code bytes}, which must not change meanwhile. */
  public WireReader(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  /** Reads {@code length} of {@code bytes} from {@code offset} on. */
  public WireReader(byte[] bytes, int offset, int length) {
    if (offset < 0 || length < 0 || length > bytes.length - offset) {
      throw new IndexOutOfBoundsException(offset + " + " + length + " of " + bytes.length);
    }
    this.bytes = bytes;
    this.at = offset;
    this.end = offset + length;
  }

  /** One byte, 0 to 255. */
  public int readByte() {
    need(1);
    return bytes[at++] & 0xFF;
  }

  /** One byte that is 0 or 1. */
  public boolean readBoolean() {
    int value = readByte();
    if (value > 1) {
      throw new WireFormatException("neither true nor false: " + value);
    }
    return value == 1;
  }

  /** Four bytes, big-endian. */
  public int readInt() {
    need(4);
    int value = (int) INT.get(bytes, at);
    at += 4;
    return value;
  }

  /** Eight bytes, big-endian. */
  public long readLong() {
    need(8);
    long value = (long) LONG.get(bytes, at);
    at += 8;
    return value;
  }

  /** A number in the form of {@link WireWriter#writeVarLong}. */
  public long readVarLong() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = readByte();
      if (shift == 63 && next > 1) {
        break;
      }
      value |= (long) (next & 0x7F) << shift;
      if ((next & 0x80) == 0) {
        return value;
      }
    }
    throw new WireFormatException("a number of more than 64 bits");
  }

  /** A count of things of at least one byte each that follow. */
  public int readCount() {
    long count = readVarLong();
    if (count < 0 || count > end - at) {
      throw new WireFormatException("a count of " + count + " in " + (end - at) + " bytes");
    }
    return (int) count;
  }

  /** Length-prefixed bytes, at most {@code limit} of them. */
  public byte[] readBytes(int limit) {
    byte[] value = new byte[readLength(limit)];
    System.arraycopy(bytes, at, value, 0, value.length);
    at += value.length;
    return value;
  }

  private int readLength(int limit) {
    int length = readCount();
    if (length > limit) {
      throw new WireFormatException(length + " bytes where at most " + limit + " may be");
    }
    return length;
  }

  /** As {@link #readBytes}, not copied: they stay where they are, and must not change any more. */
  public ByteBuffer readBuffer(int limit) {
    int length = readLength(limit);
    ByteBuffer value = ByteBuffer.wrap(bytes, at, length);
    at += length;
    return value;
  }

  /** A length-prefixed string of at most {@code limit} bytes of UTF-8. */
  public String readString(int limit) {
    return new String(readBytes(limit), StandardCharsets.UTF_8);
  }

  /** A node's name, as a string; refuses what is none. */
  public NodeId readNode() {
    try {
      return new NodeId(readString(NODE_BYTES));
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }

  /** All bytes that are left. */
  public byte[] readRest() {
    byte[] value = new byte[end - at];
    System.arraycopy(bytes, at, value, 0, value.length);
    at = end;
    return value;
  }

  /** Bytes not read yet. */
  public int remaining() {
    return end - at;
  }

  /** Refuses bytes after the last field. */
  public void expectEnd() {
    if (at != end) {
      throw new WireFormatException((end - at) + " bytes too many");
    }
  }

  private void need(int count) {
    if (end - at < count) {
      throw new WireFormatException(
          "cut short: " + (end - at) + " bytes where " + count + " should be");
    }
  }
}
