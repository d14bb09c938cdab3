// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.protocol.ConsensusProtocol;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster with production code, from one seed: clients ask and faults happen for a while,
 * then everything heals and must get on, and what clients saw is judged.
 */
public final class ClusterSimulation {
  private static final long MILLIS = 1_000_000;

  /** How long a healed cluster may take until every node serves, and until all are level. */
  private static final long RECOVERY_NANOS = 20_000 * MILLIS;

  private static final long TENANT_NANOS = 120_000 * MILLIS;

  /** How long a lock may take to become free besides sessions and delays: bundles stop, too. */
  private static final long SETTLING_NANOS = 5_000 * MILLIS;

  private final World world;
  private final ClusterSetting setting;
  private final SortedMap<String, ConsensusProtocol> protocols;
  private final Judge judge;
  private final SimulatedNetwork network;
  private final KvClient.Workload workload;
  private final Contest contest;
  private final @Nullable Tenant tenant;
  private final SortedMap<NodeId, Address> addresses = new TreeMap<>();
  private final Operator operator;
  private final Nemesis nemesis;
  private final List<Computer> computers = new ArrayList<>();
  private final SortedMap<NodeId, SimulatedNode> nodes = new TreeMap<>();
  private final SortedMap<NodeId, Integer> served = new TreeMap<>();

  /**
   * What a run came to.
   *
   * @param events that happened
   * @param eventHash equal for equal runs
   * @param operations of clients of the map that got a result
   * @param grants of locks
   * @param positions that were decided
   * @param swaps how often the group went on in another segment, by the names of both protocols
   * @param elections how many terms had a leader
   * @param snapshots how many positions had a snapshot
   * @param recoveryMillis how long the healed cluster took until every node served
   * @param sightings rare things, and how often they were seen
   */
  public record Report(
      long seed,
      long events,
      long eventHash,
      int operations,
      int grants,
      long positions,
      SortedMap<String, Integer> swaps,
      int elections,
      int snapshots,
      long recoveryMillis,
      SortedMap<String, Long> sightings) {}

  /**
   * A cluster whose setting is drawn from the seed as well.
   *
   * @param protocols by name; the group begins with one of them
   */
  public ClusterSimulation(long seed, SortedMap<String, ConsensusProtocol> protocols) {
    this(seed, drawn(seed, protocols), protocols, null);
  }

  /**
   * The same, with something else on every node.
   *
   * @param tenant what, for this world
   */
  public ClusterSimulation(
      long seed,
      SortedMap<String, ConsensusProtocol> protocols,
      Function<World, ? extends Tenant> tenant) {
    this(seed, drawn(seed, protocols), protocols, tenant);
  }

  /** A cluster. */
  public ClusterSimulation(
      long seed, ClusterSetting setting, SortedMap<String, ConsensusProtocol> protocols) {
    this(seed, setting, protocols, null);
  }

  private static ClusterSetting drawn(long seed, SortedMap<String, ConsensusProtocol> protocols) {
    return ClusterSetting.drawn(new World(seed).random("setting"), List.copyOf(protocols.keySet()));
  }

  private ClusterSimulation(
      long seed,
      ClusterSetting setting,
      SortedMap<String, ConsensusProtocol> protocols,
      @Nullable Function<World, ? extends Tenant> tenant) {
    this.world = new World(seed);
    this.tenant = tenant == null ? null : tenant.apply(world);
    this.setting = setting;
    this.judge = new Judge(setting.isCalm());
    this.protocols = Collections.unmodifiableSortedMap(new TreeMap<>(protocols));
    this.network = new SimulatedNetwork(world);
    this.workload = new KvClient.Workload(judge, setting.keys(), setting.thinkMillis() * MILLIS);
    for (int i = 1; i <= setting.nodes() + setting.spares(); i++) {
      var id = ClusterSetting.node(i);
      addresses.put(id, new Address("127.0.0.1", 7_000 + i));
      computers.add(new Computer(world, network, id, this::boot));
    }
    this.contest = new Contest(world, judge, setting.drift() <= ClusterSetting.DRIFT_TRUSTED);
    this.operator =
        new Operator(world, nodes, addresses, List.copyOf(protocols.keySet()), judge, setting);
    this.nemesis =
        new Nemesis(world, network, computers, setting.faults(), setting.drift(), judge::leader);
    world.always(judge);
    world.always(contest);
  }

