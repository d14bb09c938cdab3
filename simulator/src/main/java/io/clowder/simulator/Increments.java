// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.consensus.GroupSetting;
import io.clowder.consensus.Lease;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Clients that increment a value under a lock, as in Jepsen's test of etcd's locks (etcd 3.4.3,
 * 2020), where 18 % of the acknowledged updates were lost: take the lock, read, dawdle, write, and
 * never ask whether the lock is still held. Every few seconds each process is paused, now and then
 * for longer than its session lives; leaders die, messages are lost. Which increments were kept is
 * told by the log.
 */
public final class Increments {
  private static final long MILLIS = 1_000_000;
  private static final int NODES = 3;
  private static final int CLIENTS = 5;
  private static final int SESSION_MILLIS = 2_000;
  private static final int DAWDLE_MILLIS_MAX = 1_000;
  private static final long SETTLE_NANOS = 20_000 * MILLIS;
  private static final String LOCK = "counter";
  private static final String KEY = "count";
  private static final Set<Reason> CONFLICT = EnumSet.of(Reason.CONFLICT);

  private final World world;
  private final SimulatedNetwork network;
  private final Judge judge = new Judge(false);
  private final RandomGenerator random;
  private final ClusterSetting setting;
  private final SortedMap<String, ConsensusProtocol> protocols;
  private final Write write;
  private final boolean showsFirst;
  private final List<Computer> computers = new ArrayList<>();
  private final SortedMap<NodeId, Address> addresses = new TreeMap<>();
  private final SortedMap<NodeId, SimulatedNode> nodes = new TreeMap<>();
  private final Map<Long, Long> bases = new HashMap<>();
  private final Set<Long> acknowledged = new HashSet<>();
  private long lastValue;
  private int clients;
  private int refused;
  private int late;
  private boolean over;

  /** How a holder of the lock writes. */
  @FunctionalInterface
  public interface Write {
    /** Sets a value. */
    CompletionStage<Long> put(KvStore kv, String key, byte[] value, Grant grant);
  }

  /**
   * What came of it.
   *
   * @param acknowledged increments whose client was told that they are done
   * @param lost those of them that others have overwritten without having read them
   * @param late those of them that were acknowledged when the lock was not held any more
   * @param refused writes that the store refused
   * @param elections how many terms had a leader
   */
  public record Report(int acknowledged, int lost, int late, int refused, int elections) {}

  /**
   * A cluster of three.
   *
   * @param write what writes the increment
   * @param showsFirst whether a holder writes somewhere else, in the same way, before it reads: a
   *     fence keeps out what is older only from when the store has seen the token
   * @param millis how long things go wrong
   */
  public Increments(
      long seed,
      SortedMap<String, ConsensusProtocol> protocols,
      Write write,
      boolean showsFirst,
      int millis) {
    this.world = new World(seed);
    this.network = new SimulatedNetwork(world);
    this.random = world.random("increments");
    this.protocols = new TreeMap<>(protocols);
    this.setting = setting(protocols.firstKey(), millis);
    this.write = write;
    this.showsFirst = showsFirst;
    for (int i = 1; i <= NODES; i++) {
      var id = ClusterSetting.node(i);
      addresses.put(id, new Address("127.0.0.1", 7_000 + i));
      computers.add(new Computer(world, network, id, this::boot));
    }
    world.always(judge);
  }

  private static ClusterSetting setting(String protocol, int millis) {
    var timing = new CoreSetting.Timing(50 * MILLIS, 400 * MILLIS);
    var group =
        new GroupSetting(
            "main",
            protocol,
            new TreeMap<>(),
            false,
            0,
            timing,
            Lease.of(SESSION_MILLIS),
            64 << 10,
            500,
            256 << 20,
            0);
    return new ClusterSetting(
        NODES,
        CLIENTS,
        1,
        0,
        millis,
        ClusterSetting.DRIFT_TRUSTED,
        64 << 10,
        0,
        0,
        false,
        EnumSet.noneOf(Nemesis.Fault.class),
        group);
  }

  /**
   * Runs it to its end. Once.
   *
   * @throws AssertionError if the log and what is read in the end do not go together
   */
  public Report run() {
    computers.forEach(Computer::start);
    computers.forEach(this::pauseNowAndThen);
    strikeLeaders();
    changeWeather();
    world.runUntil(setting.turmoilMillis() * MILLIS);
    over = true;
    network.unblockAll();
    network.setWeather(Weather.fair());
    for (var computer : computers) {
      computer.process().resume();
      computer.start();
    }
    var last = readLast();
    Set<Long> kept = new HashSet<>();
    for (long value = id(last); value != 0; value = bases.get(value)) {
      kept.add(value);
    }
    judge.require(kept.size() == count(last), "counted " + count(last) + ", kept " + kept.size());
    var states = judge.writes().states(KEY);
    judge.require(
        states.lastEntry().getValue() == id(last),
        "read " + id(last) + ", written last was " + states.lastEntry());
    judge.check();
    int lost = (int) acknowledged.stream().filter(value -> !kept.contains(value)).count();
    return new Report(acknowledged.size(), lost, late, refused, judge.elections());
  }

