// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What this node sends to itself: delivered on the loop's thread like everything else, never inside
 * the sender's call, and bounded like a peer's queue.
 */
final class SelfQueue {
  /** Messages delivered before the network has its turn again. */
  private static final int TURN = 256;

  private record Message(String topic, ByteBuffer payload, int cost) {}

  private final NodeId self;
  private final LoopThread thread;
  private final Receivers receivers;
  private final Queue<Message> messages = new ConcurrentLinkedQueue<>();
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicBoolean awake = new AtomicBoolean();
  private final Runnable turn = this::turn;

  SelfQueue(NodeId self, LoopThread thread, Receivers receivers) {
    this.self = self;
    this.thread = thread;
    this.receivers = receivers;
  }

  /** Takes a message, on any thread; false if too much waits already. */
  boolean offer(String topic, ByteBuffer payload) {
    int cost = payload.remaining() + Outbox.MESSAGE_BYTES;
    if (queuedBytes.addAndGet(cost) > Limits.PEER_QUEUE_BYTES) {
      queuedBytes.addAndGet(-cost);
      return false;
    }
    messages.add(new Message(topic, heap(payload), cost));
    wake();
    return true;
  }

  private void wake() {
    if (!awake.get() && awake.compareAndSet(false, true)) {
      thread.execute(turn);
    }
  }

  private void turn() {
    awake.set(false);
    for (int i = 0; i < TURN; i++) {
      Message message = messages.poll();
      if (message == null) {
        return;
      }
      queuedBytes.addAndGet(-message.cost);
      receivers.deliver(self, message.topic, message.payload);
    }
    wake();
  }

  /** Receivers are promised a heap buffer that they may write to. */
  private static ByteBuffer heap(ByteBuffer payload) {
    return payload.hasArray()
        ? payload.slice()
        : ByteBuffer.allocate(payload.remaining()).put(payload.duplicate()).flip();
  }
}
