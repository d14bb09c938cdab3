// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Receiver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What n1 tells of n2, whose sockets the test holds: that it is gone, and when it was heard. */
@Timeout(60)
class SignsOfLifeTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");

  private final Inbox inbox = new Inbox();
  private final Inbox turns = new Inbox();
  private final List<AutoCloseable> open = new ArrayList<>();
  private ServerSocket n2;
  private TestNode node;
  private TcpTransport n1;

  @BeforeEach
  void listen() throws Exception {
    n2 = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    n2.setSoTimeout(20_000);
    open.add(n2);
    String members = "n1=127.0.0.1:" + TestNode.freePorts(1).get(0);
    node = TestNode.of("demo", "n1", members + ",n2=127.0.0.1:" + n2.getLocalPort());
  }

  private void start() {
    n1 = new TcpTransport(node, new TcpSettings(null, null, 1, 10, 200, 40, 10_000));
    open.add(n1);
    n1.listen("t", inbox);
    n1.listen("turn", turns);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  @Test
  void whoDropsConnectionsIsAliveUntilItsPortIsClosed() throws Exception {
    start();
    for (int round = 0; round < 5; round++) {
      RawSocket socket = accept(Lane.MAIN);
      inbox.expect("+n2");
      socket.close();
      inbox.expect("-n2");
    }
    // A connection that is refused in words was not refused by the machine.
    try (RawSocket socket = new RawSocket(n2.accept())) {
      socket.greeting();
      socket.send(new Greeting.Refused("not today").toFrame());
      socket.expectClosed(0);
    }
    RawSocket last = accept(Lane.MAIN);
    inbox.expect("+n2");
    assertEquals(0, inbox.refusals());
    n2.close();
    last.close();
    inbox.expect("-n2");
    inbox.expectRefusal(N2);
    // And again, as long as that is so.
    inbox.expectRefusal(N2);
  }

  @Test
  void aTransportThatIsClosedRefusesAndItsPeersHearOfItAfterTheLoss() throws Exception {
    n2.close();
    start();
    TestNode node2 = new TestNode(N2, "demo", 1, node.members());
    TcpTransport transport2 = new TcpTransport(node2, TcpSettings.local(null, null));
    open.add(transport2);
    inbox.expect("+n2");
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    n1.listen(
        "order",
        new Receiver() {
          @Override
          public void receive(NodeId from, ByteBuffer payload) {}

          @Override
          public void connected(NodeId peer) {
            told.add("+" + peer);
          }

          @Override
          public void disconnected(NodeId peer) {
            told.add("-" + peer);
          }

          @Override
          public void refused(NodeId peer) {
            told.add("!" + peer);
          }
        });
    assertEquals("+n2", told.poll(20, TimeUnit.SECONDS));
    transport2.close();
    assertEquals("-n2", told.poll(20, TimeUnit.SECONDS));
    assertEquals("!n2", told.poll(20, TimeUnit.SECONDS));
  }

  @Test
  void whoeverListensLaterHearsOfTheNextAttempt() throws Exception {
    n2.close();
    start();
    inbox.expectRefusal(N2);
    Inbox late = new Inbox();
    n1.listen("late", late);
    late.expectRefusal(N2);
  }

  @Test
  void theUrgentConnectionIsNoEvidence() throws Exception {
    start();
    accept(Lane.MAIN);
    inbox.expect("+n2");
    try (LogLines log = new LogLines()) {
      n2.close();
      assertFalse(n1.sendUrgent(N2, "t", ByteBuffer.allocate(1)));
      log.expect("no urgent connection to n2: Connection refused");
      turn();
      assertEquals(0, inbox.refusals());
      assertTrue(n1.links().get(0).up());
    }
  }

  /** A machine whose backlog is full drops what comes, as one that is off does. */
  @Test
  void whoDoesNotAnswerHasNotRefused() throws Exception {
    InetSocketAddress address = new InetSocketAddress(n2.getInetAddress(), n2.getLocalPort());
    try {
      while (true) {
        Socket socket = new Socket();
        open.add(socket);
        socket.connect(address, 100);
      }
    } catch (SocketTimeoutException e) {
      // The backlog is full.
    }
    try (LogLines log = new LogLines()) {
      start();
      log.expect("no connection to n2: no greeting within 200 ms");
      turn();
      assertEquals(0, inbox.refusals());
    }
  }

  @Test
  void aByteOfAnyConnectionOfThePeersEndsItsSilence() throws Exception {
    start();
    assertEquals(-1, silentNanos());
    // What comes before a greeting could be anybody's.
    try (RawSocket stranger = new RawSocket(node.address())) {
      stranger.send(new Greeting.Hello("prod", N2, 1, 1, N1, Lane.MAIN).toFrame());
      assertTrue(stranger.greeting() instanceof Greeting.Refused);
      assertEquals(-1, silentNanos());
    }
    long before = System.nanoTime();
    RawSocket main = accept(Lane.MAIN);
    inbox.expect("+n2");
    assertTrue(silentNanos() >= 0);
    assertTrue(silentNanos() <= System.nanoTime() - before);

    awaitHeard(() -> main.send(Frame.of(Frame.PONG, new byte[0])));
    n1.sendUrgent(N2, "t", ByteBuffer.allocate(1));
    RawSocket urgent = accept(Lane.URGENT);
    awaitHeard(() -> urgent.send(Frame.of(Frame.PONG, new byte[0])));
    for (Lane lane : Lane.values()) {
      RawSocket dialled = new RawSocket(node.address());
      open.add(dialled);
      awaitHeard(() -> dialled.send(new Greeting.Hello("demo", N2, 1, 1, N1, lane).toFrame()));
      assertTrue(dialled.greeting() instanceof Greeting.Welcome);
      // Half a message will do.
      ByteBuffer out = ByteBuffer.allocate(200);
      assertTrue(new MessageEncoder().put("t", ByteBuffer.wrap(new byte[9]), out));
      awaitHeard(() -> dialled.send(Arrays.copyOf(out.array(), out.position() / 2)));
    }
    // It outlives the connections.
    long last = silentNanos();
    main.close();
    inbox.expect("-n2");
    assertTrue(silentNanos() >= last);
  }

  private interface Send {
    void run() throws IOException;
  }

  private void awaitHeard(Send send) throws Exception {
    long before = System.nanoTime();
    // Time passes, so what was heard before this is longer ago.
    assertTrue(silentNanos() >= 0);
    send.run();
    long asked = System.nanoTime();
    while (silentNanos() > asked - before) {
      turn();
      asked = System.nanoTime();
    }
  }

  private long silentNanos() {
    return n1.links().get(0).silentNanos();
  }

  private void turn() throws Exception {
    n1.send(N1, "turn", ByteBuffer.allocate(0));
    turns.next();
  }

  private RawSocket accept(Lane lane) throws Exception {
    RawSocket socket = new RawSocket(n2.accept());
    open.add(socket);
    Greeting.Hello hello = (Greeting.Hello) socket.greeting();
    assertEquals(lane, hello.lane());
    socket.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
    return socket;
  }
}