  /** The value when nothing goes wrong any more. */
  private byte @Nullable [] readLast() {
    world.runUntil(world.now() + SETTLE_NANOS);
    var node = nodes.get(nodes.firstKey());
    var read = node.kv().get(KEY, ReadConsistency.LINEARIZABLE).toCompletableFuture();
    if (!world.runUntil(read::isDone, world.now() + SETTLE_NANOS)) {
      throw new AssertionError("the value cannot be read, seed " + world.seed());
    }
    return value(read.join());
  }

  private void boot(Computer computer) throws IOException {
    var node =
        new SimulatedNode(
            computer, network, addresses, setting, protocols, judge, () -> {}, () -> {});
    nodes.put(computer.id(), node);
    var locks = node.locksOf("counting");
    for (int i = computers.indexOf(computer); i < CLIENTS; i += NODES) {
      new Client(node, locks).begin();
    }
  }

  // --- harm -------------------------------------------------------------------------------------

  private void pauseNowAndThen(Computer computer) {
    world.after(
        exponential(5_000),
        "pause",
        () -> {
          if (!over) {
            computer.process().pause();
            world.after(
                random.nextLong(100, 2 * SESSION_MILLIS) * MILLIS,
                "resume",
                () -> {
                  computer.process().resume();
                  pauseNowAndThen(computer);
                });
          }
        });
  }

  private void strikeLeaders() {
    world.after(
        exponential(12_000),
        "strike",
        () -> {
          for (var computer : computers) {
            if (!over && computer.id().equals(judge.leader())) {
              strike(computer);
            }
          }
          if (!over) {
            strikeLeaders();
          }
        });
  }

  private void strike(Computer leader) {
    long millis = random.nextLong(100, 2_000);
    if (random.nextBoolean()) {
      leader.kill();
      world.after(millis * MILLIS, "restart", leader::start);
    } else {
      for (var other : computers) {
        if (other != leader) {
          network.block(leader.id(), other.id());
          network.block(other.id(), leader.id());
        }
      }
      world.after(millis * MILLIS, "rejoin", network::unblockAll);
    }
  }

  private void changeWeather() {
    network.setWeather(random.nextBoolean() ? Weather.fair() : Weather.drawn(random));
    world.after(
        exponential(4_000),
        "weather",
        () -> {
          if (!over) {
            changeWeather();
          }
        });
  }

  private long exponential(long meanMillis) {
    return (long) (-Math.log(1 - random.nextDouble()) * meanMillis * MILLIS);
  }

  // --- clients ----------------------------------------------------------------------------------

  /** Lives and dies with one incarnation of a node. */
  private final class Client {
    private final SimulatedNode node;
    private final LockService locks;
    private final LockCalls calls;
    private final RandomGenerator random = world.random("client " + ++clients);

    Client(SimulatedNode node, LockService locks) {
      this.node = node;
      this.locks = locks;
      this.calls = new LockCalls(node.process(), judge);
    }

    void begin() {
      calls.after(
          random.nextLong(1, 50),
          "take lock",
          () -> {
            if (!over) {
              calls.follow(
                  locks.acquire(LOCK, Duration.ofSeconds(10)),
                  Set.of(),
                  grant -> {
                    if (showsFirst) {
                      show(grant);
                    } else {
                      read(grant);
                    }
                  },
                  reason -> begin());
            }
          });
    }

    private void show(Grant grant) {
      calls.follow(
          write.put(node.kv(), "shown", bytes(++lastValue, 0), grant),
          CONFLICT,
          version -> read(grant),
          reason -> release(grant));
    }

    private void read(Grant grant) {
      calls.follow(
          node.kv().get(KEY, ReadConsistency.LINEARIZABLE),
          Set.of(),
          entry ->
              calls.after(
                  random.nextLong(1, DAWDLE_MILLIS_MAX), "write", () -> write(grant, value(entry))),
          reason -> release(grant));
    }

    private void write(Grant grant, byte @Nullable [] read) {
      long value = ++lastValue;
      bases.put(value, id(read));
      calls.follow(
          write.put(node.kv(), KEY, bytes(value, count(read) + 1), grant),
          CONFLICT,
          version -> {
            acknowledged.add(value);
            late += grant.isHeld() ? 0 : 1;
            release(grant);
          },
          reason -> {
            refused += reason == Reason.CONFLICT ? 1 : 0;
            release(grant);
          });
    }

    private void release(Grant grant) {
      calls.follow(grant.release(), Set.of(), nothing -> begin(), reason -> begin());
    }
  }

  /** A value of its own for each write, and the count. */
  private static byte[] bytes(long value, long count) {
    return ByteBuffer.allocate(16).putLong(value).putLong(count).array();
  }

  private static byte @Nullable [] value(@Nullable KvEntry entry) {
    return entry == null ? null : entry.value();
  }

  private static long id(byte @Nullable [] bytes) {
    return bytes == null ? 0 : ByteBuffer.wrap(bytes).getLong();
  }

  private static long count(byte @Nullable [] bytes) {
    return bytes == null ? 0 : ByteBuffer.wrap(bytes).getLong(8);
  }
}
