// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections that the others opened, on which this node only listens: lets in who belongs
 * here, tells the rest why not. All on the loop's thread.
 */
@SuppressWarnings("FutureReturnValueIgnored") // How a close went is told by channelInactive.
final class Acceptor implements Connection.Side {
  /** Strangers at the door; when one more comes, the one who stands there longest has to go. */
  static final int STRANGERS_MAX = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);

  private final LocalEnd local;
  private final Peers peers;
  private final LinkedHashSet<Connection> strangers = new LinkedHashSet<>();
  private final Map<NodeId, Map<Lane, Connection>> accepted = new HashMap<>();
  private final Map<NodeId, Greeting.Hello> lastHellos = new HashMap<>();
  private @Nullable Channel server;

  Acceptor(LocalEnd local, Peers peers) {
    this.local = local;
    this.peers = peers;
  }

  /** Starts to listen; the future says whether it worked. */
  ChannelFuture bind(InetSocketAddress address) {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(local.thread().loop())
            .channelFactory(NioServerSocketChannel::new)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(new Accepted())
            .bind(address);
    server = bound.channel();
    return bound;
  }

  /** Closes the port and all connections that came in by it. */
  void close() {
    if (server != null) {
      server.close();
    }
    new ArrayList<>(strangers).forEach(it -> it.close("the transport is closed"));
    List.copyOf(accepted.keySet()).forEach(it -> close(it, "the transport is closed"));
  }

  /** Sends away whom this node does not know any more. */
  void dismissUnknown() {
    for (NodeId peer : List.copyOf(accepted.keySet())) {
      if (!peers.knows(peer)) {
        close(peer, Peers.NOT_MET);
      }
    }
    lastHellos.keySet().removeIf(peer -> !peers.knows(peer));
    peers.forgetUnknown();
  }

  private void close(NodeId peer, String why) {
    List.copyOf(accepted.getOrDefault(peer, Map.of()).values()).forEach(it -> it.close(why));
  }

  private final class Accepted extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      if (strangers.size() >= STRANGERS_MAX) {
        Connection first = strangers.iterator().next();
        strangers.remove(first);
        first.close("too many connections that say nothing");
      }
      local.equip(channel, Acceptor.this, false);
      strangers.add(channel.pipeline().get(Connection.class));
    }
  }

  @Override
  public void ready(Connection connection) {}

  @Override
  public void frame(Connection from, int type, ByteBuffer content) {
    NodeId peer = from.peer();
    if (peer == null) {
      greet(from, type, content);
    } else if (type == Frame.MESSAGE) {
      local.receivers().deliver(peer, content);
    } else if (type == Frame.PING) {
      from.sendSmall(Frame.of(Frame.PONG, new byte[0]));
    } else {
      throw new WireFormatException("a frame of type " + type + " where messages should be");
    }
  }

  private void greet(Connection from, int type, ByteBuffer content) {
    if (type != Frame.HELLO) {
      throw new WireFormatException("a frame of type " + type + " where a hello should be");
    }
    try {
      if (Greeting.read(type, content) instanceof Greeting.Hello hello) {
        String wrong = wrongWith(from, hello);
        if (wrong.isEmpty()) {
          welcome(from, hello);
        } else {
          refuse(from, wrong);
        }
      }
    } catch (WireFormatException e) {
      refuse(from, Problem.of(e));
    }
  }

  private String wrongWith(Connection from, Greeting.Hello hello) {
    String wrong = Admission.check(local.node(), peers::knows, hello);
    SslHandler tls = from.tls();
    if (wrong.isEmpty()
        && local.tls() != null
        && (tls == null || !local.tls().isNode(tls, hello.from()))) {
      wrong =
          "the certificate is not that of "
              + hello.from()
              + ": its subject alternative names lack URI:"
              + TlsIdentity.name(local.node().cluster(), hello.from());
    }
    return wrong;
  }

  private static void refuse(Connection from, String why) {
    from.sendLast(new Greeting.Refused(why).toFrame(), "refused: " + why);
  }

  private void welcome(Connection from, Greeting.Hello hello) {
    NodeId id = hello.from();
    Peer peer = peers.peer(id);
    if (peer == null) {
      // It was known a moment ago.
      refuse(from, Peers.NOT_MET);
      return;
    }
    strangers.remove(from);
    succeed(id, hello);
    Connection before =
        accepted.computeIfAbsent(id, it -> new EnumMap<>(Lane.class)).put(hello.lane(), from);
    if (before != null) {
      // The one before is dead, or else its owner would not have opened another.
      before.close(id + " opened another connection");
    }
    from.greeted(id, peer.heard());
    from.sendSmall(
        new Greeting.Welcome(
                hello.cluster(), local.node().id(), local.node().incarnation(), local.run(), id)
            .toFrame());
    peer.peerIsThere(hello.run());
  }

  /** What came in by this peer's last start is over. */
  private void succeed(NodeId peer, Greeting.Hello hello) {
    Greeting.Hello last = lastHellos.put(peer, hello);
    if (last != null && last.run() != hello.run()) {
      close(peer, peer + " was started again");
    }
    if (last != null && last.incarnation() != hello.incarnation()) {
      local
          .log()
          .warn(
              "incarnation " + peer,
              peer + " came back with another directory: it has forgotten what it knew",
              null);
    }
  }

  @Override
  public void quiet(Connection connection) {
    // The one who dialled asks, and so keeps this side content too.
  }

  @Override
  public void writable(Connection connection) {}

  @Override
  public void closed(Connection gone, String why) {
    NodeId peer = gone.peer();
    if (peer != null) {
      Map<Lane, Connection> lanes = accepted.get(peer);
      if (lanes != null && lanes.values().remove(gone) && lanes.isEmpty()) {
        accepted.remove(peer);
      }
      LOG.debug("connection from {} closed: {}", peer, why);
    } else {
      strangers.remove(gone);
      local
          .log()
          .warn(
              why.startsWith("refused") ? "refused" : "stranger",
              "closed a connection from " + gone.address() + ": " + why,
              null);
    }
  }
}
