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

/** Transports of nodes in one process: messages come in order, on a thread of the receiver's. */
final class Exchange implements AutoCloseable {
  private record Listener(NodeId node, String topic) {}

  private final Map<Listener, Transport.Receiver> receivers = new ConcurrentHashMap<>();
  private final Map<NodeId, ExecutorService> threads = new ConcurrentHashMap<>();
  private final Set<NodeId> cut = ConcurrentHashMap.newKeySet();

  /** The transport of a node. */
  Transport of(NodeId node) {
    threads.computeIfAbsent(node, it -> Executors.newSingleThreadExecutor());
    return new End(node);
  }

  /** Nothing reaches a node any more, or leaves it. */
  void cut(NodeId node) {
    cut.add(node);
  }

  void mend(NodeId node) {
    cut.remove(node);
  }

  @Override
  public void close() {
    threads.values().forEach(ExecutorService::shutdownNow);
  }

  private final class End implements Transport {
    private final NodeId self;

    End(NodeId self) {
      this.self = self;
    }

    @Override
    public boolean send(NodeId to, String topic, ByteBuffer payload) {
      ExecutorService thread = threads.get(to);
      if (thread == null || thread.isShutdown() || cut.contains(self) || cut.contains(to)) {
        return false;
      }
      thread.execute(
          () -> {
            Receiver receiver = receivers.get(new Listener(to, topic));
            if (receiver != null) {
              receiver.receive(self, payload);
            }
          });
      return true;
    }

    @Override
    public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
      return send(to, topic, payload);
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
