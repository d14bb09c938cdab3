// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Cores with toy drivers in one thread, in virtual time, with everything going wrong by a seed. */
final class ToyWorld {

  /** Some commands are so long that a few of them make a batch. */
  private static final int BIG_BYTES = Limits.BATCH_BYTES / 3;

  /** Mistakes that the checks must find, to know that they can. */
  enum Plant {
    NONE,
    FORGOTTEN_VOTES,
    EARLY_SENDS,
    LYING_REPLIES,
    FORGED_ROUNDS
  }

  private record Happening(long at, long order, Runnable run) {}

  final CoreSetting.Timing timing;
  final SplittableRandom random;
  final Plant plant;
  final boolean trimsAnywhere;
  final List<NodeId> members = new ArrayList<>();
  long now;
  long steps;
  long reads;

  private final Map<NodeId, ToyNode> nodes = new HashMap<>();
  private final PriorityQueue<Happening> agenda =
      new PriorityQueue<>(
          (a, b) -> a.at != b.at ? Long.compare(a.at, b.at) : Long.compare(a.order, b.order));
  private final RaftCodec codec = new RaftCodec();
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

  ToyWorld(long seed, Plant plant) {
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
    found(size);
  }

  /** A world without faults: messages take up to half a millisecond, syncs up to two. */
  ToyWorld(long seed, int size, CoreSetting.Timing timing) {
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
    found(size);
  }

  private void found(int size) {
    for (int i = 1; i <= size; i++) {
      members.add(new NodeId("n" + i));
    }
    members.forEach(id -> nodes.put(id, new ToyNode(id, this)));
  }

  /** A time of trouble, a time of healing, and the demand that it then works. */
  void run(long trouble) {
    nodes.values().forEach(ToyNode::start);
    after(random.nextInt(5_000), this::clients);
    after(random.nextInt(50_000), this::faults);
    runUntil(trouble);
    heal();
    runUntil(now + 15 * timing.electionNanos());
    long goal = decidedAnywhere() + 1;
    ToyNode leader = leader();
    leader.step(new Event.Propose(0, List.of(command())));
    runUntil(now + 4 * timing.electionNanos());
    for (ToyNode node : nodes.values()) {
      if (node.applied < goal || node.applied != leader.applied) {
        throw new AssertionError(
            node.id + " is at " + node.applied + ", not at " + goal + ": " + leader.core().view());
      }
    }
    matchLogs();
  }

