// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Receiver;
import io.clowder.api.transport.Transport.Registration;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TcpTransportTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");

  private final List<TcpTransport> open = new ArrayList<>();

  @AfterEach
  void closeAll() {
    open.forEach(TcpTransport::close);
  }

  @Test
  void threeNodesReachEachOtherInOrder() throws Exception {
    List<Inbox> inboxes = new ArrayList<>();
    List<TestNode> nodes = TestNode.cluster(3);
    for (TestNode node : nodes) {
      inboxes.add(new Inbox());
      start(node).listen("t", inboxes.get(inboxes.size() - 1));
    }
    inboxes.get(0).changesTo("+n2", "+n3");
    inboxes.get(1).changesTo("+n1", "+n3");
    for (int i = 0; i < 10_000; i++) {
      assertTrue(open.get(0).send(new NodeId("n3"), "t", text("a" + i)));
      assertTrue(open.get(1).send(new NodeId("n3"), "t", text("b" + i)));
    }
    int[] next = new int[2];
    for (int i = 0; i < 20_000; i++) {
      Inbox.Received message = inboxes.get(2).next();
      int sender = message.from().equals(N1) ? 0 : 1;
      String expected = (sender == 0 ? "a" : "b") + next[sender]++;
      assertEquals(expected, StandardCharsets.UTF_8.decode(message.payload()).toString());
    }
  }

  @Test
  void theLargestMessageArrivesWhole() throws Exception {
    Inbox inbox = pair();
    byte[] large = new byte[Limits.FRAME_BYTES];
    new Random(1).nextBytes(large);
    assertTrue(open.get(0).send(N2, "t", ByteBuffer.wrap(large)));
    assertTrue(open.get(0).send(N2, "t", text("after")));

    ByteBuffer payload = inbox.next().payload();
    byte[] arrived = new byte[payload.remaining()];
    payload.get(arrived);
    assertArrayEquals(large, arrived);
    assertEquals("after", inbox.nextText());
  }

  @Test
  void whatIsTooLargeOrBadlyAddressedIsRefused() throws Exception {
    pair();
    TcpTransport n1 = open.get(0);
    ByteBuffer large = ByteBuffer.allocate(Limits.FRAME_BYTES + 1);
    CoordinationException refused =
        assertThrows(CoordinationException.class, () -> n1.send(N2, "t", large));
    assertEquals(CoordinationException.Reason.TOO_LARGE, refused.reason());
    for (String topic : List.of("", "x".repeat(65), "ü", "a b")) {
      assertThrows(IllegalArgumentException.class, () -> n1.send(N2, topic, text("x")));
    }
    assertFalse(n1.send(new NodeId("n9"), "t", text("x")));
  }

  @Test
  void anOwnMessageComesOnTheTransportsThread() throws Exception {
    TcpTransport n1 = start(TestNode.cluster(1).get(0));
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    n1.listen("t", (from, payload) -> thread.complete(Thread.currentThread()));
    assertTrue(n1.send(N1, "t", text("x")));
    assertNotSame(Thread.currentThread(), thread.get(20, TimeUnit.SECONDS));
  }

  @Test
  void ownMessagesAreBoundedToo() throws Exception {
    TcpTransport n1 = start(TestNode.cluster(1).get(0));
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    AtomicInteger count = new AtomicInteger();
    n1.listen(
        "t",
        (from, payload) -> {
          count.incrementAndGet();
          entered.countDown();
          await(leave);
        });
    n1.send(N1, "t", text("x"));
    await(entered);
    int taken = 0;
    while (n1.send(N1, "t", ByteBuffer.allocate(1 << 20))) {
      taken++;
    }
    leave.countDown();
    assertEquals(15, taken);
  }

  @Test
  void aReceiverThatFailsHarmsNobody() throws Exception {
    Inbox inbox = pair();
    CompletableFuture<Void> failed = new CompletableFuture<>();
    open.get(1)
        .listen(
            "bad",
            (from, payload) -> {
              failed.complete(null);
              throw new IllegalStateException("on purpose");
            });
    open.get(0).send(N2, "bad", text("x"));
    open.get(0).send(N2, "nobody", text("x"));
    open.get(0).send(N2, "t", text("still there"));
    assertEquals("still there", inbox.nextText());
    assertTrue(failed.isDone());
  }

  @Test
  void noCallBeginsAfterARegistrationIsClosed() throws Exception {
    pair();
    for (int round = 0; round < 50; round++) {
      AtomicInteger afterwards = new AtomicInteger();
      AtomicBoolean ended = new AtomicBoolean();
      CountDownLatch first = new CountDownLatch(1);
      Registration registration =
          open.get(1)
              .listen(
                  "u",
                  (from, payload) -> {
                    if (ended.get()) {
                      afterwards.incrementAndGet();
                    }
                    first.countDown();
                  });
      for (int i = 0; i < 500; i++) {
        open.get(0).send(N2, "u", text("x"));
      }
      await(first);
      registration.close();
      ended.set(true);
      Inbox last = new Inbox();
      Registration end = open.get(1).listen("end", last);
      open.get(0).send(N2, "end", text("end"));
      last.next();
      end.close();
      assertEquals(0, afterwards.get());
    }
  }

  @Test
  void aTopicHasOneReceiverAtATime() throws Exception {
    TcpTransport n1 = start(TestNode.cluster(1).get(0));
    Receiver receiver = new Inbox();
    Registration first = n1.listen("t", receiver);
    assertThrows(IllegalStateException.class, () -> n1.listen("t", receiver));
    first.close();
    n1.listen("t", receiver).close();
  }

  @Test
  void aPeerThatComesBackIsReachedAgainAtOnce() throws Exception {
    List<TestNode> nodes = TestNode.cluster(2);
    Inbox changes = new Inbox();
    // Without the hint that the peer is back, the second attempt would come after the test's end.
    TcpTransport n1 =
        start(nodes.get(0), new TcpSettings(null, null, 90_000, 90_000, 5_000, 1_000, 10_000));
    n1.listen("t", changes);
    assertFalse(n1.send(N2, "t", text("nobody there")));
    for (int round = 0; round < 3; round++) {
      TcpTransport n2 = start(nodes.get(1));
      Inbox inbox = new Inbox();
      n2.listen("t", inbox);
      changes.expect("+n2");
      assertTrue(n1.send(N2, "t", text("round " + round)));
      assertEquals("round " + round, inbox.nextText());
      n2.close();
      changes.expect("-n2");
      assertFalse(n1.links().get(0).up());
      assertFalse(n1.links().get(0).problem().isEmpty());
    }
  }

  @Test
  void aLateListenerHearsWhoIsConnected() throws Exception {
    pair();
    Inbox late = new Inbox();
    open.get(0).listen("late", late);
    late.expect("+n2");
  }

  @Test
  void aNodeThatReachesItselfSaysSo() throws Exception {
    String address = "127.0.0.1:" + TestNode.freePorts(1).get(0);
    try (LogLines log = new LogLines()) {
      start(TestNode.of("demo", "n1", "n1=" + address + ",n2=" + address));
      log.expect("no connection to n2: refused: n1 reached itself");
    }
  }

  @Test
  void nodesOfTwoClustersStayApart() throws Exception {
    List<TestNode> nodes = TestNode.cluster(2);
    TestNode n2 = nodes.get(1);
    try (LogLines log = new LogLines()) {
      start(new TestNode(N2, "prod", 1, n2.members()));
      TcpTransport n1 = start(nodes.get(0));
      log.expect("no connection to n2: refused: n2 belongs to another cluster, 'prod'");
      assertFalse(n1.links().get(0).up());
      assertFalse(n1.send(N2, "t", text("x")));
    }
  }

  @Test
  void anotherMachineIsNotDialledWithoutTls() throws Exception {
    String here = "127.0.0.1:" + TestNode.freePorts(1).get(0);
    try (LogLines log = new LogLines()) {
      start(TestNode.of("demo", "n1", "n1=" + here + ",n2=192.0.2.1:7001"));
      log.expect("no connection to n2: at 192.0.2.1:7001, which is another machine");
    }
  }

  @Test
  void aWipedPeerIsNoticed() throws Exception {
    List<TestNode> nodes = TestNode.cluster(2);
    Inbox changes = new Inbox();
    start(nodes.get(0)).listen("t", changes);
    start(nodes.get(1));
    changes.expect("+n2");
    open.remove(1).close();
    changes.expect("-n2");
    try (LogLines log = new LogLines()) {
      start(new TestNode(N2, "demo", 2, nodes.get(1).members()));
      log.expect("n2 came back with another directory");
    }
  }

  @Test
  void aPortInUseIsToldInOneLine() throws Exception {
    TestNode node = TestNode.cluster(1).get(0);
    start(node);
    CoordinationException refused =
        assertThrows(
            CoordinationException.class,
            () -> new TcpTransport(node, TcpSettings.local(null, null)));
    assertTrue(
        refused.getMessage().startsWith("listen " + node.address() + ": Address already in use"),
        refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count());
  }

  @Test
  void otherMachinesAreNotServedWithoutTls() throws Exception {
    TestNode node = TestNode.cluster(1).get(0);
    for (String host : List.of("0.0.0.0", "[::]", "192.0.2.1")) {
      TcpSettings settings = TcpSettings.local(Address.parse(host + ":7001"), null);
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> new TcpTransport(node, settings));
      assertTrue(refused.getMessage().contains("set tls.certificate, tls.key and tls.trust"));
      assertTrue(refused.getMessage().startsWith("listen " + host), refused.getMessage());
    }
  }

  @Test
  void afterTheEndNothingIsLeft() throws Exception {
    Inbox inbox = pair();
    open.get(0).send(N2, "t", text("x"));
    inbox.next();
    TcpTransport n1 = open.get(0);
    closeAll();
    assertFalse(n1.send(N1, "t", text("x")));
    assertFalse(n1.send(N2, "t", text("x")));
    assertThrows(IllegalStateException.class, () -> n1.listen("t", inbox));
    assertEquals("the transport is closed", n1.links().get(0).problem());
    assertEquals(
        List.of(),
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .filter(it -> it.contains("clowder") || it.contains("lobalEventExecutor"))
            .toList());
  }

  /** Starts n1 and n2 and returns what n2 hears on topic t, once n1 can send to it. */
  private Inbox pair() throws Exception {
    List<TestNode> nodes = TestNode.cluster(2);
    Inbox inbox = new Inbox();
    start(nodes.get(1)).listen("t", inbox);
    Inbox changes = new Inbox();
    start(nodes.get(0)).listen("changes", changes);
    changes.expect("+n2");
    open.add(open.remove(0));
    return inbox;
  }

  private TcpTransport start(TestNode node) {
    return start(node, TcpSettings.local(null, null));
  }

  private TcpTransport start(TestNode node, TcpSettings settings) {
    TcpTransport transport = new TcpTransport(node, settings);
    open.add(transport);
    return transport;
  }

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
