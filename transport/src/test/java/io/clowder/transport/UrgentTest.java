// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Registration;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two connections between n1, a transport, and n2, whose sockets the test holds. */
@Timeout(60)
class UrgentTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");

  private final Inbox inbox = new Inbox();
  private final Inbox turns = new Inbox();
  private final List<AutoCloseable> open = new ArrayList<>();
  private ServerSocket n2;
  private TestNode node;
  private TcpTransport n1;

  @BeforeEach
  void start() throws Exception {
    n2 = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    n2.setSoTimeout(20_000);
    open.add(n2);
    String members = "n1=127.0.0.1:" + freePort();
    node = TestNode.of("demo", "n1", members + ",n2=127.0.0.1:" + n2.getLocalPort());
    start(node);
  }

  private void start(TestNode it) {
    n1 = new TcpTransport(it, TcpSettings.local(null, null));
    open.add(n1);
    n1.listen("t", inbox);
    n1.listen("turn", turns);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  @Test
  void anUrgentMessageArrivesThoughNothingElseDoes() throws Exception {
    connect();
    fill();
    assertFalse(n1.send(N2, "t", ByteBuffer.allocate(64 << 10)));
    RawSocket urgent = connectUrgent();
    assertTrue(n1.sendUrgent(N2, "t", text("first")));
    assertTrue(n1.sendUrgent(N2, "t", text("second")));
    assertEquals("first", urgent.message());
    assertEquals("second", urgent.message());
    // The system may have taken some more of it, but nobody has read any.
    assertTrue(n1.links().get(0).queuedBytes() > Limits.PEER_QUEUE_BYTES / 2);
  }

  /** The other side of the same: n3 is as slow as its receiver, and n1 sends faster. */
  @Test
  void anUrgentMessageOvertakesWhatTheReceiverHasNotReadYet() throws Exception {
    TestNode node3 =
        TestNode.of("demo", "n3", "n1=" + node.address() + ",n3=127.0.0.1:" + freePort());
    TcpTransport n3 = new TcpTransport(node3, TcpSettings.local(null, null));
    open.add(n3);
    CountDownLatch sent = new CountDownLatch(1);
    BlockingQueue<Integer> sizes = new LinkedBlockingQueue<>();
    n3.listen(
        "t",
        (from, payload) -> {
          sizes.add(payload.remaining());
          if (payload.remaining() > 1_000) {
            await(sent);
          }
        });
    n1.meet(N3, node3.address());
    inbox.expect("+n3");
    while (!n1.sendUrgent(N3, "t", text("urgent"))) {
      turn();
    }
    assertEquals(6, sizes.take());
    int count = 0;
    while (n1.send(N3, "t", ByteBuffer.allocate(256 << 10))) {
      count++;
    }
    turn();
    assertTrue(n1.sendUrgent(N3, "t", text("urgent")));
    turn();
    sent.countDown();
    int before = 0;
    while (sizes.take() != 6) {
      before++;
    }
    assertTrue(count > 40, count + " were taken");
    assertTrue(before < count / 2, before + " of " + count + " came before it");
  }

  @Test
  void whatIsNotTakenIsAsItWas() throws Exception {
    RawSocket main = connect();
    ByteBuffer payload = text("by the other way");
    assertFalse(n1.sendUrgent(N2, "t", payload));
    assertTrue(n1.send(N2, "t", payload));
    assertEquals("by the other way", main.message());
  }

  @Test
  void whatIsTooLargeOrBadlyAddressedIsRefused() throws Exception {
    CoordinationException refused =
        assertThrows(
            CoordinationException.class,
            () -> n1.sendUrgent(N2, "t", ByteBuffer.allocate(Limits.URGENT_BYTES + 1)));
    assertEquals(CoordinationException.Reason.TOO_LARGE, refused.reason());
    assertThrows(IllegalArgumentException.class, () -> n1.sendUrgent(N2, "", text("x")));
    assertFalse(n1.sendUrgent(new NodeId("n9"), "t", text("x")));

    connect();
    RawSocket urgent = connectUrgent();
    assertTrue(n1.sendUrgent(N2, "t", ByteBuffer.allocate(Limits.URGENT_BYTES)));
    assertEquals(Limits.URGENT_BYTES, urgent.message().length());
  }

  @Test
  void fewMessagesWait() throws Exception {
    connect();
    connectUrgent();
    // On the loop's thread, so that the socket takes nothing meanwhile.
    n1.listen(
        "many",
        (from, payload) -> {
          int taken = 0;
          while (n1.sendUrgent(N2, "t", ByteBuffer.allocate(Limits.URGENT_BYTES))) {
            taken++;
          }
          n1.send(N1, "t", text("" + taken));
        });
    n1.send(N1, "many", text("x"));
    assertEquals("3", inbox.nextText());
  }

  @Test
  void anOwnMessageIsDelivered() throws Exception {
    assertTrue(n1.sendUrgent(N1, "t", text("to myself")));
    Inbox.Received message = inbox.next();
    assertEquals(N1, message.from());
    assertEquals(text("to myself"), message.payload());
  }

  @Test
  void eachLaneIsLostAndDialledAgainForItself() throws Exception {
    RawSocket main = connect();
    connectUrgent().close();
    RawSocket urgent = accept(Lane.URGENT);
    offer("again");
    assertEquals("again", urgent.message());
    assertTrue(n1.send(N2, "t", text("all the while")));
    assertEquals("all the while", main.message());

    main.close();
    // Nothing before it: of the urgent connection nobody heard.
    inbox.expect("-n2");
    RawSocket next = connect();
    assertTrue(n1.send(N2, "t", text("there again")));
    assertEquals("there again", next.message());
    assertTrue(n1.sendUrgent(N2, "t", text("still there")));
    assertEquals("still there", urgent.message());
  }

  @Test
  void aPeerHasOneConnectionOfEachLane() throws Exception {
    RawSocket main = dial(Lane.MAIN, 1);
    RawSocket urgent = dial(Lane.URGENT, 1);
    say(main, "main");
    assertEquals("main", inbox.nextText());
    say(urgent, "urgent");
    assertEquals("urgent", inbox.nextText());

    RawSocket next = dial(Lane.URGENT, 1);
    urgent.expectClosed(0);
    say(main, "main still");
    assertEquals("main still", inbox.nextText());
    say(next, "urgent again");
    assertEquals("urgent again", inbox.nextText());
  }

  @Test
  void whatALifeBeforeHadOpenedIsClosed() throws Exception {
    RawSocket main = dial(Lane.MAIN, 1);
    RawSocket urgent = dial(Lane.URGENT, 1);
    RawSocket next = dial(Lane.MAIN, 2);
    main.expectClosed(0);
    urgent.expectClosed(0);
    say(next, "of the next life");
    assertEquals("of the next life", inbox.nextText());
  }

  @Test
  void aPeerThatWasStartedAgainIsDialledAgainOnBoth() throws Exception {
    RawSocket main = connect();
    RawSocket urgent = connectUrgent();
    RawSocket ofNextLife = dial(Lane.URGENT, 2);
    main.expectClosed(0);
    urgent.expectClosed(0);
    say(ofNextLife, "I am back");
    assertEquals("I am back", inbox.nextText());
  }

  @Test
  void bothLanesGoWithTheLastRegistrationAndWithTheTransport() throws Exception {
    connect();
    n1.close();
    inbox.expect("-n2");
    start(TestNode.of("demo", "n1", "n1=" + node.address()));
    Address address = new Address("127.0.0.1", n2.getLocalPort());
    assertFalse(n1.sendUrgent(N2, "t", text("not met")));

    Registration registration = n1.meet(N2, address);
    List<RawSocket> all =
        List.of(connect(), connectUrgent(), dial(Lane.MAIN, 1), dial(Lane.URGENT, 1));
    registration.close();
    assertFalse(n1.sendUrgent(N2, "t", text("gone")));
    for (RawSocket one : all) {
      one.expectClosed(0);
    }
    inbox.expect("-n2");

    n1.meet(N2, address);
    all = List.of(connect(), connectUrgent(), dial(Lane.URGENT, 1));
    n1.close();
    for (RawSocket one : all) {
      one.expectClosed(0);
    }
    assertFalse(n1.sendUrgent(N2, "t", text("gone")));
    assertFalse(n1.sendUrgent(N1, "t", text("gone")));
  }

  /** Sends until the kernel takes nothing more either: each round gives the loop its turn. */
  private void fill() throws Exception {
    for (int full = 0; full < 10; full++) {
      while (n1.send(N2, "t", ByteBuffer.allocate(64 << 10))) {
        full = 0;
      }
      turn();
    }
  }

  /** Offers an urgent message until it is taken. */
  private void offer(String text) throws Exception {
    while (!n1.sendUrgent(N2, "t", text(text))) {
      turn();
    }
  }

  private void turn() throws Exception {
    n1.send(N1, "turn", ByteBuffer.allocate(0));
    turns.next();
  }

  /** n1 dials n2, and is connected. */
  private RawSocket connect() throws Exception {
    RawSocket main = accept(Lane.MAIN);
    inbox.expect("+n2");
    return main;
  }

  /** n1 is asked for the first urgent message, dials n2 for it, and is connected. */
  private RawSocket connectUrgent() throws Exception {
    assertFalse(n1.sendUrgent(N2, "t", text("too early")));
    RawSocket urgent = accept(Lane.URGENT);
    offer("connected");
    assertEquals("connected", urgent.message());
    return urgent;
  }

  /** The next connection that n1 opens, which must be of that lane. */
  private RawSocket accept(Lane lane) throws Exception {
    RawSocket socket = new RawSocket(n2.accept());
    open.add(socket);
    Greeting.Hello hello = (Greeting.Hello) socket.greeting();
    assertEquals(N1, hello.from());
    assertEquals(lane, hello.lane());
    socket.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
    return socket;
  }

  /** A connection that n2 opens. */
  private RawSocket dial(Lane lane, long run) throws Exception {
    RawSocket socket = new RawSocket(node.address());
    open.add(socket);
    socket.send(new Greeting.Hello("demo", N2, 1, run, N1, lane).toFrame());
    assertEquals(N1, ((Greeting.Welcome) socket.greeting()).from());
    return socket;
  }

  private static int freePort() throws Exception {
    return TestNode.freePorts(1).get(0);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void say(RawSocket socket, String text) throws Exception {
    ByteBuffer out = ByteBuffer.allocate(200);
    assertTrue(new MessageEncoder().put("t", text(text), out));
    socket.send(Arrays.copyOf(out.array(), out.position()));
  }

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
