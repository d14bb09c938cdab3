// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.failure.detector.Signal.Body;
import io.clowder.failure.detector.Signal.Head;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SignalTest {
  private static final Head HEAD = new Head(300, 299, 500, true, false, List.of("store"));
  private static final Head PLAIN = new Head(1, 0, 0, false, true, List.of());
  private static final NodeId NODE = new NodeId("n2");

  private static final List<Signal> ALL =
      List.of(
          new Signal(HEAD, new Signal.Heartbeat(7, 500, 1, -2, 3)),
          new Signal(PLAIN, new Signal.Ping(-1, new byte[] {1, 2})),
          new Signal(PLAIN, new Signal.Pong(5, new byte[0])),
          new Signal(PLAIN, new Signal.PingRequest(5, NODE, 500)),
          new Signal(PLAIN, new Signal.Relayed(5, NODE, 300)),
          new Signal(PLAIN, new Signal.Gossip(new byte[] {9})),
          new Signal(PLAIN, new Signal.Goodbye()));

  private static final List<String> GOLDEN =
      List.of(
          "01ac02ab02f40301010573746f72650107f4030000000000000001fffffffffffffffe03",
          "0101000002000" + "2ffffffffffffffff020102",
          "0101000002000" + "3000000000000000500",
          "0101000002000" + "40000000000000005026e32f403",
          "0101000002000" + "50000000000000005026e32ac02",
          "0101000002000" + "60109",
          "0101000002000" + "7");

  @Test
  void theBytesStayAsTheyAre() {
    for (int i = 0; i < ALL.size(); i++) {
      assertEquals(GOLDEN.get(i), HexFormat.of().formatHex(bytes(ALL.get(i))));
    }
  }

  @Test
  void whatIsReadIsWhatWasWritten() {
    Set<Class<?>> seen = new HashSet<>();
    for (Signal signal : ALL) {
      Signal read = Signal.decode(signal.encode());
      assertEquals(signal.head(), read.head());
      assertEquals(signal.body().getClass(), read.body().getClass());
      assertArrayEquals(bytes(signal), bytes(read));
      seen.add(signal.body().getClass());
    }
    assertEquals(Set.of(Body.class.getPermittedSubclasses()), seen);
  }

  @Test
  void nonsenseIsRefusedWhateverItIs() {
    SplittableRandom random = new SplittableRandom(1);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = bytes(ALL.get(random.nextInt(ALL.size())));
      for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length;
      try {
        Signal.decode(ByteBuffer.wrap(bytes, 0, length));
      } catch (WireFormatException e) {
        refused++;
      }
    }
    assertTrue(refused > 5_000, refused + " refused");
  }

  @Test
  void whatNoDetectorSendsIsRefused() {
    List<Signal> wrong = new ArrayList<>();
    wrong.add(new Signal(new Head(0, 0, 0, false, false, List.of()), new Signal.Goodbye()));
    wrong.add(
        new Signal(
            new Head(1, 0, 0, false, false, List.of("a", "b", "c", "d", "e", "f", "g", "h", "i")),
            new Signal.Goodbye()));
    wrong.add(new Signal(PLAIN, new Signal.Heartbeat(-1, 1, 1, 1, 1)));
    wrong.add(new Signal(PLAIN, new Signal.Heartbeat(1, 1L << 40, 1, 1, 1)));
    for (Signal signal : wrong) {
      assertThrows(WireFormatException.class, () -> Signal.decode(signal.encode()));
    }
    byte[] much = new byte[Signal.GOSSIP_BYTES + 1];
    assertThrows(IllegalArgumentException.class, () -> new Signal.Gossip(much));
    assertThrows(IllegalArgumentException.class, () -> new Signal.Ping(1, much));
    assertThrows(IllegalArgumentException.class, () -> new Signal.Pong(1, much));
    List<String> names = List.of("ä".repeat(33));
    assertThrows(IllegalArgumentException.class, () -> new Head(1, 0, 0, false, false, names));
  }

  private static byte[] bytes(Signal signal) {
    ByteBuffer buffer = signal.encode();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
