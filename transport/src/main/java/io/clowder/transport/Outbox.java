// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be sent on one connection. Callers put messages in from any thread; the loop packs
 * all that is there into few large buffers and flushes once. While a packet is with the socket, the
 * next messages gather.
 */
@SuppressWarnings("FutureReturnValueIgnored") // How writing went is told by channelInactive.
final class Outbox {
  /** What a waiting message costs besides its payload, about. */
  static final int MESSAGE_BYTES = 96;

  /** A buffer of about this size is filled and given to the socket. */
  static final int PACKET_BYTES = 64 << 10;

  private record Message(String topic, ByteBuffer payload, int cost) {}

  private final LoopThread thread;
  private final Channel channel;
  private final ByteBufAllocator allocator;
  private final int queueBytesMax;
  private final Queue<Message> messages = new ConcurrentLinkedQueue<>();
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicBoolean awake = new AtomicBoolean();
  private final Runnable pump = this::pumpAwake;
  private final MessageEncoder encoder = new MessageEncoder();
  private @Nullable Message current;
  private @Nullable ByteBuf spare;
  private boolean pingDue;
  private boolean closed;

  Outbox(LoopThread thread, Channel channel, ByteBufAllocator allocator, int queueBytesMax) {
    this.thread = thread;
    this.channel = channel;
    this.allocator = allocator;
    this.queueBytesMax = queueBytesMax;
  }

  /** Takes a message, on any thread; false if too much waits already. */
  boolean offer(String topic, ByteBuffer payload) {
    int cost = payload.remaining() + MESSAGE_BYTES;
    if (queuedBytes.addAndGet(cost) > queueBytesMax) {
      queuedBytes.addAndGet(-cost);
      return false;
    }
    messages.add(new Message(topic, payload.duplicate(), cost));
    if (!awake.get() && awake.compareAndSet(false, true)) {
      thread.execute(pump);
    }
    return true;
  }

  /** What waits, in bytes. */
  long queuedBytes() {
    return queuedBytes.get();
  }

  /** Asks the other side for a sign of life, between two messages. */
  void ping() {
    pingDue = true;
    pump();
  }

  /** Moves what waits to the socket, as much as it takes. */
  void pump() {
    if (closed) {
      discard();
      return;
    }
    boolean wrote = false;
    while (channel.isWritable()) {
      ByteBuf packet = spare != null ? spare : allocator.directBuffer(PACKET_BYTES, PACKET_BYTES);
      spare = null;
      ByteBuffer out = packet.internalNioBuffer(0, PACKET_BYTES);
      int start = out.position();
      fill(out);
      packet.setIndex(0, out.position() - start);
      if (!packet.isReadable()) {
        keep(packet);
        break;
      }
      wrote = true;
      channel.write(packet.retain()).addListener(done -> keep(packet));
    }
    if (wrote) {
      channel.flush();
    }
  }

  /** The connection is gone, and with it what waits. */
  void close() {
    closed = true;
    discard();
    if (spare != null) {
      spare.release();
      spare = null;
    }
  }

  private void pumpAwake() {
    // First, so that a message that comes from now on wakes the loop again.
    awake.set(false);
    pump();
  }

  private void fill(ByteBuffer out) {
    while (true) {
      if (pingDue && !encoder.inMessage() && out.remaining() > Frame.HEADER_BYTES) {
        out.put(Frame.of(Frame.PING, new byte[0]));
        pingDue = false;
      }
      if (current == null) {
        current = messages.poll();
      }
      if (current == null || !encoder.put(current.topic, current.payload, out)) {
        return;
      }
      queuedBytes.addAndGet(-current.cost);
      current = null;
    }
  }

  private void keep(ByteBuf packet) {
    if (spare == null && !closed && packet.refCnt() == 1) {
      spare = packet.clear();
    } else {
      packet.release();
    }
  }

  private void discard() {
    for (Message message = messages.poll(); message != null; message = messages.poll()) {
      queuedBytes.addAndGet(-message.cost);
    }
  }
}
