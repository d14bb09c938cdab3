// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing byte array that fields are written to; reusable by {@link #reset()}. */
public final class WireWriter {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private byte[] bytes;
  private int size;

  /** A writer with room for {@code capacity} bytes before it first grows. */
  public WireWriter(int capacity) {
    bytes = new byte[Math.max(16, capacity)];
  }

  /** One byte, the low eight bits of {@code value}. */
  public WireWriter writeByte(int value) {
    ensure(1);
    bytes[size++] = (byte) value;
    return this;
  }

  /** One byte, 0 or 1. */
  public WireWriter writeBoolean(boolean value) {
    return writeByte(value ? 1 : 0);
  }

  /** Four bytes, big-endian. */
  public WireWriter writeInt(int value) {
    ensure(4);
    INT.set(bytes, size, value);
    size += 4;
    return this;
  }

  /** Eight bytes, big-endian. */
  public WireWriter writeLong(long value) {
    ensure(8);
    LONG.set(bytes, size, value);
    size += 8;
    return this;
  }

  /**
   * One to ten bytes, seven bits each, lowest first; short for small values that are not negative.
   */
  public WireWriter writeVarLong(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
    return this;
  }

  /** A length by {@link #writeVarLong} and the bytes. */
  public WireWriter writeBytes(byte[] value) {
    return writeVarLong(value.length).writeRaw(value, 0, value.length);
  }

  /** A string as {@link #writeBytes} of its UTF-8 form. */
  public WireWriter writeString(String value) {
    return writeBytes(value.getBytes(StandardCharsets.UTF_8));
  }

  /** The bytes alone, without a length. */
  public WireWriter writeRaw(byte[] value, int offset, int length) {
    ensure(length);
    System.arraycopy(value, offset, bytes, size, length);
    size += length;
    return this;
  }

  /** Overwrites the eight bytes at {@code offset}, which were written before. */
  public void putLong(int offset, long value) {
    if (offset < 0 || offset + 8 > size) {
      throw new IndexOutOfBoundsException("putLong at " + offset + " of " + size);
    }
    LONG.set(bytes, offset, value);
  }

  /** Bytes written so far. */
  public int size() {
    return size;
  }

  /** The backing array, valid up to {@link #size()} and until the next write. */
  public byte[] array() {
    return bytes;
  }

  /** A copy of what was written. */
  public byte[] toByteArray() {
    return Arrays.copyOf(bytes, size);
  }

  /** What was written, not copied: the writer must not be used again. */
  public ByteBuffer toBuffer() {
    return ByteBuffer.wrap(bytes, 0, size);
  }

  /** Forgets what was written and keeps the room. */
  public void reset() {
    size = 0;
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, Math.addExact(size, more)));
    }
  }
}
