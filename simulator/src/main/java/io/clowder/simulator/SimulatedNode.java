// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.FenceGate;
import io.clowder.api.lock.LockService;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.runtime.Timer;
import io.clowder.consensus.Environment;
import io.clowder.consensus.Group;
import io.clowder.kv.KvMachine;
import io.clowder.kv.ReplicatedKv;
import io.clowder.lock.LockEvents;
import io.clowder.lock.LockSetting;
import io.clowder.lock.LockTable;
import io.clowder.lock.ReplicatedLocks;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One incarnation of a node: the production bundles, wired by hand to this world. */
final class SimulatedNode implements Node, Tenant.Lodging {
  private static final String CLUSTER = "simulated";
  private static final String LOCK_MACHINE = "lock";
  private static final String OWN_LOCK = "lock of ";
  private static final long MICROS = 1_000;
  private static final long MILLIS = 1_000_000;

  /** The bundle that the simulation itself uses. */
  static final String BUNDLE = "simulation";

  /** How long clients wait for an answer. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Computer computer;
  private final SimulatedProcess process;
  private final int incarnation;
  private final SortedMap<NodeId, Address> members;
  private final Judge judge;
  private final Runnable onFailedDisk;
  private final DiskStorage storage;
  private final Group group;
  private final SortedMap<String, ObservedProtocol> protocols = new TreeMap<>();
  private final KvMachine map = new KvMachine();
  private final KvStore kv;
  private final RandomGenerator random;
  private final Runnable applies;
  private final Set<String> bundles = new TreeSet<>();
  private StateMachine table;
  private ReplicatedLocks locks;
  private LockService ownLocks;
  private @Nullable GroupStatus status;
  private int statusOf;

  /**
   * Boots a node in the present incarnation of the computer's process.
   *
   * @param configured the members that the node knows of by itself; if it is not one of those that
   *     begin the group, it waits to be added
   * @param available protocols, by name
   * @param onElection told when a core without a leader writes something down and then speaks
   * @param onFailedDisk told when the replica has stopped because of its disk, and only a restart
   *     of the node helps
   */
  SimulatedNode(
      Computer computer,
      SimulatedNetwork network,
      SortedMap<NodeId, Address> configured,
      ClusterSetting setting,
      SortedMap<String, ConsensusProtocol> available,
      Judge judge,
      Runnable onElection,
      Runnable onFailedDisk)
      throws IOException {
    this.computer = computer;
    this.process = computer.process();
    this.incarnation = process.incarnation();
    this.members = configured;
    this.judge = judge;
    this.onFailedDisk = onFailedDisk;
    var world = process.world();
    random = world.random("node " + computer.id() + " " + process.incarnation());
    storage =
        DiskStorage.open(
            computer.disk(), computer.id(), CLUSTER, random, setting.journalFileBytes());
    var transport =
        new ObservedTransport(
            network.attach(computer.id(), process, configured.keySet()),
            () -> computer.atAction("send"));
    applies = () -> computer.atAction("apply");
    var loop = new SimulatedLoop(process, "loop", pace("loop", 1, 20));
    var environment =
        new Environment(
            new SimulatedExecutor(process, "disk", computer.diskPace()),
            new SimulatedExecutor(process, "background", pace("background", 20, 500)),
            new SimulatedExecutor(process, "completion", pace("completion", 1, 10)),
            process.clock()::nanoTime,
            process.clock()::wallMillis,
            random,
            loop::wakeup);
    group =
        new Group(
            setting.groupOf(computer.id()),
            this,
            new ObservedStorage(storage, computer.id(), judge),
            transport,
            environment);
    available.forEach(
        (name, protocol) ->
            protocols.put(
                name,
                new ObservedProtocol(
                    protocol, computer.id(), process.incarnation(), judge, onElection)));
    protocols.forEach(group::addProtocol);
    kv = new ReplicatedKv(join("kv", map), TIMEOUT);
    startLocks();
    loop.begin(group::doWork);
    lookAfter();
  }

  /** The bundle of the locks starts. */
  void startLocks() {
    var fresh = new LockTable();
    table = new ObservedMachine(fresh, computer.id(), judge, applies);
    locks =
        new ReplicatedLocks(
            group.addMachine(LOCK_MACHINE, table),
            fresh,
            new LockEvents(0, Runnable::run),
            computer.id(),
            LockSetting.of(TIMEOUT),
            random.nextLong() | 1,
            timer("lock"));
    bundles.clear();
    ownLocks = locksOf(BUNDLE);
  }

  @Override
  public Timer timer(String name) {
    return new SimulatedTimer(process, new SimulatedExecutor(process, name, pace(name, 1, 10)));
  }

