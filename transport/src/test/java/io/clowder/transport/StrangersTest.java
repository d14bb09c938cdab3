// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a transport does with the other end of a socket that does not behave. */
@Timeout(60)
class StrangersTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");

  private final Inbox inbox = new Inbox();
  private ServerSocket n2;
  private TestNode node;
  private TcpTransport n1;

  @BeforeEach
  void start() throws Exception {
    n2 = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    n2.setSoTimeout(20_000);
    String members = "n1=127.0.0.1:" + TestNode.freePorts(1).get(0);
    node = TestNode.of("demo", "n1", members + ",n2=127.0.0.1:" + n2.getLocalPort());
    n1 = new TcpTransport(node, new TcpSettings(null, null, 1, 10, 2_000, 40, 1_000));
    n1.listen("t", inbox);
  }

  @AfterEach
  void stop() throws Exception {
    n1.close();
    n2.close();
  }

  @Test
  void helloIsAnsweredByWelcomeAndThenMessagesCome() throws Exception {
    try (RawSocket socket = dial()) {
      Greeting.Welcome welcome = welcomed(socket, hello("demo", "n2", "n1"));
      assertEquals(N1, welcome.from());
      assertEquals(N2, welcome.to());
      ByteBuffer out = ByteBuffer.allocate(200);
      assertTrue(new MessageEncoder().put("t", ByteBuffer.wrap(new byte[] {'h', 'i'}), out));
      socket.send(Arrays.copyOf(out.array(), out.position()));
      assertEquals("hi", inbox.nextText());
      socket.send(Frame.of(Frame.PING, new byte[0]));
      assertEquals(Frame.PONG, socket.type());
    }
  }

  @Test
  void whoDoesNotBelongIsToldWhy() throws Exception {
    assertRefused("another cluster", hello("prod", "n2", "n1"));
    assertRefused("reached itself", hello("demo", "n1", "n1"));
    assertRefused("this is n1, not n3", hello("demo", "n2", "n3"));
    assertRefused("n9 is not a member", hello("demo", "n9", "n1"));
  }

  @Test
  void rubbishIsClosedWithoutAnAnswer() throws Exception {
    byte[] rubbish = new byte[600];
    List<byte[]> cases = new ArrayList<>();
    for (int seed = 0; seed < 20; seed++) {
      new Random(seed).nextBytes(rubbish);
      cases.add(rubbish.clone());
    }
    cases.add("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    cases.add(new byte[] {0x7F, -1, -1, -1, 0, 0, 0, 0, 1});
    cases.add(Frame.of(Frame.MESSAGE, new byte[] {1, 't', 'x'}).array());
    cases.add(Frame.of(Frame.PING, new byte[0]).array());
    for (byte[] bytes : cases) {
      try (RawSocket socket = dial()) {
        socket.send(bytes);
        socket.expectClosed(0);
      }
    }
    assertEquals(0, inbox.size());
  }

  @Test
  void aFrameThatIsNoMessageEndsAGreetedConnection() throws Exception {
    List<byte[]> cases =
        List.of(
            Frame.of(99, new byte[0]).array(),
            Frame.of(Frame.MESSAGE, new byte[] {5, 't'}).array(),
            hello("demo", "n2", "n1").toFrame().array(),
            new byte[] {0x00, 0x50, 0, 0, 0, 0, 0, 0});
    for (byte[] bytes : cases) {
      try (RawSocket socket = dial()) {
        welcomed(socket, hello("demo", "n2", "n1"));
        socket.send(bytes);
        socket.expectClosed(0);
      }
    }
  }

  @Test
  void aSilentOrSlowStrangerIsClosed() throws Exception {
    try (RawSocket silent = dial();
        RawSocket slow = dial()) {
      slow.send(new byte[] {0, 0});
      silent.expectClosed(0);
      slow.expectClosed(0);
    }
  }

  @Test
  void aPeerThatFallsSilentIsClosed() throws Exception {
    try (RawSocket socket = dial()) {
      welcomed(socket, hello("demo", "n2", "n1"));
      socket.expectClosed(0);
    }
  }

  @Test
  void tooManyStrangersMakeRoomForTheNext() throws Exception {
    List<RawSocket> crowd = new ArrayList<>();
    try {
      for (int i = 0; i < Acceptor.STRANGERS_MAX + 20; i++) {
        crowd.add(dial());
      }
      try (RawSocket socket = dial()) {
        welcomed(socket, hello("demo", "n2", "n1"));
      }
    } finally {
      for (RawSocket socket : crowd) {
        socket.close();
      }
    }
  }

  @Test
  void whoRefusesOrAnswersWronglyIsShownInTheLinks() throws Exception {
    answer(new Greeting.Refused("not\ntoday"));
    Transport.Link link = awaitLink(it -> it.problem().contains("not?today"));
    assertFalse(link.up());
    answer(new Greeting.Welcome("demo", new NodeId("n3"), 1, 1, N1));
    awaitLink(it -> it.problem().contains("n3 answered where n2 should be"));
  }

  @Test
  void aPeerThatDoesNotReadIsBounded() throws Exception {
    try (RawSocket peer = new RawSocket(n2.accept())) {
      assertTrue(peer.greeting() instanceof Greeting.Hello);
      peer.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
      inbox.expect("+n2");
      long taken = 0;
      ByteBuffer chunk = ByteBuffer.allocate(256 << 10);
      while (n1.send(N2, "t", chunk)) {
        taken += chunk.remaining();
      }
      Transport.Link link = n1.links().get(0);
      assertTrue(link.up());
      assertTrue(link.queuedBytes() <= Limits.PEER_QUEUE_BYTES, link.toString());
      // The rest is with the kernel, on both sides.
      assertTrue(taken < 4L * Limits.PEER_QUEUE_BYTES, "" + taken);
      inbox.expect("-n2");
      assertFalse(n1.send(N2, "t", chunk));
    }
  }

  @Test
  void aQuietPeerIsAskedAndKeptWhileItAnswers() throws Exception {
    try (RawSocket peer = new RawSocket(n2.accept())) {
      peer.greeting();
      peer.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
      inbox.expect("+n2");
      // Each ping follows 40 ms of silence: 30 of them outlast the 1000 ms of the limit.
      for (int i = 0; i < 30; i++) {
        assertEquals(Frame.PING, peer.type());
        peer.send(Frame.of(Frame.PONG, new byte[0]));
      }
      assertTrue(n1.links().get(0).up());
    }
    inbox.expect("-n2");
  }

  @Test
  void aPeerThatWasStartedAgainIsDialledAgain() throws Exception {
    try (RawSocket before = new RawSocket(n2.accept())) {
      before.greeting();
      before.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
      inbox.expect("+n2");
      // The old connection says nothing of its end; the new hello has another run.
      try (RawSocket socket = dial()) {
        welcomed(socket, new Greeting.Hello("demo", N2, 1, 2, N1, Lane.MAIN));
        inbox.expect("-n2");
        try (RawSocket after = new RawSocket(n2.accept())) {
          after.greeting();
          after.send(new Greeting.Welcome("demo", N2, 1, 2, N1).toFrame());
          inbox.expect("+n2");
        }
      }
    }
  }

  private void answer(Greeting greeting) throws Exception {
    try (RawSocket peer = new RawSocket(n2.accept())) {
      assertEquals("demo", ((Greeting.Hello) peer.greeting()).cluster());
      peer.send(greeting.toFrame());
      peer.expectClosed(0);
    }
  }

  /** Each attempt that ends changes the link, so the next attempt says when to look. */
  private Transport.Link awaitLink(Predicate<Transport.Link> wanted) throws Exception {
    try (RawSocket next = new RawSocket(n2.accept())) {
      next.greeting();
      Transport.Link link = n1.links().get(0);
      assertTrue(wanted.test(link), link.toString());
      return link;
    }
  }

  private void assertRefused(String why, Greeting.Hello hello) throws Exception {
    try (RawSocket socket = dial()) {
      socket.send(hello.toFrame());
      Greeting.Refused refused = (Greeting.Refused) socket.greeting();
      assertTrue(refused.reason().contains(why), refused.reason());
      socket.expectClosed(0);
    }
  }

  private static Greeting.Welcome welcomed(RawSocket socket, Greeting.Hello hello)
      throws Exception {
    socket.send(hello.toFrame());
    return (Greeting.Welcome) socket.greeting();
  }

  private static Greeting.Hello hello(String cluster, String from, String to) {
    return new Greeting.Hello(cluster, new NodeId(from), 1, 2, new NodeId(to), Lane.MAIN);
  }

  private RawSocket dial() throws Exception {
    Address address = node.address();
    return new RawSocket(address);
  }
}
