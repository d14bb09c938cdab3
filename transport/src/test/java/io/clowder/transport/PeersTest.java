// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Link;
import io.clowder.api.transport.Transport.Registration;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes that are not among the configured members: n1 is alone in its cluster, n4 may know n1. */
@Timeout(60)
class PeersTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N4 = new NodeId("n4");

  /** Without a hint, whoever was refused would come again after the test's end. */
  private static final TcpSettings PATIENT =
      new TcpSettings(null, null, 90_000, 90_000, 5_000, 1_000, 10_000);

  private final List<TcpTransport> open = new ArrayList<>();
  private final Inbox inbox1 = new Inbox();
  private final Inbox inbox4 = new Inbox();
  private Address address1;
  private Address address4;
  private TcpTransport n1;

  @BeforeEach
  void start() throws Exception {
    List<Integer> ports = TestNode.freePorts(2);
    address1 = new Address("127.0.0.1", ports.get(0));
    address4 = new Address("127.0.0.1", ports.get(1));
    n1 = start("n1", "n1=" + address1, inbox1);
  }

  @AfterEach
  void closeAll() {
    open.forEach(TcpTransport::close);
  }

  @Test
  void nodesThatMeetTalkBothWays() throws Exception {
    TcpTransport n4 = start("n4", "n4=" + address4, inbox4);
    n1.meet(N4, address4);
    n4.meet(N1, address1);
    inbox1.expect("+n4");
    inbox4.expect("+n1");
    assertTrue(n1.send(N4, "t", text("to n4")));
    assertTrue(n4.send(N1, "t", text("to n1")));
    assertEquals("to n4", inbox4.nextText());
    Inbox.Received answer = inbox1.next();
    assertEquals(N4, answer.from());
    assertEquals(text("to n1"), answer.payload());
    Link link = n1.links().get(0);
    assertEquals(new Link(N4, true, 0, "", link.silentNanos()), link);
  }

  @Test
  void whoIsNotMetIsRefusedAndConnectsAtOnceWhenItIs() throws Exception {
    try (LogLines log = new LogLines()) {
      TcpTransport n4 = knowingN1();
      log.expect("no connection to n1: refused: n4 is not a member of cluster 'demo'");
      assertFalse(n4.send(N1, "t", text("too early")));
      assertEquals(List.of(), n1.links());
      assertFalse(n1.send(N4, "t", text("too early")));
    }
    n1.meet(N4, address4);
    inbox4.expect("+n1");
    inbox1.expect("+n4");
  }

  @Test
  void whoIsMetBeforeItKnowsThisNodeIsReachedWhenItDoes() throws Exception {
    TcpTransport n4 = start("n4", "n4=" + address4, inbox4);
    try (LogLines log = new LogLines()) {
      n1.meet(N4, address4);
      log.expect("no connection to n4: refused: n1 is not a member of cluster 'demo'");
    }
    n4.meet(N1, address1);
    inbox4.expect("+n1");
    inbox1.expect("+n4");
  }

  @Test
  void theLinkGoesWithTheLastRegistration() throws Exception {
    Registration first = n1.meet(N4, address4);
    knowingN1();
    inbox1.expect("+n4");
    inbox4.expect("+n1");
    Registration second = n1.meet(N4, address4);
    first.close();
    first.close();
    assertTrue(n1.send(N4, "t", text("still there")));
    assertEquals("still there", inbox4.nextText());

    second.close();
    assertFalse(n1.send(N4, "t", text("gone")));
    assertEquals(List.of(), n1.links());
    inbox1.expect("-n4");
    inbox4.expect("-n1");

    n1.meet(N4, address4);
    inbox1.expect("+n4");
    inbox4.expect("+n1");
    assertTrue(n1.send(N4, "t", text("again")));
    assertEquals("again", inbox4.nextText());
  }

  @Test
  void whatWasSentBeforeTheLastRegistrationIsClosedArrives() throws Exception {
    Registration registration = n1.meet(N4, address4);
    knowingN1();
    inbox1.expect("+n4");
    assertTrue(n1.send(N4, "t", text("farewell")));
    registration.close();
    assertEquals("farewell", inbox4.nextText());
  }

  @Test
  void theNewestAddressCounts() throws Exception {
    try (ServerSocket here = listening();
        ServerSocket there = listening()) {
      Registration first = n1.meet(N4, address(here));
      try (RawSocket before = new RawSocket(here.accept())) {
        welcome(before);
        inbox1.expect("+n4");
        Registration second = n1.meet(N4, address(there));
        inbox1.expect("-n4");
        before.expectClosed(0);
        try (RawSocket after = new RawSocket(there.accept())) {
          welcome(after);
          inbox1.expect("+n4");
          // Also when the one who gave it has gone.
          second.close();
          n1.meet(N4, address(there)).close();
          assertTrue(n1.links().get(0).up());
          first.close();
          inbox1.expect("-n4");
          after.expectClosed(0);
        }
      }
    }
  }

  @Test
  void meetingAMemberOrOneselfChangesNothing() throws Exception {
    TcpTransport n4 = knowingN1();
    Registration member = n4.meet(N1, new Address("127.0.0.1", 1));
    n1.meet(N4, address4);
    inbox4.expect("+n1");
    member.close();
    assertTrue(n4.send(N1, "t", text("x")));
    assertEquals("x", inbox1.nextText());

    n4.meet(N4, address1).close();
    assertEquals(1, n4.links().size());
    assertTrue(n4.send(N4, "t", text("to myself")));
    assertEquals("to myself", inbox4.nextText());
  }

  @Test
  void aLinkThatIsHeldOutlivesAnyNumberOfOthers() throws Exception {
    Registration held = n1.meet(N4, address4);
    knowingN1();
    inbox1.expect("+n4");
    comeAndGo();
    assertTrue(n1.send(N4, "t", text("the same link")));
    assertEquals("the same link", inbox4.nextText());
    held.close();
    // Nothing before it: no connection was lost meanwhile.
    inbox1.expect("-n4");
    assertEquals(List.of(), n1.links());
  }

  @Test
  void whoeverComesAndGoesLeavesNothing() throws Exception {
    n1.close();
    // Not patient: a hello of an old link may come after that of the next and take its place.
    n1 = start("n1", "n1=" + address1, TcpSettings.local(null, null), inbox1);
    knowingN1();
    comeAndGo();
    assertEquals(List.of(), n1.links());
    assertFalse(n1.send(N4, "t", text("x")));
    Registration last = n1.meet(N4, address4);
    while (!n1.links().get(0).up()) {
      inbox1.change();
    }
    last.close();
    assertEquals(List.of(), n1.links());
  }

  @Test
  void afterTheEndNobodyIsMet() throws Exception {
    Registration registration = n1.meet(N4, address4);
    n1.close();
    assertEquals("the transport is closed", n1.links().get(0).problem());
    assertThrows(IllegalStateException.class, () -> n1.meet(N4, address4));
    registration.close();
    assertFalse(n1.send(N4, "t", text("x")));
  }

  /** Four threads meet n4 and go, each two hundred times. */
  private void comeAndGo() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        ends.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 200; round++) {
                    n1.meet(N4, address4).close();
                  }
                }));
      }
      for (Future<?> end : ends) {
        end.get(30, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void welcome(RawSocket socket) throws Exception {
    assertEquals(N1, ((Greeting.Hello) socket.greeting()).from());
    socket.send(new Greeting.Welcome("demo", N4, 1, 1, N1).toFrame());
  }

  private static ServerSocket listening() throws Exception {
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static Address address(ServerSocket socket) {
    return new Address("127.0.0.1", socket.getLocalPort());
  }

  private TcpTransport knowingN1() {
    return start("n4", "n1=" + address1 + ",n4=" + address4, inbox4);
  }

  private TcpTransport start(String id, String members, Inbox inbox) {
    return start(id, members, PATIENT, inbox);
  }

  private TcpTransport start(String id, String members, TcpSettings settings, Inbox inbox) {
    TcpTransport transport = new TcpTransport(TestNode.of("demo", id, members), settings);
    open.add(transport);
    transport.listen("t", inbox);
    return transport;
  }

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
