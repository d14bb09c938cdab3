// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.zip.CRC32C;

/** The transport of one incarnation of a process. */
final class Endpoint implements Transport {
  private static final long PING_NANOS = 1_000_000_000;

  private final SimulatedNetwork network;
  private final NodeId id;
  private final SimulatedProcess process;
  private final Predicate<NodeId> configured;
  private final int incarnation;
  private final Map<String, Receiver> receivers = new TreeMap<>();
  private final TreeSet<NodeId> connected = new TreeSet<>();
  private final Map<NodeId, Met> met = new TreeMap<>();
  private final Map<NodeId, Long> heardNanos = new TreeMap<>();
  private final TreeSet<NodeId> dialling = new TreeSet<>();

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
    return send(to, topic, payload, false);
  }

  @Override
  public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
    if (payload.remaining() > Limits.URGENT_BYTES) {
      throw CoordinationException.refused(
          CoordinationException.Reason.TOO_LARGE,
          "an urgent message of " + payload.remaining() + " bytes");
    }
    return send(to, topic, payload, true);
  }

  private boolean send(NodeId to, String topic, ByteBuffer payload, boolean urgent) {
    if (isGone() || process.isDying() || !knows(to)) {
      return false;
    }
    byte[] bytes = new byte[payload.remaining()];
    // Where it is not taken, it stays as it was.
    payload.duplicate().get(bytes);
    return network.send(this, to, urgent, topic, bytes, checksum(bytes));
  }

  @Override
  public Registration listen(String topic, Receiver receiver) {
    if (receivers.putIfAbsent(topic, receiver) != null) {
      throw new IllegalStateException("somebody listens to " + topic + " already");
    }
    if (wantsRefusals(receiver)) {
      network.dialTheDead(this);
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
                network.wire(id, peer).main.queuedBytes,
                up ? "" : "no connection to " + peer,
                silentNanos(peer)));
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

  /**
   * The pings that a transport sends over a quiet connection are no events here: what they would
   * have shown by now is made up for when somebody asks.
   */
  private long silentNanos(NodeId peer) {
    Long last = heardNanos.get(peer);
    if (last == null) {
      return -1;
    }
    long now = process.clock().nanoTime();
    if (now - last > PING_NANOS && network.answersPings(id, peer)) {
      last = now - PING_NANOS;
      heardNanos.put(peer, last);
    }
    return Math.max(0, now - last);
  }

  SimulatedProcess process() {
    return process;
  }

  boolean isConnected(NodeId peer) {
    return connected.contains(peer);
  }

  /** Whether a receiver does anything when it is told of a refusal. */
  boolean wantsRefusals() {
    return !isGone() && receivers.values().stream().anyMatch(Endpoint::wantsRefusals);
  }

  private static boolean wantsRefusals(Receiver receiver) {
    try {
      var method = receiver.getClass().getMethod("refused", NodeId.class);
      return method.getDeclaringClass() != Receiver.class;
    } catch (NoSuchMethodException e) {
      throw new AssertionError(e);
    }
  }

  /** Those that it dials in vain at present. */
  Set<NodeId> dialling() {
    return dialling;
  }

  void deliver(NodeId from, String topic, byte[] bytes) {
    heardNanos.put(from, process.clock().nanoTime());
    var receiver = receivers.get(topic);
    if (receiver != null) {
      receiver.receive(from, ByteBuffer.wrap(bytes));
    }
  }

  void connected(NodeId peer) {
    connected.add(peer);
    heardNanos.put(peer, process.clock().nanoTime());
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

  void refused(NodeId peer) {
    for (var receiver : List.copyOf(receivers.values())) {
      receiver.refused(peer);
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