  /** The world that it runs in. */
  public World world() {
    return world;
  }

  /**
   * Runs it to its end. Once.
   *
   * @throws AssertionError if anything was not as it must be
   */
  public Report run() {
    computers.forEach(Computer::start);
    nemesis.begin();
    operator.begin();
    world.runUntil(setting.turmoilMillis() * MILLIS);
    nemesis.heal();
    operator.end();
    contest.heal();
    if (tenant != null) {
      tenant.heal();
    }
    for (var node : nodes.values()) {
      if (node.isUp()) {
        protocols.keySet().forEach(name -> node.provide(name, true));
      }
    }
    long healed = world.now();
    served.clear();
    await("no swap is half done", this::settled);
    await("every member serves", this::everyMemberServes);
    long recovery = world.now() - healed;
    workload.end();
    contest.end();
    readEverything();
    auditLocks();
    if (tenant != null) {
      await("the tenant is through", tenant::isOver, TENANT_NANOS, tenant::toString);
    }
    await("all nodes are level", this::allLevel);
    if (tenant != null) {
      tenant.check();
    }
    requireSameState();
    workload.history.resolve(judge.writes().positions());
    LogOrder.check(workload.history, judge.writes());
    Linearizability.checkWhatIsEasy(workload.history);
    contest.history.requireDelays(judge::timeMillis);
    return new Report(
        world.seed(),
        world.steps(),
        world.eventHash(),
        workload.history.completed(),
        contest.history.grants(),
        judge.applied(),
        judge.swaps(),
        judge.elections(),
        judge.snapshots(),
        recovery / MILLIS,
        world.sightings());
  }

  private void boot(Computer computer) throws IOException {
    nodes.remove(computer.id());
    var node =
        new SimulatedNode(
            computer,
            network,
            configured(computer.id()),
            setting,
            protocols,
            judge,
            () -> nemesis.election(computer),
            () -> restart(computer));
    nodes.put(computer.id(), node);
    for (int i = 0; i < setting.clients(); i++) {
      new KvClient(node.kv(), computer.process(), workload).begin();
    }
    new LockBundle(node, contest, List.copyOf(addresses.keySet()), setting.stopsBundles()).begin();
    if (tenant != null) {
      tenant.boot(node);
    }
    probe(node);
  }

  /** What a node knows of by its configuration: those that begin the group, and itself. */
  private SortedMap<NodeId, Address> configured(NodeId self) {
    var configured = new TreeMap<>(addresses);
    configured
        .keySet()
        .removeIf(id -> id.compareTo(ClusterSetting.node(setting.nodes())) > 0 && !id.equals(self));
    return Collections.unmodifiableSortedMap(configured);
  }

  /** The operator's answer to a replica that says that its disk has failed. */
  private void restart(Computer computer) {
    world.sighted("replica stopped by its disk");
    int incarnation = computer.process().incarnation();
    world.after(
        200 * MILLIS,
        "operator",
        () -> {
          if (computer.process().incarnation() == incarnation) {
            computer.powerOff(Loss.nothing());
            computer.start();
          }
        });
  }

  /** Reads a key and takes a lock again and again, to see that the node serves. */
  private void probe(SimulatedNode node) {
    var user = new LockUser(node.locks(), node.gate(), node.process(), contest);
    var client = new KvClient(node.kv(), node.process(), workload);
    var own = Claim.exclusive(node.ownLock());
    boolean[] read = {false};
    Runnable took =
        () -> {
          if (read[0]) {
            served.merge(node.id(), 1, Integer::sum);
          }
        };
    node.process()
        .after(
            500 * MILLIS,
            "probe",
            () ->
                client.get(
                    "probe",
                    () -> read[0] = true,
                    () -> user.take(own, 1, took, () -> probe(node))));
  }

