// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameTest {
  private record Received(int type, ByteBuffer content) {}

  private final List<Received> received = new ArrayList<>();

  @Test
  void theBytesOfAMessageAreFixed() {
    ByteBuffer out = ByteBuffer.allocate(200);
    boolean complete = new MessageEncoder().put("log", ascii("123456789"), out);

    assertTrue(complete);
    assertEquals("0000000ee17dd19104036c6f67313233343536373839", hex(out.flip()));
  }

  @Test
  void theBytesOfAPingAreFixed() {
    assertEquals("00000001678c474d05", hex(Frame.of(Frame.PING, new byte[0])));
  }

  @Test
  void piecesOfAnySizeMakeTheSameFrames() {
    byte[] large = new byte[300_000];
    new Random(1).nextBytes(large);
    Random sizes = new Random(2);
    MessageEncoder encoder = new MessageEncoder();
    FrameDecoder decoder = new FrameDecoder();
    decoder.allowMessages();
    for (byte[] payload : List.of(large, new byte[0], new byte[] {7}, large)) {
      ByteBuffer waiting = ByteBuffer.wrap(payload);
      boolean complete = false;
      while (!complete) {
        ByteBuffer out = ByteBuffer.allocateDirect(74 + sizes.nextInt(5_000));
        complete = encoder.put("topic", waiting, out);
        decodeInPieces(decoder, out.flip(), sizes);
      }
    }

    assertEquals(4, received.size());
    assertArrayEquals(large, payload(received.get(0)));
    assertArrayEquals(new byte[0], payload(received.get(1)));
    assertArrayEquals(new byte[] {7}, payload(received.get(2)));
    assertArrayEquals(large, payload(received.get(3)));
  }

  @Test
  void aHeadThatDoesNotFitIsNotBegun() {
    MessageEncoder encoder = new MessageEncoder();
    ByteBuffer out = ByteBuffer.allocate(73);

    assertFalse(encoder.put("t", ascii("x"), out));
    assertEquals(0, out.position());
    assertFalse(encoder.inMessage());
  }

  @Test
  void lengthsOutOfBoundsAreRefusedBeforeAnythingIsAllocated() {
    for (int length : new int[] {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 16_385}) {
      ByteBuffer header = ByteBuffer.allocate(8).putInt(length).putInt(0).flip();
      assertThrows(
          WireFormatException.class, () -> new FrameDecoder().decode(header, this::receive));
    }
    FrameDecoder greeted = new FrameDecoder();
    greeted.allowMessages();
    ByteBuffer header = ByteBuffer.allocate(8).putInt(Frame.BODY_BYTES_MAX + 1).putInt(0).flip();
    assertThrows(WireFormatException.class, () -> greeted.decode(header, this::receive));
  }

  @Test
  void everyFlippedBitIsNoticed() {
    byte[] frame = Frame.of(Frame.MESSAGE, "\001tpayload".getBytes(StandardCharsets.UTF_8)).array();
    for (int bit = 0; bit < frame.length * 8; bit++) {
      byte[] damaged = frame.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        new FrameDecoder().decode(ByteBuffer.wrap(damaged), this::receive);
      } catch (WireFormatException e) {
        continue;
      }
      // A longer length waits for more; then the checksum tells.
      assertTrue(bit < 32, "bit " + bit);
    }
    assertEquals(List.of(), received);
  }

  @Test
  void nothingFollowsWhenTheSinkStops() {
    ByteBuffer two = ByteBuffer.allocate(18);
    two.put(Frame.of(Frame.PING, new byte[0])).put(Frame.of(Frame.PING, new byte[0])).flip();
    new FrameDecoder()
        .decode(
            two,
            (type, content) -> {
              receive(type, content);
              return false;
            });
    assertEquals(1, received.size());
    assertEquals(9, two.remaining());
  }

  @Test
  void rubbishIsRefusedAndNeverCostsMoreThanItsLimit() {
    for (int seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      ByteBuffer bytes = seed % 2 == 0 ? rubbish(random) : mutated(random);
      FrameDecoder decoder = new FrameDecoder();
      String which = "seed " + seed;
      try {
        decoder.decode(
            bytes,
            (type, content) -> {
              assertTrue(content.capacity() < Frame.GREETING_BODY_BYTES_MAX, which);
              greet(type, content);
              return true;
            });
      } catch (WireFormatException e) {
        assertFalse(e.getMessage().isEmpty(), which);
      }
    }
  }

  private static void greet(int type, ByteBuffer content) {
    Greeting greeting = Greeting.read(type, content);
    assertTrue(greeting.toFrame().remaining() <= Greeting.HELLO_BYTES + 9);
  }

  private static ByteBuffer rubbish(Random random) {
    byte[] bytes = new byte[random.nextInt(2_000)];
    random.nextBytes(bytes);
    if (bytes.length > 2 && random.nextBoolean()) {
      // A length that could be one.
      bytes[0] = 0;
      bytes[1] = 0;
    }
    return ByteBuffer.wrap(bytes);
  }

  /** A hello whose content is damaged under a checksum that is right. */
  private static ByteBuffer mutated(Random random) {
    byte[] frame = GreetingTest.HELLO.toFrame().array();
    byte[] content = Arrays.copyOfRange(frame, 9, 9 + 1 + random.nextInt(80));
    for (int i = random.nextInt(4); i >= 0; i--) {
      content[random.nextInt(content.length)] = (byte) random.nextInt();
    }
    return Frame.of(1 + random.nextInt(3), content);
  }

  private void decodeInPieces(FrameDecoder decoder, ByteBuffer in, Random sizes) {
    while (in.hasRemaining()) {
      ByteBuffer piece = in.slice(in.position(), Math.min(in.remaining(), 1 + sizes.nextInt(999)));
      in.position(in.position() + piece.remaining());
      decoder.decode(piece, this::receive);
    }
  }

  private boolean receive(int type, ByteBuffer content) {
    received.add(new Received(type, content));
    return true;
  }

  private static byte[] payload(Received message) {
    assertEquals(Frame.MESSAGE, message.type);
    ByteBuffer content = message.content.duplicate();
    content.position(1 + content.get(0));
    byte[] payload = new byte[content.remaining()];
    content.get(payload);
    return payload;
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String hex(ByteBuffer bytes) {
    byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return HexFormat.of().formatHex(array);
  }
}
