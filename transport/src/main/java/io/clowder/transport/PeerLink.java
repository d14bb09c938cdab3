// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Link;
import io.clowder.api.wire.WireFormatException;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of the two connections on which this node sends to a peer: dialled, greeted, lost and dialled
 * again until the end. All but {@link #send} and {@link #link} on the loop's thread.
 */
final class PeerLink implements Connection.Side {
  private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);

  private final LocalEnd local;
  private final Lane lane;
  private final NodeId peer;
  private final Address address;
  private final LastHeard heard;
  private final Backoff backoff;
  private volatile @Nullable Outbox outbox;
  private volatile String problem = "not connected yet";
  private @Nullable Connection connection;
  private @Nullable ScheduledFuture<?> retry;
  private long peerRun;
  private boolean dialling;
  private boolean closed;

  PeerLink(LocalEnd local, Lane lane, NodeId peer, Address address, LastHeard heard) {
    this.local = local;
    this.lane = lane;
    this.peer = peer;
    this.address = address;
    this.heard = heard;
    TcpSettings settings = local.settings();
    this.backoff =
        new Backoff(
            settings.reconnectMillisMin(), settings.reconnectMillisMax(), new SecureRandom());
  }

  /** Takes a message, on any thread. */
  boolean send(String topic, ByteBuffer payload) {
    Outbox open = outbox;
    return open != null && open.offer(topic, payload);
  }

  /** The state for people, on any thread. */
  Link link() {
    Outbox open = outbox;
    long silentNanos = heard.silentNanos(System.nanoTime());
    return open == null
        ? new Link(peer, false, 0, problem, silentNanos)
        : new Link(peer, true, open.queuedBytes(), "", silentNanos);
  }

  /** Dials now, unless connected or under way. */
  void dial() {
    if (closed || dialling || connection != null) {
      return;
    }
    if (retry != null) {
      retry.cancel(false);
      retry = null;
    }
    dialling = true;
    Lookup.resolve(address, found -> local.thread().execute(() -> connect(found)));
  }

  /**
   * The peer reached this node, so it is there. If it was started again since this connection was
   * made, the connection is dead, though nobody has said so yet.
   */
  void peerIsThere(long run) {
    Connection open = connection;
    if (outbox != null && open != null && run != peerRun) {
      open.close(peer + " was started again");
    }
    backoff.reset();
    dial();
  }

  /** Sends what can be sent without waiting, and ends; receivers have heard of it by then. */
  void close(String why) {
    closed = true;
    problem = why;
    if (retry != null) {
      retry.cancel(false);
    }
    Connection open = connection;
    if (open != null) {
      if (outbox != null) {
        outbox.pump();
      }
      open.close(why);
      // Not when the socket is gone, which takes TLS a moment: the peer may be met again meanwhile,
      // and what is said of this link must not follow what is said of the next.
      closed(open, why);
    }
  }

  private void connect(InetSocketAddress found) {
    if (closed) {
      return;
    }
    if (found.isUnresolved()) {
      failed("no address found for host '" + address.host() + "'");
    } else if (local.tls() == null && !found.getAddress().isLoopbackAddress()) {
      failed("at " + address + ", which is another machine: that needs tls.certificate and so on");
    } else {
      Bootstrap bootstrap =
          new Bootstrap()
              .group(local.thread().loop())
              .channelFactory(NioSocketChannel::new)
              .disableResolver()
              .option(ChannelOption.TCP_NODELAY, true)
              .option(ChannelOption.WRITE_BUFFER_WATER_MARK, lane.waterMark())
              .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, local.settings().greetingMillisMax())
              .handler(new Dialled());
      bootstrap.connect(found).addListener(done -> connectDone(done.cause()));
    }
  }

  private final class Dialled extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      local.equip(channel, PeerLink.this, true);
      connection = channel.pipeline().get(Connection.class);
      dialling = false;
    }
  }

  private void connectDone(@Nullable Throwable cause) {
    Connection tried = connection;
    if (cause != null && tried != null) {
      tried.close(Problem.of(cause));
    } else if (cause != null) {
      failed(Problem.of(cause));
    }
    if (cause != null && isRefusal(cause) && lane == Lane.MAIN && !closed) {
      local.receivers().refused(peer);
    }
  }

  /**
   * Whether the other machine answered that nobody listens. That an attempt took too long is a
   * {@link ConnectException} too, and so the sentence has to tell; where the C library's are not
   * English, this news does not come.
   */
  private static boolean isRefusal(Throwable cause) {
    String sentence = cause.getMessage();
    return cause instanceof ConnectException
        && sentence != null
        && sentence.startsWith("Connection refused");
  }

  @Override
  public void ready(Connection ready) {
    SslHandler tls = ready.tls();
    if (tls != null && local.tls() != null && !local.tls().isNode(tls, peer)) {
      ready.close("the certificate at " + address + " is not that of " + peer);
      return;
    }
    ready.sendSmall(
        new Greeting.Hello(
                local.node().cluster(),
                local.node().id(),
                local.node().incarnation(),
                local.run(),
                peer,
                lane)
            .toFrame());
  }

  @Override
  public void frame(Connection from, int type, ByteBuffer content) {
    if (from.peer() == null) {
      answered(from, Greeting.read(type, content));
    } else if (type != Frame.PONG) {
      throw new WireFormatException("a frame of type " + type + " where only answers may be");
    }
  }

  private void answered(Connection from, Greeting answer) {
    if (answer instanceof Greeting.Refused refused) {
      from.close("refused: " + refused.reason());
      return;
    }
    if (!(answer instanceof Greeting.Welcome welcome)) {
      throw new WireFormatException("a hello where an answer should be");
    }
    String wrong = Admission.check(local.node(), peer, welcome);
    if (!wrong.isEmpty()) {
      from.close(wrong);
      return;
    }
    from.greeted(peer, heard);
    peerRun = welcome.run();
    backoff.reset();
    outbox = new Outbox(local.thread(), from.channel(), local.allocator(), lane.queueBytesMax());
    if (lane == Lane.MAIN) {
      LOG.info("connected to {} at {}", peer, address);
      local.receivers().connected(peer);
    } else {
      LOG.debug("connected to {} at {} for what is urgent", peer, address);
    }
  }

  @Override
  public void quiet(Connection silent) {
    Outbox open = outbox;
    if (open != null) {
      open.ping();
    }
  }

  @Override
  public void writable(Connection free) {
    Outbox open = outbox;
    if (open != null) {
      open.pump();
    }
  }

  @Override
  public void closed(Connection gone, String why) {
    if (gone != connection) {
      return;
    }
    connection = null;
    Outbox open = outbox;
    failed(why);
    if (open != null) {
      outbox = null;
      open.close();
      if (lane == Lane.MAIN) {
        LOG.info("connection to {} lost: {}", peer, why);
        local.receivers().disconnected(peer);
      } else {
        LOG.debug("urgent connection to {} lost: {}", peer, why);
      }
    }
  }

  private void failed(String why) {
    dialling = false;
    if (closed) {
      return;
    }
    if (outbox == null && !why.equals(problem)) {
      String what = lane == Lane.MAIN ? "connection" : "urgent connection";
      local
          .log()
          .warn("dial " + lane + " " + peer, "no " + what + " to " + peer + ": " + why, null);
    }
    problem = why;
    retry = local.thread().loop().schedule(this::dial, backoff.nextMillis(), TimeUnit.MILLISECONDS);
  }
}
