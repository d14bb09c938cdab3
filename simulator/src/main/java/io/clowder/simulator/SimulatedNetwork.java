// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Connections between the computers of one cluster. Messages of one connection arrive in order, or
 * are lost with it, as long as the {@link Weather} does no worse. A direction can be blocked: what
 * is sent into it vanishes or waits, and after a while both sides notice that the connection is
 * gone. Two computers connect only if each has the other among its configured members, or met it.
 *
 * <p>What is urgent has an order and draws of its own, so that nothing else changes by it.
 * Otherwise it shares the fate of the rest: the two connections of a real transport come and go as
 * one.
 */
public final class SimulatedNetwork {
  private static final long MILLIS = 1_000_000;

  private final World world;
  private final RandomGenerator random;
  private final RandomGenerator urgentRandom;
  private final Refusals refusals;
  private final TreeSet<NodeId> attached = new TreeSet<>();
  private final SortedMap<NodeId, Endpoint> endpoints = new TreeMap<>();
  private final SortedMap<NodeId, SortedMap<NodeId, Wire>> wires = new TreeMap<>();
  private Weather weather = Weather.fair();

  /** A network without computers, in fair weather. */
  public SimulatedNetwork(World world) {
    this.world = world;
    this.random = world.random("network");
    this.urgentRandom = world.random("urgent");
    this.refusals = new Refusals(this, world.random("refusals"));
  }

  /** Changes what happens to messages sent from now on. */
  public void setWeather(Weather weather) {
    this.weather = weather;
  }

  /**
   * The transport of the present incarnation of a process; it connects to the others by and by. To
   * be called once in each incarnation. All computers are members for it.
   */
  public Transport attach(NodeId id, SimulatedProcess process) {
    return attach(id, process, peer -> true);
  }

  /**
   * As {@link #attach(NodeId, SimulatedProcess)}, with configured members: to do with others it has
   * to {@link Transport#meet} them.
   */
  public Transport attach(NodeId id, SimulatedProcess process, Set<NodeId> members) {
    return attach(id, process, Set.copyOf(members)::contains);
  }

  private Transport attach(NodeId id, SimulatedProcess process, Predicate<NodeId> configured) {
    var old = endpoints.get(id);
    if (old != null) {
      detach(id);
    }
    var endpoint = new Endpoint(this, id, process, configured);
    endpoints.put(id, endpoint);
    attached.add(id);
    refusals.light(id);
    wire(id, id).clear();
    for (var other : List.copyOf(endpoints.keySet())) {
      wire(id, other);
      wire(other, id);
      if (!other.equals(id)) {
        reconnect(id, other);
      }
    }
    return endpoint;
  }

  /**
   * The process of {@code id} died: what it had sent may still arrive, up to some message. Its
   * peers notice at once, or later, as after a power failure.
   */
  public void detach(NodeId id) {
    var endpoint = endpoints.remove(id);
    if (endpoint == null) {
      return;
    }
    for (var other : List.copyOf(endpoints.keySet())) {
      long noticed = random.nextBoolean() ? drawDelay() : random.nextLong(2_000) * MILLIS;
      disconnect(id, other, noticed);
      refusals.dial(endpoints.get(other), id);
    }
  }

  /**
   * The computer of {@code id} is off: nobody answers there until its process is attached again.
   */
  void cutPower(NodeId id) {
    refusals.darken(id);
  }

  /** Breaks the connection of two nodes; they connect again by and by, if nothing is blocked. */
  public void reset(NodeId one, NodeId other) {
    disconnect(one, other, drawDelay());
    reconnect(one, other);
  }

  /**
   * Lets nothing more through from {@code source} to {@code target}. Drawn: whether what is sent
   * meanwhile arrives late or never, and when, if ever, the connection is given up.
   */
  public void block(NodeId source, NodeId target) {
    var wire = wire(source, target);
    if (wire.blocked) {
      return;
    }
    wire.blocked = true;
    wire.keeps = random.nextBoolean();
    int blockade = ++wire.blockades;
    if (random.nextInt(3) > 0) {
      world.after(
          random.nextLong(50, 3_000) * MILLIS,
          "connection given up",
          () -> {
            if (wire.blocked && wire.blockades == blockade) {
              disconnect(source, target, 0);
            }
          });
    }
  }

  /** Ends all blockades. */
  public void unblockAll() {
    for (var from : wires.values()) {
      for (var wire : from.values()) {
        unblock(wire);
      }
    }
  }

  /** Whether messages from {@code source} to {@code target} get through. */
  public boolean isOpen(NodeId source, NodeId target) {
    return !wire(source, target).blocked;
  }

  /** All nodes that were ever attached, in order. */
  public List<NodeId> nodes() {
    return List.copyOf(attached);
  }

  boolean send(
      Endpoint source, NodeId to, boolean urgent, String topic, byte[] bytes, int checksum) {
    var wire = wire(source.id(), to);
    var lane = urgent ? wire.urgent : wire.main;
    if ((!to.equals(source.id()) && !wire.up)
        || lane.queuedBytes + bytes.length > lane.queueBytesMax) {
      return false;
    }
    var parcel = new Parcel(wire, lane, wire.connection, topic, bytes, checksum);
    lane.queuedBytes += bytes.length;
    if (to.equals(source.id())) {
      fly(parcel, source, 1_000, true);
    } else if (wire.blocked) {
      if (wire.keeps) {
        wire.stalled.add(parcel);
      } else {
        lane.queuedBytes -= bytes.length;
      }
    } else {
      depart(parcel);
    }
    return true;
  }

