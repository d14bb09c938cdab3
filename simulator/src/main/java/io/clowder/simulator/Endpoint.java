// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.zip.CRC32C;

/** The transport of one incarnation of a process. */
final class Endpoint implements Transport {
  private final SimulatedNetwork network;
  private final NodeId id;
  private final SimulatedProcess process;
  private final Predicate<NodeId> configured;
  private final int incarnation;
  private final Map<String, Receiver> receivers = new TreeMap<>();
  private final TreeSet<NodeId> connected = new TreeSet<>();
  private final Map<NodeId, Met> met = new TreeMap<>();

  /** A node that is not configured. */
  private static final class Met {
    private Address address;
    private int registrations;

    Met(Address address) {
      this.address = address;
    }
  }

  Endpoint(
      SimulatedNetwork network, NodeId id, SimulatedProcess process, Predicate<NodeId> configured) {
    this.network = network;
    this.id = id;
    this.process = process;
    this.configured = configured;
    this.incarnation = process.incarnation();
  }

  NodeId id() {
    return id;
  }

  /** Whether there may be a connection with {@code peer}, for all that this side says. */
  boolean knows(NodeId peer) {
    return peer.equals(id) || configured.test(peer) || met.containsKey(peer);
  }

  @Override
  public boolean send(NodeId to, String topic, ByteBuffer payload) {
    if (payload.remaining() > Limits.FRAME_BYTES) {
      throw new IllegalArgumentException("a message of " + payload.remaining() + " bytes");
    }
    if (isGone() || process.isDying() || !knows(to)) {
      return false;
    }
    byte[] bytes = new byte[payload.remaining()];
    payload.get(bytes);
    return network.send(this, to, topic, bytes, checksum(bytes));
  }

  @Override
  public Registration listen(String topic, Receiver receiver) {
    if (receivers.putIfAbsent(topic, receiver) != null) {
      throw new IllegalStateException("somebody listens to " + topic + " already");
    }
    for (var peer : List.copyOf(connected)) {
      soon(
          0,
          "connected",
          () -> {
            if (receivers.get(topic) == receiver && connected.contains(peer)) {
              receiver.connected(peer);
            }
          });
    }
    return () -> receivers.remove(topic, receiver);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The address says nothing to this network, which knows where every computer is; only that it
   * is another than before.
   */
  @Override
  public Registration meet(NodeId peer, Address address) {
    if (isGone() || peer.equals(id) || configured.test(peer)) {
      return () -> {};
    }
    var known = met.get(peer);
    if (known == null) {
      known = new Met(address);
      met.put(peer, known);
      network.reconnect(id, peer);
    } else if (!known.address.equals(address)) {
      known.address = address;
      network.reset(id, peer);
    }
    known.registrations++;
    var open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false) && !isGone()) {
        leave(peer);
      }
    };
  }

  private void leave(NodeId peer) {
    var known = met.get(peer);
    if (known != null && --known.registrations == 0) {
      met.remove(peer);
      network.part(id, peer);
    }
  }

  @Override
  public List<Link> links() {
    var known = new TreeSet<>(network.nodes());
    known.addAll(met.keySet());
    List<Link> links = new ArrayList<>();
    for (var peer : known) {
      if (!peer.equals(id) && knows(peer)) {
        boolean up = connected.contains(peer);
        links.add(
            new Link(
                peer,
                up,
                network.wire(id, peer).queuedBytes,
                up ? "" : "no connection to " + peer));
      }
    }
    return links;
  }

  /** Has {@code action} happen in this incarnation, if it still lives. */
  void soon(long delayNanos, String label, Runnable action) {
    if (!isGone()) {
      process.after(delayNanos, label, action);
    }
  }

  void deliver(NodeId from, String topic, byte[] bytes) {
    var receiver = receivers.get(topic);
    if (receiver != null) {
      receiver.receive(from, ByteBuffer.wrap(bytes));
    }
  }

  void connected(NodeId peer) {
    connected.add(peer);
    for (var receiver : List.copyOf(receivers.values())) {
      receiver.connected(peer);
    }
  }

  void disconnected(NodeId peer) {
    if (connected.remove(peer)) {
      for (var receiver : List.copyOf(receivers.values())) {
        receiver.disconnected(peer);
      }
    }
  }

  private boolean isGone() {
    return process.incarnation() != incarnation;
  }

  private static int checksum(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
