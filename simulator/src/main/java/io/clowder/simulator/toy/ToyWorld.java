// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Cores with toy drivers in one thread, in virtual time, with everything going wrong by a seed.
 *
 * @param <S> the protocol's cores
 */
public final class ToyWorld<S extends Specimen.Subject> {
  /** Some commands are so long that a few of them make a batch. */
  private static final int BIG_BYTES = Limits.BATCH_BYTES / 3;

  private record Happening(long at, long order, Runnable run) {}

  final Specimen<S> specimen;
  final CoreSetting.Timing timing;
  final SplittableRandom random;
  final Plant plant;
  final boolean trimsAnywhere;
  final List<NodeId> members = new ArrayList<>();
  final SortedMap<String, String> parameters;
  long now;
  long steps;
  long reads;

  private final Map<NodeId, ToyNode<S>> nodes = new HashMap<>();
  private final PriorityQueue<Happening> agenda =
      new PriorityQueue<>(
          (a, b) -> a.at != b.at ? Long.compare(a.at, b.at) : Long.compare(a.order, b.order));
  private final WireWriter writer = new WireWriter(256);
  private final Map<Long, NodeId> leaders = new HashMap<>();
  private final List<byte[]> history = new ArrayList<>();
  private final Set<String> cut = new HashSet<>();
  private final double lossRate;
  private final double doubleRate;
  private final double lateRate;
  private final double bigRate;
  private final double strikeRate;
  private final long delayMax;
  private final long syncMax;
  private long order;
  private long commands;
  private boolean healed;

  /** A world with troubles of its own. */
  public ToyWorld(Specimen<S> specimen, long seed, Plant plant) {
    this.specimen = specimen;
    timing = new CoreSetting.Timing(10_000, 100_000);
    random = new SplittableRandom(seed);
    this.plant = plant;
    int size = List.of(1, 2, 3, 3, 3, 4, 5, 5).get(random.nextInt(8));
    lossRate = random.nextInt(3) * 0.05;
    doubleRate = random.nextInt(3) * 0.05;
    strikeRate = random.nextInt(3) * 0.0005;
    bigRate = random.nextInt(8) == 0 ? 0.1 : 0;
    lateRate = random.nextInt(4) * 0.05;
    delayMax = 200 + random.nextInt(3) * 10_000L;
    syncMax = 200 + random.nextInt(3) * 8_000L;
    trimsAnywhere = random.nextBoolean();
    parameters = specimen.parameters(size, random);
    found(size);
  }

  /** A world without faults: messages take up to half a millisecond, syncs up to two. */
  public ToyWorld(Specimen<S> specimen, long seed, int size, CoreSetting.Timing timing) {
    this.specimen = specimen;
    this.timing = timing;
    random = new SplittableRandom(seed);
    plant = Plant.NONE;
    lossRate = 0;
    doubleRate = 0;
    strikeRate = 0;
    bigRate = 0;
    lateRate = 0;
    delayMax = 450;
    syncMax = 2_000;
    trimsAnywhere = false;
    healed = true;
    parameters = new TreeMap<>();
    found(size);
  }

  private void found(int size) {
    for (int i = 1; i <= size; i++) {
      members.add(new NodeId("n" + i));
    }
    members.forEach(id -> nodes.put(id, new ToyNode<>(id, this)));
  }

  /** The replicas. */
  public List<NodeId> members() {
    return List.copyOf(members);
  }

  /** The time, in the unit of the timing. */
  public long now() {
    return now;
  }

  /** Has the clocks begin at another time than 0; before anything happens. */
  public void beginAt(long time) {
    now = time;
  }

  /** Starts all replicas. */
  public void start() {
    members.forEach(id -> node(id).start());
  }

  /** Lets some time pass. */
  public void pass(long nanos) {
    runUntil(now + nanos);
  }

  /** A time of trouble, a time of healing, and the demand that it then works. */
  public void run(long trouble) {
    nodes.values().forEach(ToyNode::start);
    after(random.nextInt(5_000), this::clients);
    after(random.nextInt(50_000), this::faults);
    runUntil(now + trouble);
    heal();
    runUntil(now + 15 * timing.electionNanos());
    long goal = decidedAnywhere() + 1;
    ToyNode<S> leader = leader();
    leader.step(new Event.Propose(0, List.of(command())));
    runUntil(now + 4 * timing.electionNanos());
    for (ToyNode<S> node : nodes.values()) {
      if (node.applied < goal || node.applied != leader.applied) {
        throw new AssertionError(
            node.id + " is at " + node.applied + ", not at " + goal + ": " + views());
      }
    }
    compare();
  }

