// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Transports of nodes in one process: messages come on a thread of the receiver's, in order; those
 * that are urgent on another one, so that they overtake the others.
 */
final class Exchange implements AutoCloseable {
  private record Listener(NodeId node, String topic) {}

  private final Map<Listener, Transport.Receiver> receivers = new ConcurrentHashMap<>();
  private final Map<NodeId, ExecutorService> threads = new ConcurrentHashMap<>();
  private final Map<NodeId, ExecutorService> urgentThreads = new ConcurrentHashMap<>();
  private final Set<NodeId> cut = ConcurrentHashMap.newKeySet();

  /** The transport of a node. */
  Transport of(NodeId node) {
    threads.computeIfAbsent(node, it -> Executors.newSingleThreadExecutor());
    urgentThreads.computeIfAbsent(node, it -> Executors.newSingleThreadExecutor());
    return new End(node);
  }

  /** Nothing reaches a node any more, or leaves it. */
  void cut(NodeId node) {
    cut.add(node);
  }

  @Override
  public void close() {
    threads.values().forEach(ExecutorService::shutdownNow);
    urgentThreads.values().forEach(ExecutorService::shutdownNow);
  }

  private final class End implements Transport {
    private final NodeId self;

    End(NodeId self) {
      this.self = self;
    }

    @Override
    public boolean send(NodeId to, String topic, ByteBuffer payload) {
      return send(threads.get(to), to, topic, payload);
    }

    @Override
    public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
      return send(urgentThreads.get(to), to, topic, payload);
    }

    private boolean send(
        @Nullable ExecutorService thread, NodeId to, String topic, ByteBuffer payload) {
      if (thread == null || cut.contains(self) || cut.contains(to)) {
        return false;
      }
      try {
        thread.execute(
            () -> {
              Receiver receiver = receivers.get(new Listener(to, topic));
              if (receiver != null) {
                receiver.receive(self, payload);
              }
            });
        return true;
      } catch (RejectedExecutionException e) {
        return false;
      }
    }

    @Override
    public Registration listen(String topic, Receiver receiver) {
      Listener key = new Listener(self, topic);
      if (receivers.putIfAbsent(key, receiver) != null) {
        throw new IllegalStateException("somebody listens to " + topic + " already");
      }
      return () -> receivers.remove(key, receiver);
    }

    @Override
    public Registration meet(NodeId id, Address address) {
      return () -> {};
    }

    @Override
    public List<Link> links() {
      return List.of();
    }
  }
}
