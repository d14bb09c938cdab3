// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WireTest {
  @Test
  void everyKindOfFieldComesBack() {
    WireWriter out =
        new WireWriter(1)
            .writeByte(0xFE)
            .writeBoolean(true)
            .writeInt(-2)
            .writeLong(Long.MIN_VALUE)
            .writeVarLong(300)
            .writeBytes(new byte[] {1, 2})
            .writeString("é")
            .writeRaw(new byte[] {9, 8, 7}, 1, 2);
    WireReader in = new WireReader(out.toByteArray());
    assertEquals(0xFE, in.readByte());
    assertTrue(in.readBoolean());
    assertEquals(-2, in.readInt());
    assertEquals(Long.MIN_VALUE, in.readLong());
    assertEquals(300, in.readVarLong());
    assertArrayEquals(new byte[] {1, 2}, in.readBytes(2));
    assertEquals("é", in.readString(2));
    assertArrayEquals(new byte[] {8, 7}, in.readRest());
    in.expectEnd();
  }

  @Test
  void theBytesAreTheseForEver() {
    byte[] bytes =
        new WireWriter(16)
            .writeInt(1)
            .writeLong(2)
            .writeVarLong(300)
            .writeString("a")
            .toByteArray();
    assertEquals("000000010000000000000002ac020161", HexFormat.of().formatHex(bytes));
  }

  @Test
  void variableNumbersHoldAllSixtyFourBits() {
    long[] numbers = {0, 1, 127, 128, 1L << 35, Long.MAX_VALUE, -1, Long.MIN_VALUE};
    WireWriter out = new WireWriter(16);
    for (long number : numbers) {
      out.writeVarLong(number);
    }
    WireReader in = new WireReader(out.toByteArray());
    for (long number : numbers) {
      assertEquals(number, in.readVarLong());
    }
    byte[] tooLong = new byte[11];
    java.util.Arrays.fill(tooLong, (byte) 0x80);
    assertThrows(WireFormatException.class, () -> new WireReader(tooLong).readVarLong());
    byte[] tooLarge = HexFormat.of().parseHex("ffffffffffffffffff02");
    assertThrows(WireFormatException.class, () -> new WireReader(tooLarge).readVarLong());
  }

  @Test
  void whatEndsTooEarlyIsRefused() {
    byte[] whole = new WireWriter(32).writeLong(7).writeBytes(new byte[20]).toByteArray();
    for (int length = 0; length < whole.length; length++) {
      WireReader in = new WireReader(whole, 0, length);
      assertThrows(
          WireFormatException.class,
          () -> {
            in.readLong();
            in.readBytes(20);
          });
    }
  }

  @Test
  void aHostileLengthAllocatesNothing() {
    byte[] bytes = new WireWriter(16).writeVarLong(Integer.MAX_VALUE).toByteArray();
    assertThrows(WireFormatException.class, () -> new WireReader(bytes).readBytes(1 << 30));
    assertThrows(WireFormatException.class, () -> new WireReader(bytes).readCount());
    byte[] negative = new WireWriter(16).writeVarLong(-5).toByteArray();
    assertThrows(WireFormatException.class, () -> new WireReader(negative).readCount());
  }

  @Test
  void limitsAndEndsAreKept() {
    byte[] bytes = new WireWriter(16).writeBytes(new byte[5]).writeByte(2).toByteArray();
    assertThrows(WireFormatException.class, () -> new WireReader(bytes).readBytes(4));
    WireReader in = new WireReader(bytes);
    in.readBytes(5);
    assertThrows(WireFormatException.class, in::expectEnd);
    assertThrows(WireFormatException.class, in::readBoolean);
    assertThrows(IndexOutOfBoundsException.class, () -> new WireReader(bytes, 3, bytes.length));
  }

  @Test
  void aNumberCanBeWrittenOver() {
    WireWriter out = new WireWriter(16).writeByte(1).writeLong(0);
    out.putLong(1, 42);
    WireReader in = new WireReader(out.array(), 1, 8);
    assertEquals(42, in.readLong());
    assertThrows(IndexOutOfBoundsException.class, () -> out.putLong(2, 1));
    out.reset();
    assertEquals(0, out.size());
  }

  @Test
  void noiseIsNothingWorseThanMalformed() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      WireReader in = new WireReader(noise);
      try {
        while (in.remaining() > 0) {
          switch (random.nextInt(5)) {
            case 0 -> in.readVarLong();
            case 1 -> in.readBytes(100);
            case 2 -> in.readString(100);
            case 3 -> in.readCount();
            default -> in.readLong();
          }
        }
      } catch (WireFormatException e) {
        assertTrue(e.getMessage().length() < 200);
      }
    }
  }

  @Test
  void bytesInPlaceAreNotCopied() {
    byte[] bytes = new WireWriter(8).writeByte(7).writeBytes(new byte[] {1, 2}).toByteArray();
    WireReader in = new WireReader(bytes);
    assertEquals(7, in.readByte());
    ByteBuffer found = in.readBuffer(2);
    assertEquals(2, found.arrayOffset() + found.position(), "where they were");
    assertSame(bytes, found.array());
    assertEquals(ByteBuffer.wrap(new byte[] {1, 2}), found);
    in.expectEnd();
    WireReader tooLong = new WireReader(bytes, 1, 3);
    assertThrows(WireFormatException.class, () -> tooLong.readBuffer(1));
    WireReader cutShort = new WireReader(bytes, 1, 2);
    assertThrows(WireFormatException.class, () -> cutShort.readBuffer(2));
  }
}