  void runUntil(long end) {
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
  private void at(ToyNode node, long delay, Runnable run) {
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

  void wake(ToyNode node, long time) {
    at(node, Math.max(0, time - now), () -> node.step(null));
  }

  void scheduleSync(ToyNode node, long sequence) {
    at(node, 1 + random.nextLong(syncMax), () -> node.syncedUpTo(sequence));
  }

  void send(NodeId from, NodeId to, RaftMessage message) {
    RaftMessage sent = plant == Plant.NONE ? message : tampered(message);
    ToyNode target = node(to);
    if (from.equals(to)) {
      at(target, 0, () -> target.step(new Event.Receive(from, sent)));
      return;
    }
    if (plant == Plant.FORGED_ROUNDS && message instanceof Heartbeat m && m.round() > 0) {
      HeartbeatReply forged = new HeartbeatReply(m.term(), m.round());
      at(node(from), 0, () -> node(from).step(new Event.Receive(to, forged)));
    }
    if (cut.contains(from + ">" + to) || (!healed && random.nextDouble() < lossRate)) {
      return;
    }
    writer.reset();
    codec.write(sent, writer);
    byte[] bytes = writer.toByteArray();
    int copies = !healed && random.nextDouble() < doubleRate ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      boolean late = !healed && random.nextDouble() < lateRate;
      long delay = 50 + random.nextLong(late ? 3 * timing.electionNanos() : delayMax);
      after(delay, () -> deliver(from, target, bytes));
    }
  }

  private void deliver(NodeId from, ToyNode target, byte[] bytes) {
    if (target.isUp()) {
      RaftMessage received = (RaftMessage) codec.read(new WireReader(bytes));
      at(target, 0, () -> target.step(new Event.Receive(from, received)));
    }
  }

  private RaftMessage tampered(RaftMessage message) {
    if (plant == Plant.LYING_REPLIES && message instanceof AppendReject m) {
      return new AppendReply(m.term(), m.prevIndex());
    }
    return message;
  }

  void sendSnapshot(NodeId from, NodeId to, long slot, byte[] anchor) {
    ToyNode target = node(to);
    if (!cut.contains(from + ">" + to)) {
      after(random.nextLong(3 * delayMax), () -> at(target, 0, () -> target.install(slot, anchor)));
    }
  }

  private void clients() {
    ToyNode node = node(members.get(random.nextInt(members.size())));
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

  byte[] command() {
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
    ToyNode node = node(members.get(random.nextInt(members.size())));
    switch (random.nextInt(8)) {
      case 0, 1 -> {
        if (node.isUp()) {
          node.crash();
          restartSoon(node);
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
    matchLogs();
    after(random.nextLong(150_000), this::faults);
  }

  /** Crashes come between any two actions, and gladly after a vote, which must not be forgotten. */
  boolean strikesAfter(Action action) {
    boolean voted =
        action instanceof Action.Send send
            && send.message() instanceof VoteReply reply
            && reply.granted()
            && !reply.pre();
    return !healed && random.nextDouble() < (voted ? 0.5 : strikeRate);
  }

  void restartSoon(ToyNode node) {
    after(random.nextBoolean() ? 1 : random.nextLong(100_000), () -> restart(node));
  }

  private void restart(ToyNode node) {
    if (!node.isUp()) {
      node.start();
    }
  }

  void cut(NodeId from, NodeId to) {
    cut.add(from + ">" + to);
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
    for (ToyNode node : nodes.values()) {
      node.pausedUntil = 0;
      restart(node);
    }
  }

  /** One command per slot (state machine safety), and no gaps. */
  void decided(ToyNode node, long first, List<byte[]> slots) {
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

  long decidedAnywhere() {
    return history.size();
  }

  /** Election safety, and leader completeness: it holds all that was decided anywhere. */
  void leads(ToyNode node, long term) {
    NodeId other = leaders.putIfAbsent(term, node.id);
    if (other != null) {
      throw new AssertionError("term " + term + " has leaders " + other + " and " + node.id);
    }
    RaftLog log = node.replica().log;
    if (log.last() < decidedAnywhere()) {
      throw new AssertionError(
          node.id + " leads with a log up to " + log.last() + " of " + decidedAnywhere());
    }
    if (decidedAnywhere() > log.base()) {
      List<byte[]> own = log.decided(log.base() + 1, decidedAnywhere());
      for (int i = 0; i < own.size(); i++) {
        if (!Arrays.equals(own.get(i), history.get((int) (log.base() + i)))) {
          throw new AssertionError(node.id + " leads without slot " + (log.base() + 1 + i));
        }
      }
    }
  }

  /** Log matching: from the last entry that two logs share by term, they are equal backwards. */
  private void matchLogs() {
    for (ToyNode a : nodes.values()) {
      for (ToyNode b : nodes.values()) {
        if (a.isUp() && b.isUp() && a.id.compareTo(b.id) < 0) {
          matchLogs(a, b);
        }
      }
    }
  }

  private static void matchLogs(ToyNode a, ToyNode b) {
    RaftLog one = a.replica().log;
    RaftLog two = b.replica().log;
    boolean same = false;
    for (long i = Math.min(one.last(), two.last()); i > Math.max(one.base(), two.base()); i--) {
      boolean term = one.term(i) == two.term(i);
      boolean command = Arrays.equals(one.decided(i, i).get(0), two.decided(i, i).get(0));
      if ((same && !term) || (term && !command)) {
        throw new AssertionError("the logs of " + a.id + " and " + b.id + " differ at " + i);
      }
      same |= term;
    }
  }

  ToyNode leader() {
    ToyNode leader = null;
    for (ToyNode node : nodes.values()) {
      if (node.leads() && (leader == null || node.replica().term() > leader.replica().term())) {
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

  ToyNode node(NodeId id) {
    @Nullable ToyNode node = nodes.get(id);
    if (node == null) {
      throw new AssertionError("no node " + id);
    }
    return node;
  }

  long decidedCount() {
    return history.size();
  }
}