  @Override
  public ConsensusService join(String name, StateMachine machine) {
    return group.addMachine(name, new ObservedMachine(machine, computer.id(), judge, applies));
  }

  /** The bundle of the locks stops, and tries to tell the group. */
  void stopLocks() {
    locks.close();
  }

  /** Then it takes its table back; completes when the group does not use it any more. */
  CompletionStage<Void> removeTable() {
    return group.removeMachine(LOCK_MACHINE, table);
  }

  private Pace pace(String name, long minMicros, long meanMicros) {
    var random = process.world().random(name + " of " + computer.id());
    return new Pace(random, minMicros * MICROS, meanMicros * MICROS);
  }

  /** The map's service on this node. */
  KvStore kv() {
    return kv;
  }

  /** The locks of a bundle of this node that begins now. */
  LockService locksOf(String bundle) {
    bundles.add(bundle);
    return locks.locksOf(bundle);
  }

  /** The bundle that was given these locks stops. */
  void stop(String bundle, LockService its) {
    bundles.remove(bundle);
    try {
      ((AutoCloseable) its).close();
    } catch (Exception e) {
      judge.fail(e);
    }
  }

  /** Bundles that run. */
  Set<String> bundles() {
    return bundles;
  }

  /** The locks of the simulation itself. */
  LockService locks() {
    return ownLocks;
  }

  /** A lock that nobody but the simulation takes, to see whether the node serves. */
  String ownLock() {
    return OWN_LOCK + id();
  }

  /** Whether it is such a lock of any node. */
  static boolean isOwnLock(String name) {
    return name.startsWith(OWN_LOCK);
  }

  /** The gate for fencing tokens on this node. */
  FenceGate gate() {
    return locks;
  }

  @Override
  public SimulatedProcess process() {
    return process;
  }

  /** Whether this incarnation lives: nobody may ask anything of a dead one. */
  boolean isUp() {
    return process.isUp() && process.incarnation() == incarnation;
  }

  KvMachine map() {
    return map;
  }

  /** What the node said of its group last; null if nothing yet. */
  @Nullable GroupStatus status() {
    return status;
  }

  /** Whether the node is up and its group has asked for the status in this incarnation. */
  private void lookAfter() {
    process.after(
        50 * MILLIS,
        "look after",
        () -> {
          var unused =
              group
                  .status()
                  .whenComplete(
                      (found, failure) -> {
                        if (failure != null) {
                          judge.fail(failure);
                        } else {
                          examine(found);
                        }
                      });
          lookAfter();
        });
  }

  /** Whether the term is that of a core of the current segment. */
  private static boolean hasCore(GroupStatus status) {
    return List.of("leader", "follower", "candidate").contains(status.role());
  }

  /** How many cores were opened. */
  private int opened() {
    return protocols.values().stream().mapToInt(ObservedProtocol::opened).sum();
  }

  /** Has the group go to a next segment. */
  CompletionStage<Swap> swap(Successor successor, Duration deadline) {
    return group.swap(successor, line -> {}, deadline);
  }

  /** The bundle of a protocol is stopped, or started again. */
  void provide(String name, boolean there) {
    var provider = protocols.get(name);
    if (provider == null) {
      throw new IllegalArgumentException("no protocol " + name);
    }
    if (there) {
      group.addProtocol(name, provider);
    } else {
      var unused = group.removeProtocol(name, provider);
    }
  }

  private void examine(GroupStatus found) {
    var before = status;
    judge.inSegment(id(), found);
    boolean sameCore = opened() == statusOf && hasCore(found) && before != null && hasCore(before);
    if (before != null) {
      judge.require(
          found.applied() >= before.applied(),
          id() + " went back from position " + before.applied() + " to " + found.applied());
      judge.require(
          found.segment() >= before.segment(),
          id() + " went back from segment " + before.segment() + " to " + found.segment());
      judge.require(
          !sameCore || found.segment() > before.segment() || found.term() >= before.term(),
          id() + " went back from term " + before.term() + " to " + found.term());
    }
    status = found;
    statusOf = opened();
    for (String problem : found.problems()) {
      judge.require(
          !problem.startsWith("invariant:") && !problem.startsWith("identity:"),
          id() + ": " + problem);
      if (problem.startsWith("disk:") && problem.contains("restart the node")) {
        onFailedDisk.run();
      }
    }
  }

  @Override
  public NodeId id() {
    return computer.id();
  }

  @Override
  public String cluster() {
    return CLUSTER;
  }

  @Override
  public long incarnation() {
    return storage.incarnation();
  }

  @Override
  public SortedMap<NodeId, Address> members() {
    return members;
  }
}