  /** Whether all know the same newest segment, and none is on its way. */
  private boolean settled() {
    var members = members();
    int segment = newest();
    for (var id : members) {
      var node = nodes.get(id);
      var status = node == null ? null : node.status();
      if (status == null || status.segment() != segment || !status.transition().isEmpty()) {
        return false;
      }
    }
    return !members.isEmpty();
  }

  private int newest() {
    int newest = -1;
    for (var node : nodes.values()) {
      var status = node.status();
      newest = status == null ? newest : Math.max(newest, status.segment());
    }
    return newest;
  }

  /** The members of the newest segment that any node knows. */
  private Set<NodeId> members() {
    Set<NodeId> members = new TreeSet<>();
    for (var node : nodes.values()) {
      var status = node.status();
      if (status != null && status.segment() == newest()) {
        members.addAll(status.members().keySet());
      }
    }
    return members;
  }

  private boolean everyMemberServes() {
    for (var id : members()) {
      if (served.getOrDefault(id, 0) < 3) {
        return false;
      }
    }
    return true;
  }

  /** Every node reads every key, so that whatever was lost is missed. */
  private void readEverything() {
    var members = members();
    int[] left = {members.size() * setting.keys()};
    for (var id : members) {
      var node = nodes.get(id);
      var client = new KvClient(node.kv(), node.process(), workload);
      for (int i = 0; i < setting.keys(); i++) {
        client.get("k" + i, () -> left[0]--, () -> {});
      }
    }
    await("every key is read on every node", () -> left[0] == 0);
  }

  /** Nobody waits for ever, and nothing stays locked. */
  private void auditLocks() {
    var members = members();
    await(
        "every user of locks has got on",
        () -> contest.unfinished(members).isEmpty(),
        RECOVERY_NANOS,
        () -> {
          var audit = audit(members);
          world.runUntil(world.now() + 1_000 * MILLIS);
          return contest.unfinished(members) + "; " + audit;
        });
    var audit = audit(members);
    long limit =
        (setting.group().lease().ttlMillis() + LockUses.DELAY_MILLIS_MAX) * MILLIS + SETTLING_NANOS;
    await("every lock is free on every node", audit::isOver, limit, audit::toString);
  }

  private LockAudit audit(Set<NodeId> members) {
    var audited = new TreeMap<>(nodes);
    audited.keySet().retainAll(members);
    var audit = new LockAudit(audited.values(), contest);
    audit.begin();
    return audit;
  }

  private boolean allLevel() {
    long applied = -1;
    for (var id : members()) {
      var node = nodes.get(id);
      var status = node == null ? null : node.status();
      if (status == null
          || status.committed() != status.applied()
          || (applied >= 0 && status.applied() != applied)) {
        return false;
      }
      applied = status.applied();
    }
    return applied >= judge.applied();
  }

  private void requireSameState() {
    byte @Nullable [] first = null;
    for (var id : members()) {
      var node = nodes.get(id);
      var bytes = new ByteArrayOutputStream();
      try {
        node.map().snapshot().writeTo(bytes);
      } catch (IOException e) {
        throw new AssertionError("writing to memory failed", e);
      }
      if (first == null) {
        first = bytes.toByteArray();
      } else if (!Arrays.equals(first, bytes.toByteArray())) {
        throw new AssertionError("the map of " + node.id() + " differs");
      }
    }
  }

  private void await(String what, BooleanSupplier done) {
    await(what, done, RECOVERY_NANOS, () -> "");
  }

  private void await(String what, BooleanSupplier done, long limit, Supplier<String> otherwise) {
    if (world.runUntil(done, world.now() + limit)) {
      return;
    }
    var state = new StringBuilder("after healing, not within ");
    state.append(limit / MILLIS / 1_000).append(" s: ").append(what);
    state.append(' ').append(otherwise.get());
    for (var computer : computers) {
      var node = nodes.get(computer.id());
      state
          .append("\n  ")
          .append(computer.id())
          .append(computer.isUp() ? " up " : " down ")
          .append(computer.bootFailure())
          .append(" served ")
          .append(served.get(computer.id()))
          .append(' ')
          .append(node == null ? null : node.status());
    }
    throw new AssertionError(state.toString());
  }
}