  private void depart(Parcel parcel) {
    var target = endpoints.get(parcel.wire.target);
    var lane = parcel.lane;
    if (target == null || lane.random.nextDouble() < weather.lost()) {
      lane.queuedBytes -= parcel.bytes.length;
      return;
    }
    boolean ordered = lane.random.nextDouble() >= weather.reordered();
    if (lane.random.nextDouble() < weather.doubled()) {
      lane.queuedBytes += parcel.bytes.length;
      fly(parcel.twin(), target, drawDelay(lane.random), false);
    }
    fly(parcel, target, drawDelay(lane.random), ordered);
  }

  private void fly(Parcel parcel, Endpoint target, long delay, boolean ordered) {
    long arrival = world.now() + delay;
    if (ordered) {
      arrival = Math.max(arrival, parcel.lane.lastArrival);
      parcel.lane.lastArrival = arrival;
    }
    target.soon(arrival - world.now(), "receive", () -> arrive(parcel, target));
  }

  private void arrive(Parcel parcel, Endpoint target) {
    var wire = parcel.wire;
    parcel.lane.queuedBytes = Math.max(0, parcel.lane.queuedBytes - parcel.bytes.length);
    boolean broken = parcel.connection != wire.connection && world.now() > wire.brokenFrom;
    if (!broken) {
      world.witness(parcel.checksum);
      target.deliver(wire.source, parcel.topic, parcel.bytes);
    }
  }

  /** Ends the connection of two nodes; what is on its way arrives up to a drawn time. */
  private void disconnect(NodeId one, NodeId other, long noticedNanos) {
    end(wire(one, other), noticedNanos);
    end(wire(other, one), noticedNanos);
  }

  private void end(Wire wire, long noticedNanos) {
    wire.connection++;
    wire.brokenFrom = world.now() + random.nextLong(drawDelay() + 1);
    wire.stalled.clear();
    wire.clear();
    // The sender sees it now, if this is what it sees, or goes on sending into the void.
    int connection = wire.connection;
    var sender = endpoints.get(wire.source);
    if (!wire.up || sender == null) {
      wire.up = false;
      return;
    }
    sender.soon(
        noticedNanos,
        "disconnected",
        () -> {
          if (wire.up && wire.connection == connection) {
            wire.up = false;
            sender.disconnected(wire.target);
            reconnect(wire.source, wire.target);
          }
        });
  }

  /**
   * {@code id} has no more to do with {@code other}: it hears at once that the connection is gone,
   * and the other side a little later. What is on its way arrives up to a drawn time.
   */
  void part(NodeId id, NodeId other) {
    end(wire(id, other), 0);
    end(wire(other, id), drawDelay());
  }

  void reconnect(NodeId one, NodeId other) {
    world.after(random.nextLong(1, 200) * MILLIS, "reconnect", () -> connect(one, other));
  }

  private void connect(NodeId one, NodeId other) {
    var first = endpoints.get(one);
    var second = endpoints.get(other);
    if (first != null && second == null) {
      refusals.dial(first, other);
    }
    if (first == null || second == null || !first.knows(other) || !second.knows(one)) {
      return;
    }
    var there = wire(one, other);
    var back = wire(other, one);
    if (there.blocked || back.blocked || (there.isCurrent() && back.isCurrent())) {
      return;
    }
    long delay = drawDelay();
    open(there, first, delay);
    open(back, second, delay);
  }

  private void open(Wire wire, Endpoint sender, long delay) {
    if (wire.up) {
      // It had not noticed yet that the old connection was gone.
      wire.up = false;
      sender.soon(0, "disconnected", () -> sender.disconnected(wire.target));
    }
    wire.connection++;
    wire.openConnection = wire.connection;
    int connection = wire.connection;
    sender.soon(
        delay,
        "connected",
        () -> {
          if (wire.connection == connection) {
            wire.up = true;
            sender.connected(wire.target);
          }
        });
  }

  private void unblock(Wire wire) {
    if (!wire.blocked) {
      return;
    }
    wire.blocked = false;
    var late = List.copyOf(wire.stalled);
    wire.stalled.clear();
    late.forEach(this::depart);
    if (!wire.up || !wire.isCurrent()) {
      reconnect(wire.source, wire.target);
    }
  }

  private long drawDelay() {
    return drawDelay(random);
  }

  long drawDelay(RandomGenerator chance) {
    double tail = -Math.log(1 - chance.nextDouble()) * (weather.meanNanos() - weather.minNanos());
    return weather.minNanos() + (long) tail;
  }

  /** {@code dialler} wants to know of those that were there once and are dead. */
  void dialTheDead(Endpoint dialler) {
    for (var peer : attached) {
      refusals.dial(dialler, peer);
    }
  }

  /** Whether {@code dialler} tries to reach {@code peer} in vain, since its process is dead. */
  boolean dialsInVain(Endpoint dialler, NodeId peer) {
    return !endpoints.containsKey(peer)
        && !peer.equals(dialler.id())
        && dialler.knows(peer)
        && !wire(dialler.id(), peer).up;
  }

  /** Whether {@code one} gets an answer over its connection with {@code other}. */
  boolean answersPings(NodeId one, NodeId other) {
    var there = wire(one, other);
    var back = wire(other, one);
    var endpoint = endpoints.get(other);
    return endpoint != null
        && !endpoint.process().isPaused()
        && there.isCurrent()
        && back.isCurrent()
        && !there.blocked
        && !back.blocked;
  }

  Wire wire(NodeId source, NodeId target) {
    return wires
        .computeIfAbsent(source, from -> new TreeMap<>())
        .computeIfAbsent(target, to -> new Wire(source, target, random, urgentRandom));
  }

  /** A message on its way. */
  record Parcel(
      Wire wire, Wire.Lane lane, int connection, String topic, byte[] bytes, int checksum) {
    Parcel twin() {
      return new Parcel(wire, lane, connection, topic, bytes.clone(), checksum);
    }
  }
}