  /** Lets everything happen up to a time. */
  public void runUntil(long end) {
    while (!agenda.isEmpty() && agenda.peek().at <= end) {
      Happening next = agenda.remove();
      now = next.at;
      next.run.run();
    }
    now = end;
  }

  void after(long delay, Runnable run) {
    agenda.add(new Happening(now + delay, order++, run));
  }

  /** Runs for this life of the node, once it is not paused. */
  private void at(ToyNode<S> node, long delay, Runnable run) {
    int life = node.life;
    after(
        delay,
        () -> {
          if (node.life != life || !node.isUp()) {
            return;
          }
          if (node.pausedUntil > now) {
            at(node, node.pausedUntil - now, run);
          } else {
            run.run();
          }
        });
  }

  void wake(ToyNode<S> node, long time) {
    at(node, Math.max(0, time - now), () -> node.step(null));
  }

  void scheduleSync(ToyNode<S> node, long sequence) {
    at(node, 1 + random.nextLong(syncMax), () -> node.syncedUpTo(sequence));
  }

  void send(NodeId from, NodeId to, Message message) {
    Message sent = plant.sent(message);
    ToyNode<S> target = node(to);
    if (from.equals(to)) {
      at(target, 0, () -> target.step(new Event.Receive(from, sent)));
      return;
    }
    Message forged = plant.forged(message);
    if (forged != null) {
      at(node(from), 0, () -> node(from).step(new Event.Receive(to, forged)));
    }
    if (cut.contains(from + ">" + to) || (!healed && random.nextDouble() < lossRate)) {
      return;
    }
    writer.reset();
    specimen.codec().write(sent, writer);
    byte[] bytes = writer.toByteArray();
    int copies = !healed && random.nextDouble() < doubleRate ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      boolean late = !healed && random.nextDouble() < lateRate;
      long delay = 50 + random.nextLong(late ? 3 * timing.electionNanos() : delayMax);
      after(delay, () -> deliver(from, target, bytes));
    }
  }

  private void deliver(NodeId from, ToyNode<S> target, byte[] bytes) {
    if (target.isUp()) {
      Message received = specimen.codec().read(new WireReader(bytes));
      at(target, 0, () -> target.step(new Event.Receive(from, received)));
    }
  }

  void sendSnapshot(NodeId from, NodeId to, long slot, byte[] anchor) {
    ToyNode<S> target = node(to);
    if (!cut.contains(from + ">" + to)) {
      after(random.nextLong(3 * delayMax), () -> at(target, 0, () -> target.install(slot, anchor)));
    }
  }

  private void clients() {
    ToyNode<S> node = node(members.get(random.nextInt(members.size())));
    if (!healed && node.isUp() && node.pausedUntil <= now) {
      int kind = random.nextInt(10);
      if (kind < 6) {
        List<byte[]> batch = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
          batch.add(command());
        }
        node.step(new Event.Propose(order, batch));
      } else if (kind < 9) {
        node.barrier(order);
      } else {
        node.compact();
      }
    }
    if (!healed) {
      after(random.nextLong(4_000), this::clients);
    }
  }

  /** A command that there was not before. */
  public byte[] command() {
    WireWriter text = new WireWriter(8).writeLong(++commands);
    if (random.nextDouble() < bigRate) {
      byte[] filler = new byte[random.nextInt(BIG_BYTES)];
      text.writeRaw(filler, 0, filler.length);
    }
    return text.toByteArray();
  }

  private void faults() {
    if (healed) {
      return;
    }
    ToyNode<S> node = node(members.get(random.nextInt(members.size())));
    switch (random.nextInt(9)) {
      case 0, 1 -> {
        if (node.isUp()) {
          node.crash();
          restartSoon(node);
        }
      }
      case 8 -> {
        // True or not.
        if (node.isUp() && node.pausedUntil <= now) {
          node.step(new Event.Gone(members.get(random.nextInt(members.size()))));
        }
      }
      case 2 -> node.pausedUntil = now + random.nextLong(400_000);
      case 3 -> {
        if (node.isUp() && node.pausedUntil <= now) {
          node.step(new Event.Resign());
        }
      }
      case 4, 5 -> partition();
      default -> cut.clear();
    }
    compare();
    after(random.nextLong(150_000), this::faults);
  }

  /** Crashes come between any two actions, and gladly after what must not be forgotten. */
  boolean strikesAfter(Action action) {
    boolean bound = action instanceof Action.Send send && specimen.binds(send.message());
    return !healed && random.nextDouble() < (bound ? 0.5 : strikeRate);
  }

  void restartSoon(ToyNode<S> node) {
    after(random.nextBoolean() ? 1 : random.nextLong(100_000), () -> restart(node));
  }

  private void restart(ToyNode<S> node) {
    if (!node.isUp()) {
      node.start();
    }
  }

  /** Has messages of one to another get lost from now on. */
  public void cut(NodeId from, NodeId to) {
    cut.add(from + ">" + to);
  }

  /** Cuts a replica off from all others, both ways. */
  public void isolate(NodeId id) {
    for (NodeId other : members) {
      if (!other.equals(id)) {
        cut(id, other);
        cut(other, id);
      }
    }
  }

  /** Has all messages arrive again. */
  public void connect() {
    cut.clear();
  }

  /** Halves, or any links, each direction for itself. */
  private void partition() {
    int side = random.nextInt(1 << members.size());
    boolean halves = random.nextBoolean();
    for (int i = 0; i < members.size(); i++) {
      for (int j = 0; j < members.size(); j++) {
        boolean apart = (side >> i & 1) != (side >> j & 1);
        if (i != j && (halves ? apart : random.nextInt(3) == 0)) {
          cut.add(members.get(i) + ">" + members.get(j));
        }
      }
    }
  }

  private void heal() {
    healed = true;
    cut.clear();
    for (ToyNode<S> node : nodes.values()) {
      node.pausedUntil = 0;
      restart(node);
    }
  }

  /** One command per slot (state machine safety), and no gaps. */
  void decided(ToyNode<S> node, long first, List<byte[]> slots) {
    if (first != node.applied + 1) {
      throw new AssertionError(node.id + " decides " + first + " after " + node.applied);
    }
    for (byte[] command : slots) {
      int at = (int) node.applied;
      if (at == history.size()) {
        history.add(command);
      } else if (!Arrays.equals(history.get(at), command)) {
        throw new AssertionError(node.id + " decides something else at " + (at + 1));
      }
      node.applied++;
    }
  }

  /** How many slots any replica has decided. */
  public long decidedAnywhere() {
    return history.size();
  }

  /** Election safety, and leader completeness: it holds all that was decided anywhere. */
  void leads(ToyNode<S> node, long term) {
    NodeId other = leaders.putIfAbsent(term, node.id);
    if (other != null) {
      throw new AssertionError("term " + term + " has leaders " + other + " and " + node.id);
    }
    S subject = node.subject();
    for (long slot = subject.base() + 1; slot <= decidedAnywhere(); slot++) {
      if (!Arrays.equals(subject.command(slot), history.get((int) slot - 1))) {
        throw new AssertionError(node.id + " leads without slot " + slot);
      }
    }
  }

  private void compare() {
    for (ToyNode<S> a : nodes.values()) {
      for (ToyNode<S> b : nodes.values()) {
        if (a.isUp() && b.isUp() && a.id.compareTo(b.id) < 0) {
          compare(a, b);
        }
      }
    }
  }

  private void compare(ToyNode<S> a, ToyNode<S> b) {
    try {
      specimen.compare(a.subject(), b.subject());
    } catch (AssertionError e) {
      throw new AssertionError(a.id + " and " + b.id + ": " + e.getMessage(), e);
    }
  }

  /** The replica that leads in the latest term. */
  public ToyNode<S> leader() {
    ToyNode<S> leader = null;
    for (ToyNode<S> node : nodes.values()) {
      if (node.leads() && (leader == null || node.term() > leader.term())) {
        leader = node;
      }
    }
    if (leader == null) {
      throw new AssertionError("no leader after everything healed: " + views());
    }
    return leader;
  }

  private String views() {
    StringBuilder text = new StringBuilder();
    nodes.values().forEach(node -> text.append(node.id).append(' ').append(node.core().view()));
    return text.toString();
  }

  /** The replica of that name. */
  public ToyNode<S> node(NodeId id) {
    ToyNode<S> node = nodes.get(id);
    if (node == null) {
      throw new AssertionError("no node " + id);
    }
    return node;
  }

  /** Whether any replica has decided that command. */
  public boolean isDecided(byte[] command) {
    return history.stream().anyMatch(it -> Arrays.equals(it, command));
  }
}
