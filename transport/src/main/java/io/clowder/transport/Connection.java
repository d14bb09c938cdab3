// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.nio.ByteBuffer;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection, whoever opened it: frames in, frames out, and the clock that ends it when the
 * greeting takes too long or the other side falls silent.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What went wrong closes the channel.
final class Connection extends ChannelInboundHandlerAdapter implements FrameDecoder.Sink {
  /** The two ways to treat a connection: as the one who dialled, as the one who was reached. */
  interface Side {
    /** Bytes can flow, encrypted if they shall be. */
    void ready(Connection connection);

    /**
     * A frame came in.
     *
     * @throws WireFormatException to have the connection closed with that message
     */
    void frame(Connection connection, int type, ByteBuffer content);

    /** Nothing was heard for a while. */
    void quiet(Connection connection);

    /** More can be written. */
    void writable(Connection connection);

    /** It is over; called once. */
    void closed(Connection connection, String problem);
  }

  private final Channel channel;
  private final String address;
  private final Side side;
  private final TcpSettings settings;
  private final FrameDecoder decoder = new FrameDecoder();
  private long heardNanos = System.nanoTime();
  private String problem = "";
  private boolean closed;
  private boolean over;
  private @Nullable NodeId peer;
  private @Nullable LastHeard peerHeard;
  private @Nullable ScheduledFuture<?> clock;

  Connection(Channel channel, Side side, TcpSettings settings) {
    this.channel = channel;
    // Kept, since a closed channel has forgotten it.
    this.address = String.valueOf(channel.remoteAddress());
    this.side = side;
    this.settings = settings;
  }

  Channel channel() {
    return channel;
  }

  /** Where the other side is. */
  String address() {
    return address;
  }

  /** Who is on the other side, once that is proved. */
  @Nullable NodeId peer() {
    return peer;
  }

  /** The certificate's holder is on the other side of this; null on a plain connection. */
  @Nullable SslHandler tls() {
    return channel.pipeline().get(SslHandler.class);
  }

  /** The greeting is over: messages may come, each byte is a sign of life, silence is watched. */
  void greeted(NodeId who, LastHeard heard) {
    peer = who;
    peerHeard = heard;
    heard.at(heardNanos);
    decoder.allowMessages();
    stopClock();
    long period = settings.pingMillis();
    clock =
        channel
            .eventLoop()
            .scheduleAtFixedRate(this::listenForLife, period, period, TimeUnit.MILLISECONDS);
  }

  /** Sends a small frame, unless so much waits that the other side would not see it anyway. */
  void sendSmall(ByteBuffer frame) {
    if (channel.isWritable()) {
      channel.writeAndFlush(Unpooled.wrappedBuffer(frame));
    }
  }

  /** Sends a last frame and closes. */
  void sendLast(ByteBuffer frame, String why) {
    closing(why);
    channel.writeAndFlush(Unpooled.wrappedBuffer(frame)).addListener(ChannelFutureListener.CLOSE);
  }

  /** Closes; the first reason given is the one that counts. */
  void close(String why) {
    closing(why);
    channel.close();
  }

  private void closing(String why) {
    if (problem.isEmpty()) {
      problem = why;
    }
    closed = true;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    clock =
        channel
            .eventLoop()
            .schedule(
                () -> close("no greeting within " + settings.greetingMillisMax() + " ms"),
                settings.greetingMillisMax(),
                TimeUnit.MILLISECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    // Also reached when the connection could not be made, where nothing was ever active.
    end();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    if (tls() == null) {
      side.ready(this);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent done) {
      if (done.isSuccess()) {
        side.ready(this);
      } else {
        close(Problem.of(done.cause()));
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      if (!closed) {
        heardNanos = System.nanoTime();
        if (peerHeard != null) {
          peerHeard.at(heardNanos);
        }
        decoder.decode(in.nioBuffer(), this);
      }
    } catch (WireFormatException e) {
      close(Problem.of(e));
    } finally {
      in.release();
    }
  }

  @Override
  public boolean frame(int type, ByteBuffer content) {
    side.frame(this, type, content);
    return !closed;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (channel.isWritable()) {
      // What was stuck moves again, so the other side takes it: a sign of life as good as a word.
      heardNanos = System.nanoTime();
      side.writable(this);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    end();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    close(Problem.of(cause));
  }

  private void listenForLife() {
    long silentMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - heardNanos);
    if (silentMillis >= settings.silenceMillisMax()) {
      close("nothing heard for " + silentMillis + " ms");
    } else if (silentMillis >= settings.pingMillis()) {
      side.quiet(this);
    }
  }

  private void end() {
    if (!over) {
      over = true;
      closed = true;
      stopClock();
      side.closed(this, problem.isEmpty() ? "closed by the other side" : problem);
    }
  }

  private void stopClock() {
    if (clock != null) {
      clock.cancel(false);
    }
  }
}
