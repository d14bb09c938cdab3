// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Bytes that nobody wrote are refused, and cost no more than themselves. */
class CodecFuzzTest {
  private static final long SEED = 20_260_101;
  private static final int ROUNDS = 20_000;

  /** Far more than the texts of exceptions, far less than any length in a message may claim. */
  private static final long ALLOCATION_MAX = 1 << 18;

  @Test
  void envelopes() {
    List<byte[]> samples = new ArrayList<>();
    CodecTest.ENVELOPES.keySet().forEach(envelope -> samples.add(envelope.encode()));
    fuzz(samples, Envelope::decode);
  }

  @Test
  void groupMessages() {
    List<byte[]> samples = new ArrayList<>();
    CodecTest.MESSAGES.keySet().forEach(message -> samples.add(CodecTest.written(message)));
    fuzz(samples, CodecTest::read);
  }

  @Test
  void headers() {
    WireWriter out = new WireWriter(32);
    new GroupMessage.Header(1, 2, 3).write(out);
    fuzz(List.of(out.toByteArray()), bytes -> GroupMessage.Header.read(new WireReader(bytes)));
  }

  @Test
  void segments() {
    WireWriter out = new WireWriter(32);
    CodecTest.TWO_MEMBERS.write(out);
    fuzz(List.of(out.toByteArray()), bytes -> Segment.read(new WireReader(bytes)));
  }

  @Test
  void sessionTables() {
    WireWriter out = new WireWriter(32);
    CodecTest.sampleSessions().write(out);
    fuzz(List.of(out.toByteArray()), bytes -> new Sessions().read(new WireReader(bytes)));
  }

  @Test
  void snapshotHeads() {
    fuzz(List.of(CodecTest.sampleHead().encode()), SnapshotFormat.Head::decode);
  }

  @Test
  void everyPrefixOfAHeadIsRefused() {
    byte[] whole = CodecTest.sampleHead().encode();
    int refused = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        SnapshotFormat.Head.decode(Arrays.copyOf(whole, length));
      } catch (WireFormatException | IllegalArgumentException e) {
        refused++;
      }
    }
    assertEquals(whole.length, refused);
  }

  private static void fuzz(List<byte[]> samples, Consumer<byte[]> decoder) {
    Random random = new Random(SEED);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = round % 2 == 0 ? noise(random) : mutated(samples, random);
      long before = allocated();
      try {
        decoder.accept(bytes);
      } catch (WireFormatException | IllegalArgumentException e) {
        refused++;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("on " + HexFormat.of().formatHex(bytes), e);
      }
      long cost = allocated() - before;
      assertTrue(
          cost < ALLOCATION_MAX, () -> cost + " bytes for " + HexFormat.of().formatHex(bytes));
    }
    assertTrue(refused > ROUNDS / 10, "the decoder refused only " + refused);
  }

  private static byte[] noise(Random random) {
    byte[] bytes = new byte[random.nextInt(64)];
    random.nextBytes(bytes);
    if (bytes.length > 0) {
      bytes[0] = (byte) random.nextInt(12);
    }
    return bytes;
  }

  private static byte[] mutated(List<byte[]> samples, Random random) {
    byte[] sample = samples.get(random.nextInt(samples.size()));
    byte[] bytes = Arrays.copyOf(sample, Math.max(1, sample.length - 4 + random.nextInt(8)));
    for (int i = random.nextInt(4); i >= 0; i--) {
      int value = random.nextBoolean() ? 0xFF : random.nextInt(256);
      bytes[random.nextInt(bytes.length)] = (byte) value;
    }
    return bytes;
  }

  private static long allocated() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getCurrentThreadAllocatedBytes();
  }
}
