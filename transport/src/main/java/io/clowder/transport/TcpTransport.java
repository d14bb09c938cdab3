// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages between the nodes over TCP, with TLS if configured. It listens and dials from its
 * construction to its {@link #close()}.
 */
@Component(
    service = Transport.class,
    configurationPid = "io.clowder.transport",
    configurationPolicy = ConfigurationPolicy.OPTIONAL,
    // Connections are made before the first user comes, and stay when the last one goes.
    immediate = true)
@Designate(ocd = TcpTransport.Config.class)
public final class TcpTransport implements Transport, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpTransport.class);
  private static final int START_SECONDS_MAX = 10;

  /** The configuration of {@code io.clowder.transport}. */
  @ObjectClassDefinition(
      name = "Clowder transport",
      description = "Connections to the other nodes of the cluster.")
  public @interface Config {
    /** Where to listen. */
    @AttributeDefinition(
        description =
            "HOST:PORT to listen on; empty: this node's own address among the members. Any"
                + " address but a loopback one needs the three TLS files.")
    String listen() default "";

    /** The certificate. */
    @AttributeDefinition(
        description =
            "PEM file of this node's certificate and its intermediates; the subject alternative"
                + " names hold URI:clowder:CLUSTER/NODE. Set all three TLS files or none.")
    String tls_certificate() default "";

    /** The private key. */
    @AttributeDefinition(
        description = "PEM file of the private key, PKCS #8 and unencrypted, with mode 0600.")
    String tls_key() default "";

    /** The trusted authorities. */
    @AttributeDefinition(
        description = "PEM file of the authorities whose certificates make a node of this cluster.")
    String tls_trust() default "";

    /** Longest wait before a lost peer is dialled again. */
    @AttributeDefinition(
        min = "20",
        max = "60000",
        description = "Milliseconds to wait at most before a lost peer is dialled again.")
    int reconnect_millis_max() default 1_000;

    /** Silence after which a connection is given up. */
    @AttributeDefinition(
        min = "2000",
        max = "600000",
        description =
            "Milliseconds without a sign of life after which a connection is given up; a peer is"
                + " asked for one each second.")
    int silence_millis_max() default 10_000;
  }

  private final NodeId self;
  private final LoopThread thread;
  private final ReadBuffer readBuffer;
  private final Receivers receivers;
  private final SelfQueue selfQueue;
  private final Peers peers;
  private final Acceptor acceptor;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** For Declarative Services; see {@link #TcpTransport(Node, TcpSettings)}. */
  @Activate
  public TcpTransport(@Reference Node node, Config config) {
    this(node, settings(config));
  }

  /**
   * Listens and begins to dial the other members.
   *
   * @throws IllegalArgumentException if the settings make no sense or are not safe; the message
   *     names the key and what to do
   * @throws CoordinationException if the address can't be listened on
   */
  public TcpTransport(Node node, TcpSettings settings) {
    if (node.cluster().getBytes(StandardCharsets.UTF_8).length > Greeting.CLUSTER_BYTES_MAX) {
      throw new IllegalArgumentException(
          "the cluster's name is longer than " + Greeting.CLUSTER_BYTES_MAX + " bytes");
    }
    self = node.id();
    Address address = address(node, settings);
    InetSocketAddress socket = safe(address, settings.tls() != null);
    TlsIdentity tls = settings.tls() == null ? null : TlsIdentity.load(node, settings.tls());
    QuietLog quietLog = new QuietLog(LOG, System::nanoTime);
    // Unpooled: the few large buffers are kept and given back by hand, so that nothing native
    // outlives the bundle.
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    thread = new LoopThread("clowder-transport-" + self);
    readBuffer = new ReadBuffer(allocator);
    receivers = new Receivers(thread, quietLog);
    selfQueue = new SelfQueue(self, thread, receivers);
    LocalEnd local =
        new LocalEnd(
            node,
            new SecureRandom().nextLong(),
            settings,
            tls,
            thread,
            allocator,
            readBuffer,
            receivers,
            quietLog);
    peers = new Peers(local);
    acceptor = new Acceptor(local, peers);
    start(address, socket);
    LOG.info("{} listens on {}{}", self, address, tls == null ? "" : " with TLS");
  }

  @Override
  public boolean send(NodeId to, String topic, ByteBuffer payload) {
    checkTopic(topic);
    checkSize(payload, "a message", Limits.FRAME_BYTES);
    Peer peer = peers.peer(to);
    return peer == null ? sendToSelf(to, topic, payload) : peer.send(topic, payload);
  }

  @Override
  public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
    checkTopic(topic);
    checkSize(payload, "an urgent message", Limits.URGENT_BYTES);
    Peer peer = peers.peer(to);
    return peer == null ? sendToSelf(to, topic, payload) : peer.sendUrgent(topic, payload);
  }

  private boolean sendToSelf(NodeId to, String topic, ByteBuffer payload) {
    return to.equals(self) && !closed.get() && selfQueue.offer(topic, payload);
  }

  @Override
  public Registration listen(String topic, Receiver receiver) {
    checkTopic(topic);
    if (closed.get()) {
      throw new IllegalStateException("the transport is closed");
    }
    return receivers.listen(topic, receiver);
  }

  @Override
  public Registration meet(NodeId id, Address address) {
    Registration acquaintance = peers.meet(id, address);
    return () -> {
      acquaintance.close();
      thread.execute(acceptor::dismissUnknown);
    };
  }

  @Override
  public List<Link> links() {
    return peers.all().stream().map(Peer::link).toList();
  }

  /** Sends what can be sent without waiting, closes everything and waits for the thread's end. */
  @Deactivate
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    peers.close();
    thread.executeAndWait(
        () -> {
          acceptor.close();
          peers.all().forEach(peer -> peer.close("the transport is closed"));
        },
        START_SECONDS_MAX);
    thread.stop();
    readBuffer.free();
  }

  private void start(Address address, InetSocketAddress socket) {
    CompletableFuture<Void> started = new CompletableFuture<>();
    thread.execute(
        () ->
            acceptor
                .bind(socket)
                .addListener(
                    done -> {
                      if (done.isSuccess()) {
                        peers.all().forEach(Peer::dial);
                        started.complete(null);
                      } else {
                        started.completeExceptionally(done.cause());
                      }
                    }));
    String problem;
    try {
      started.get(START_SECONDS_MAX, TimeUnit.SECONDS);
      return;
    } catch (ExecutionException e) {
      problem = Problem.of(e.getCause());
    } catch (TimeoutException e) {
      problem = "it takes longer than " + START_SECONDS_MAX + " s";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      problem = "interrupted";
    }
    close();
    throw CoordinationException.refused(
        Reason.UNAVAILABLE,
        "listen " + address + ": " + problem + "; stop who uses it or choose another address");
  }

  private static Address address(Node node, TcpSettings settings) {
    Address address = settings.listen() != null ? settings.listen() : node.members().get(node.id());
    if (address == null) {
      throw new IllegalArgumentException("node " + node.id() + " is not among its members");
    }
    return address;
  }

  private static InetSocketAddress safe(Address address, boolean tls) {
    InetSocketAddress socket = Lookup.now(address);
    if (socket.isUnresolved()) {
      throw new IllegalArgumentException(
          "listen " + address + ": host '" + address.host() + "' is unknown; use an address");
    }
    if (!tls && !socket.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "listen "
              + address
              + ": other machines could connect; set tls.certificate, tls.key and tls.trust, or"
              + " listen on 127.0.0.1");
    }
    return socket;
  }

  static TcpSettings settings(Config config) {
    Address listen = null;
    if (!config.listen().isBlank()) {
      try {
        listen = Address.parse(config.listen().strip());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("listen: " + e.getMessage(), e);
      }
    }
    List<String> files =
        List.of(
            config.tls_certificate().strip(), config.tls_key().strip(), config.tls_trust().strip());
    long given = files.stream().filter(it -> !it.isEmpty()).count();
    if (given != 0 && given != 3) {
      throw new IllegalArgumentException(
          "tls.certificate, tls.key and tls.trust: set all three, or none");
    }
    TlsFiles tls =
        given == 0
            ? null
            : new TlsFiles(Path.of(files.get(0)), Path.of(files.get(1)), Path.of(files.get(2)));
    TcpSettings usual = TcpSettings.local(listen, tls);
    return new TcpSettings(
        listen,
        tls,
        usual.reconnectMillisMin(),
        config.reconnect_millis_max(),
        usual.greetingMillisMax(),
        usual.pingMillis(),
        config.silence_millis_max());
  }

  private static void checkSize(ByteBuffer payload, String what, int bytesMax) {
    if (payload.remaining() > bytesMax) {
      throw CoordinationException.refused(
          Reason.TOO_LARGE, what + " of " + payload.remaining() + " bytes: at most " + bytesMax);
    }
  }

  private static void checkTopic(String topic) {
    int length = topic.length();
    boolean fine = length >= 1 && length <= Frame.TOPIC_BYTES_MAX;
    for (int i = 0; fine && i < length; i++) {
      fine = topic.charAt(i) > ' ' && topic.charAt(i) < 0x7F;
    }
    if (!fine) {
      throw new IllegalArgumentException(
          "topic '" + topic + "': use 1 to " + Frame.TOPIC_BYTES_MAX + " characters of ASCII");
    }
  }
}
