// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GreetingTest {
  static final Greeting.Hello HELLO =
      new Greeting.Hello(
          "demo", new NodeId("n1"), 0x1112131415161718L, 5, new NodeId("n2"), Lane.MAIN);
  private static final Greeting.Hello URGENT =
      new Greeting.Hello("demo", new NodeId("n1"), 1, 5, new NodeId("n2"), Lane.URGENT);
  private static final Greeting.Welcome WELCOME =
      new Greeting.Welcome("demo", new NodeId("n2"), -1, 6, new NodeId("n1"));
  private static final Greeting.Refused REFUSED = new Greeting.Refused("no");

  @Test
  void theBytesOfAHelloAreFixed() {
    byte[] frame = HELLO.toFrame().array();

    assertEquals(9 + Greeting.HELLO_BYTES, frame.length);
    assertEquals(
        "00000209" // length
            + "012a5f3e" // checksum
            + "01" // type
            + "434c5744" // magic
            + "02" // version
            + "0464656d6f" // cluster
            + "026e31" // from
            + "1112131415161718" // incarnation
            + "0000000000000005" // run
            + "026e32" // to
            + "00", // lane
        HexFormat.of().formatHex(frame, 0, 42));
    assertEquals(0, sum(frame, 42));
  }

  @Test
  void everyGreetingComesBackAsItWas() {
    Set<Class<?>> seen = new HashSet<>();
    for (Greeting greeting : List.of(HELLO, URGENT, WELCOME, REFUSED)) {
      ByteBuffer frame = greeting.toFrame();
      assertEquals(greeting, Greeting.read(frame.get(8), frame.slice(9, frame.limit() - 9)));
      seen.add(greeting.getClass());
    }
    assertEquals(Set.of(Greeting.class.getPermittedSubclasses()), seen);
  }

  @Test
  void noAnswerIsLargerThanAHello() {
    NodeId longest = new NodeId("n".repeat(64));
    String cluster = "c".repeat(Greeting.CLUSTER_BYTES_MAX);
    int hello =
        new Greeting.Hello(cluster, longest, 0, 0, longest, Lane.MAIN).toFrame().remaining();

    assertEquals(9 + Greeting.HELLO_BYTES, hello);
    assertTrue(
        new Greeting.Welcome(cluster, longest, 0, 0, longest).toFrame().remaining() <= hello);
    assertTrue(new Greeting.Refused("é".repeat(9_999)).toFrame().remaining() <= hello);
  }

  @Test
  void otherVersionsAndLanguagesAreRefused() {
    byte[] content = Arrays.copyOfRange(HELLO.toFrame().array(), 9, 200);
    content[4] = 9;
    assertTrue(refusal(content).contains("version 9 meets version 2"), refusal(content));
    content[0] = 'X';
    assertTrue(refusal(content).contains("not the language"), refusal(content));
  }

  @Test
  void aHelloSaysWhichLaneItIsOf() {
    byte[] content = Arrays.copyOfRange(URGENT.toFrame().array(), 9, 42);
    assertEquals(1, content[32]);
    content[32] = 2;
    assertTrue(refusal(content).contains("no such lane: 2"), refusal(content));
  }

  @Test
  void aGreetingCutShortIsRefused() {
    byte[] content = Arrays.copyOfRange(HELLO.toFrame().array(), 9, 42);
    for (int length = 0; length < content.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(content, 0, length);
      assertThrows(WireFormatException.class, () -> Greeting.read(Frame.HELLO, cut));
    }
  }

  @Test
  void whatIsLoggedIsOneShortLine() {
    assertEquals("a?b?c?d", Problem.line("a\nb\u001bc\u202ed"));
    assertEquals(512, Problem.line("x".repeat(2_000)).length());
    assertEquals("Exception", Problem.of(new Exception()));
  }

  private static String refusal(byte[] content) {
    return assertThrows(
            WireFormatException.class, () -> Greeting.read(Frame.HELLO, ByteBuffer.wrap(content)))
        .getMessage();
  }

  private static int sum(byte[] bytes, int from) {
    int sum = 0;
    for (int i = from; i < bytes.length; i++) {
      sum += bytes[i] & 0xFF;
    }
    return sum;
  }
}
