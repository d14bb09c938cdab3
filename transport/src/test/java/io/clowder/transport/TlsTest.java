// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static io.clowder.transport.TestCertificates.authority;
import static io.clowder.transport.TestCertificates.certificate;
import static io.clowder.transport.TestCertificates.named;
import static io.clowder.transport.TestCertificates.selfSigned;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import io.clowder.api.transport.Transport.Registration;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final String URI_N1 = "clowder:demo/n1";
  private static final String URI_N2 = "clowder:demo/n2";

  private static X509Bundle authority;
  private static X509Bundle stranger;
  private static X509Bundle n1;
  private static X509Bundle n2;

  private final List<TcpTransport> open = new ArrayList<>();
  private final List<TestNode> nodes = new ArrayList<>();

  @TempDir private Path directory;

  @BeforeAll
  static void issue() throws Exception {
    authority = authority("CN=authority");
    stranger = authority("CN=stranger");
    n1 = certificate(authority, URI_N1);
    n2 = certificate(authority, URI_N2);
  }

  @AfterEach
  void closeAll() {
    open.forEach(TcpTransport::close);
  }

  @Test
  void nodesOfOneAuthorityTalk() throws Exception {
    Inbox inbox = new Inbox();
    Inbox changes = new Inbox();
    nodes.addAll(TestNode.cluster(2));
    start(nodes.get(1), files("n2", n2)).listen("t", inbox);
    start(nodes.get(0), files("n1", n1)).listen("t", changes);
    changes.expect("+n2");
    byte[] large = new byte[3_000_000];
    new Random(1).nextBytes(large);
    for (int i = 0; i < 1_000; i++) {
      assertTrue(
          open.get(1).send(N2, "t", ByteBuffer.wrap(("m" + i).getBytes(StandardCharsets.UTF_8))));
    }
    assertTrue(open.get(1).send(N2, "t", ByteBuffer.wrap(large)));
    for (int i = 0; i < 1_000; i++) {
      assertEquals("m" + i, inbox.nextText());
    }
    assertEquals(ByteBuffer.wrap(large), inbox.next().payload());
    assertTrue(open.get(1).links().get(0).up());
  }

  @Test
  void whatIsUrgentIsAsSafe() throws Exception {
    Inbox inbox = new Inbox();
    Inbox own = new Inbox();
    nodes.addAll(TestNode.cluster(2));
    start(nodes.get(1), files("n2", n2)).listen("t", inbox);
    TcpTransport transport1 = start(nodes.get(0), files("n1", n1));
    transport1.listen("t", own);
    own.expect("+n2");
    while (!transport1.sendUrgent(N2, "t", ByteBuffer.wrap(new byte[] {'u'}))) {
      transport1.send(N1, "t", ByteBuffer.allocate(0));
      own.next();
    }
    assertEquals("u", inbox.nextText());
    assertTrue(transport1.send(N2, "t", ByteBuffer.wrap(new byte[] {'m'})));
    assertEquals("m", inbox.nextText());
    for (X509Bundle wrong : List.of(certificate(authority, "clowder:demo/n3"), n1)) {
      try (RawSocket socket = dial(context(wrong, authority), nodes.get(0).address())) {
        socket.send(new Greeting.Hello("demo", N2, 1, 2, N1, Lane.URGENT).toFrame());
        assertTrue(socket.greeting() instanceof Greeting.Refused);
      }
    }
  }

  @Test
  void whoHasNoCertificateIsNotHeard() throws Exception {
    Address to = startN1();
    assertCutOff(context(null, authority), to);
  }

  @Test
  void anotherAuthoritysCertificateIsNotHeard() throws Exception {
    Address to = startN1();
    assertCutOff(context(certificate(stranger, URI_N2), authority), to);
    assertCutOff(context(selfSigned(URI_N2), authority), to);
  }

  @Test
  void anExpiredCertificateIsNotHeard() throws Exception {
    Instant now = Instant.now();
    X509Bundle expired =
        named(URI_N2)
            .notBefore(now.minus(Duration.ofDays(9)))
            .notAfter(now.minus(Duration.ofDays(1)))
            .buildIssuedBy(authority);
    assertCutOff(context(expired, authority), startN1());
  }

  @Test
  void aCertificateThatIsNotTheClaimedNodesIsRefused() throws Exception {
    Address to = startN1();
    List<X509Bundle> wrong =
        List.of(
            certificate(authority, "clowder:demo/n3"),
            certificate(authority, "clowder:prod/n2"),
            certificate(authority, "https://n2.example"),
            new CertificateBuilder().subject("CN=n2").addSanDnsName("n2").buildIssuedBy(authority));
    for (X509Bundle certificate : wrong) {
      try (RawSocket socket = dial(context(certificate, authority), to)) {
        socket.send(helloN2().toFrame());
        Greeting.Refused refused = (Greeting.Refused) socket.greeting();
        assertTrue(refused.reason().contains("not that of n2"), refused.reason());
        socket.expectClosed(0);
      }
    }
  }

  @Test
  void theRightCertificateIsWelcome() throws Exception {
    Address to = startN1();
    try (RawSocket socket = dial(context(n2, authority), to)) {
      socket.send(helloN2().toFrame());
      assertEquals(N1, ((Greeting.Welcome) socket.greeting()).from());
    }
  }

  @Test
  void plainBytesAreNotParsed() throws Exception {
    Address to = startN1();
    try (RawSocket socket = new RawSocket(to)) {
      socket.send(helloN2().toFrame());
      // An alert of TLS is all that may come.
      socket.expectClosed(7);
    }
  }

  @Test
  void whoeverAnswersMustShowTheCertificateOfThePeer() throws Exception {
    assertNotDialled(certificate(authority, "clowder:demo/n3"), "is not that of n2");
    assertNotDialled(certificate(stranger, URI_N2), "unable to find valid certification path");
  }

  @Test
  void aNodeThatIsMetMustShowItsCertificateBothWays() throws Exception {
    NodeId n4 = new NodeId("n4");
    List<Integer> ports = TestNode.freePorts(2);
    TestNode node1 = TestNode.of("demo", "n1", "n1=127.0.0.1:" + ports.get(0));
    TestNode node4 = TestNode.of("demo", "n4", "n4=127.0.0.1:" + ports.get(1));
    Inbox inbox1 = new Inbox();
    TcpTransport transport1 = start(node1, files("n1", n1));
    transport1.listen("t", inbox1);
    transport1.meet(n4, node4.address());

    // The authority is the right one, but n2 is not n4.
    try (RawSocket socket = dial(context(n2, authority), node1.address())) {
      socket.send(new Greeting.Hello("demo", n4, 1, 2, N1, Lane.MAIN).toFrame());
      Greeting.Refused refused = (Greeting.Refused) socket.greeting();
      assertTrue(refused.reason().contains("not that of n4"), refused.reason());
    }
    try (SSLServerSocket server =
        (SSLServerSocket)
            context(n2, authority)
                .getServerSocketFactory()
                .createServerSocket(ports.get(1), 50, loopback())) {
      server.setSoTimeout(20_000);
      try (Socket first = server.accept()) {
        first.setSoTimeout(20_000);
        assertEquals(-1, readQuietly(first));
      }
      try (Socket second = server.accept()) {
        // The second attempt says that the first has ended.
        assertTrue(second.isConnected());
        String problem = transport1.links().get(0).problem();
        assertEquals("the certificate at " + node4.address() + " is not that of n4", problem);
      }
    }
    Inbox inbox4 = new Inbox();
    TcpTransport transport4 = start(node4, files("n4", certificate(authority, "clowder:demo/n4")));
    transport4.listen("t", inbox4);
    transport4.meet(N1, node1.address());
    inbox1.expect("+n4");
    inbox4.expect("+n1");
    assertTrue(transport1.send(n4, "t", ByteBuffer.wrap(new byte[] {'x'})));
    assertEquals("x", inbox4.nextText());
  }

  /** TLS wants to say goodbye, which a peer that does not read holds up. */
  @Test
  void theEndOfALinkIsToldBeforeTheNextOneBegins() throws Exception {
    TestNode node1 = TestNode.of("demo", "n1", "n1=127.0.0.1:" + TestNode.freePorts(1).get(0));
    try (ServerSocket server =
        context(n2, authority).getServerSocketFactory().createServerSocket(0, 50, loopback())) {
      server.setSoTimeout(20_000);
      Address address = new Address("127.0.0.1", server.getLocalPort());
      TcpTransport transport = start(node1, files("n1", n1));
      Inbox inbox = new Inbox();
      transport.listen("t", inbox);
      Registration registration = transport.meet(N2, address);
      try (RawSocket stuck = new RawSocket(server.accept())) {
        welcome(stuck);
        inbox.expect("+n2");
        // Until the kernel takes nothing more either: each round gives the loop its turn.
        for (int full = 0; full < 10; full++) {
          while (transport.send(N2, "t", ByteBuffer.allocate(64 << 10))) {
            full = 0;
          }
          transport.send(N1, "t", ByteBuffer.allocate(0));
          inbox.next();
        }
        registration.close();
        transport.meet(N2, address);
        try (RawSocket next = new RawSocket(server.accept())) {
          welcome(next);
          inbox.expect("-n2");
          inbox.expect("+n2");
          assertTrue(transport.send(N2, "t", ByteBuffer.allocate(1)));
        }
      }
    }
  }

  private static void welcome(RawSocket socket) throws IOException {
    assertEquals(N1, ((Greeting.Hello) socket.greeting()).from());
    socket.send(new Greeting.Welcome("demo", N2, 1, 1, N1).toFrame());
  }

  @Test
  void filesThatAreWrongAreNamed() throws Exception {
    nodes.addAll(TestNode.cluster(1));
    TlsFiles good = files("good", n1);
    TlsFiles other = files("other", n2);
    assertRefused(other, "tls.certificate " + other.certificate() + ": not this node's");
    assertRefused(
        new TlsFiles(good.certificate(), other.key(), good.trust()),
        "tls.key " + other.key() + ": does not belong to the certificate");
    Files.writeString(other.key(), "-----BEGIN ENCRYPTED PRIVATE KEY-----");
    assertRefused(
        new TlsFiles(good.certificate(), other.key(), good.trust()),
        "tls.key " + other.key() + ": not an unencrypted PKCS #8 key");
    assertRefused(
        new TlsFiles(good.certificate(), good.key(), directory.resolve("none")),
        "tls.trust " + directory.resolve("none") + ": no such file");
    assertRefused(
        new TlsFiles(good.key(), good.key(), good.trust()),
        "tls.certificate " + good.key() + ": no PEM certificates");
    Files.setPosixFilePermissions(good.key(), PosixFilePermissions.fromString("rw-r-----"));
    assertRefused(good, "tls.key " + good.key() + ": others may read it; chmod 600");
  }

  private void assertRefused(TlsFiles files, String why) {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> new TcpTransport(nodes.get(0), TcpSettings.local(null, files)));
    assertTrue(refused.getMessage().startsWith(why), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count());
  }

  /** In TLS 1.3 a client learns that it was turned away when it first reads. */
  private static void assertCutOff(SSLContext context, Address to) throws Exception {
    try (RawSocket socket = dial(context, to)) {
      assertThrows(
          IOException.class,
          () -> {
            socket.send(helloN2().toFrame());
            socket.greeting();
          });
    } catch (SSLException | SocketException | EOFException e) {
      assertFalse(String.valueOf(e.getMessage()).contains("timed out"), e.toString());
    }
  }

  private void assertNotDialled(X509Bundle shown, String problem) throws Exception {
    SSLContext context = context(shown, authority);
    try (SSLServerSocket server =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 50, loopback())) {
      server.setSoTimeout(20_000);
      String members = "n1=127.0.0.1:" + TestNode.freePorts(1).get(0);
      TestNode node = TestNode.of("demo", "n1", members + ",n2=127.0.0.1:" + server.getLocalPort());
      TcpTransport dialling = start(node, files("dialling", n1));
      try (Socket first = server.accept()) {
        first.setSoTimeout(20_000);
        assertEquals(-1, readQuietly(first));
      }
      try (Socket second = server.accept()) {
        Transport.Link link = dialling.links().get(0);
        assertFalse(link.up());
        assertTrue(link.problem().contains(problem), link.toString());
        assertTrue(second.isConnected());
      }
    }
  }

  private static int readQuietly(Socket socket) {
    try {
      return socket.getInputStream().read();
    } catch (IOException e) {
      return -1;
    }
  }

  private Address startN1() throws Exception {
    List<Integer> ports = TestNode.freePorts(2);
    TestNode node =
        TestNode.of("demo", "n1", "n1=127.0.0.1:" + ports.get(0) + ",n2=127.0.0.1:" + ports.get(1));
    start(node, files("n1", n1));
    return node.address();
  }

  private TcpTransport start(TestNode node, TlsFiles files) {
    TcpTransport transport = new TcpTransport(node, TcpSettings.local(null, files));
    open.add(transport);
    return transport;
  }

  private TlsFiles files(String name, X509Bundle bundle) throws IOException {
    return TestCertificates.files(directory, name, bundle, authority);
  }

  private static Greeting.Hello helloN2() {
    return new Greeting.Hello("demo", N2, 1, 2, N1, Lane.MAIN);
  }

  private static RawSocket dial(SSLContext context, Address to) throws IOException {
    return new RawSocket(context.getSocketFactory().createSocket(to.host(), to.port()));
  }

  private static InetAddress loopback() {
    return InetAddress.getLoopbackAddress();
  }

  private static SSLContext context(@Nullable X509Bundle own, X509Bundle trusted) throws Exception {
    KeyManager[] keys = own == null ? null : own.toKeyManagerFactory().getKeyManagers();
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, new TrustManager[] {trusted.toTrustManager()}, null);
    return context;
  }
}
