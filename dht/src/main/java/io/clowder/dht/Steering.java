// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import io.clowder.dht.TablePlacement.Holding;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings about what the table says, and changes it where it has to be: joins, leaves, fails who is
 * suspected, asks for a placement, and has the partitions that this node owns copied to whoever is
 * to hold them.
 *
 * <p>A copy in the making gets new writes from the beginning, but nobody waits for it. When it
 * nearly has everything, writes wait for it too; then it is compared once more, and what differed
 * is sent: now it has all that was acknowledged, and the owner says so in consensus. An owner that
 * hands a partition over begins nothing new, lets end what is under way, and says that it has
 * stopped; so the next one need not wait for its lease.
 */
final class Steering {
  private static final long SECOND = 1_000_000_000L;

  /** How long changes are gathered before a placement is made for all of them. */
  private static final long SETTLE_NANOS = 300_000_000L;

  /** How many entries one command has at most. */
  private static final int COMMAND_PARTS = 512;

  /** How many values are forgotten at a time. */
  private static final int FORGOTTEN_AT_ONCE = 2_000;

  /** How many differences may be left when writes begin to wait for a copy. */
  private static final long NEARLY = 64;

  private final Shelf shelf;
  private final TablePlacement placement;
  private final Coordination coordination;
  private final Reconciliation reconciliation;
  private final TablePlacement.Consensus consensus;
  private final TableCommand.Join join;
  private final Supplier<PlacementPolicy> policy;
  private final Map<Integer, Movement> movements = new HashMap<>();
  private final Map<NodeId, Long> suspects = new HashMap<>();
  private final Deque<Integer> toForget = new ArrayDeque<>();
  private boolean wasMember;
  private boolean isLeaving;
  private boolean isProposing;
  private String refusal = "";
  private long steerAt;
  private long proposeAt;
  private long repairAt;
  private long placeDueSince = Ring.NEVER;

  /** The copies of a partition that this node makes. */
  private static final class Movement {
    final Holding holding;

    /** With whom it is compared at present. */
    final Set<NodeId> comparing = new HashSet<>();

    /** With whom it was found, or made, the same since it was last said to be settled. */
    final Set<NodeId> same = new HashSet<>();

    /** How many values have come from others. */
    long fetched;

    /** Who has all, and is to be told of in consensus. */
    final Set<NodeId> complete = new HashSet<>();

    long retryAt;

    Movement(Holding holding) {
      this.holding = holding;
    }
  }

  Steering(
      Shelf shelf,
      TablePlacement placement,
      Coordination coordination,
      Reconciliation reconciliation,
      TablePlacement.Consensus consensus,
      TableCommand.Join join,
      Supplier<PlacementPolicy> policy) {
    this.shelf = shelf;
    this.placement = placement;
    this.coordination = coordination;
    this.reconciliation = reconciliation;
    this.consensus = consensus;
    this.join = join;
    this.policy = policy;
    this.steerAt = shelf.now;
    this.repairAt = afterInterval();
  }

  // ---- what is wanted ------------------------------------------------------------------------

  /** Has this node hand over what it has, and be no member any more. */
  void leave() {
    isLeaving = true;
    soon();
  }

  /** Has this node be a member. */
  void join() {
    isLeaving = false;
    soon();
  }

  /** Whether this node wanted to leave, and has. */
  boolean hasLeft() {
    Table table = placement.table();
    return isLeaving && table != null && table.member(shelf.me.node()) == null;
  }

  /** Why consensus does not want this node as a member; empty if it does. */
  String refusal() {
    return refusal;
  }

  /** How many copies are being made, or compared. */
  int moving() {
    return reconciliation.count();
  }

  /**
   * Compares what this node owns with the copies, and mends what differs.
   *
   * @param then is told how many values were moved
   */
  void repair(LongConsumer then) {
    Table table = placement.table();
    long[] moved = {0, 1};
    Runnable ended =
        () -> {
          if (--moved[1] == 0) {
            then.accept(moved[0]);
          }
        };
    for (int partition : List.copyOf(placement.holdings().keySet())) {
      if (table == null) {
        break;
      }
      Assignment assignment = table.assignment(partition);
      for (NodeId node : assignment.holders()) {
        Seat seat = placement.seat(node);
        if (!node.equals(shelf.me.node()) && seat != null) {
          moved[1]++;
          Interval interval = interval(table, partition);
          Job job = new Job(interval, seat, Mode.MERGE, assignment.version(), true);
          reconciliation.begin(
              job,
              new Reconciliation.Outcome() {
                @Override
                public void ended(boolean isDone, long count, boolean isWhole) {
                  moved[0] += count;
                  ended.run();
                }

                @Override
                public void fetched() {
                  unsettle(partition);
                }
              });
        }
      }
    }
    ended.run();
  }

  /** What comes from one holder is not to be told before the others have it. */
  private void unsettle(int partition) {
    Holding holding = placement.holdings().get(partition);
    Movement movement = movements.get(partition);
    if (holding != null) {
      holding.isSettled = false;
    }
    if (movement != null) {
      movement.same.clear();
      movement.fetched++;
    }
  }

  /** Who is suspected of having failed, now. */
  void suspects(Set<NodeId> nodes) {
    suspects.keySet().retainAll(nodes);
    nodes.forEach(it -> suspects.putIfAbsent(it, shelf.now));
    soon();
  }

  private void soon() {
    steerAt = Math.min(steerAt, shelf.now);
  }

  // ---- the table -----------------------------------------------------------------------------

  /** There is another table than before. */
  void tableChanged(@Nullable Table before) {
    Table table = placement.table();
    if (table == null) {
      return;
    }
    if (!table.isPlacementDue()) {
      placeDueSince = Ring.NEVER;
    } else if (placeDueSince == Ring.NEVER || isOtherMembership(before, table)) {
      placeDueSince = shelf.now;
    }
    if (placement.isMember()) {
      forgetOthers(before, table);
    }
    movements
        .entrySet()
        .removeIf(it -> placement.holdings().get(it.getKey()) != it.getValue().holding);
    for (Map.Entry<Integer, Movement> it : movements.entrySet()) {
      Assignment now = table.assignment(it.getKey());
      if (before == null || now.version() != before.assignment(it.getKey()).version()) {
        it.getValue().complete.clear();
        it.getValue().holding.required.retainAll(now.joining());
      }
    }
    reconciliation.cancelIf(job -> isOld(job, table));
    soon();
  }

  private static boolean isOtherMembership(@Nullable Table before, Table table) {
    return before == null || !before.candidates().equals(table.candidates());
  }

  private boolean isOld(Job job, Table table) {
    int partition = table.partitionOf(job.interval().upTo());
    return job.stamp() != table.assignment(partition).version()
        || !job.with().equals(placement.seat(job.with().node()));
  }

  /** What this node is neither to hold nor holds is void: others have all of it, and more. */
  private void forgetOthers(@Nullable Table before, Table table) {
    for (int i = 0; i < table.settings().partitions(); i++) {
      Assignment now = table.assignment(i);
      boolean isChanged =
          before == null || !wasMember || now.version() != before.assignment(i).version();
      if (isChanged && !now.concerns(shelf.me.node())) {
        toForget.add(i);
      }
      boolean isNews = before == null || now.lost() > before.assignment(i).lost();
      if (now.lost() > 0 && (isNews || !wasMember)) {
        forgetVoid(interval(table, i), now.lost());
      }
    }
    wasMember = true;
  }

  /** What was given before the content was lost is older than what was lost. */
  private void forgetVoid(Interval interval, long lostAt) {
    for (Value value : shelf.values.in(interval)) {
      if (value.version().major() < lostAt) {
        shelf.forget(value.id());
      }
    }
  }

  private void forget() {
    Table table = placement.table();
    int left = FORGOTTEN_AT_ONCE;
    while (left > 0 && !toForget.isEmpty() && table != null) {
      int partition = toForget.peek();
      List<Value> values =
          table.assignment(partition).concerns(shelf.me.node())
              ? List.of()
              : shelf.values.in(interval(table, partition));
      for (Value value : values.subList(0, Math.min(left, values.size()))) {
        shelf.forget(value.id());
      }
      left -= values.size();
      if (left >= 0) {
        toForget.remove();
      }
    }
  }

  static Interval interval(Table table, int partition) {
    Partitions partitions = table.partitions();
    return new Interval(partitions.after(partition), partitions.last(partition));
  }

  // ---- time ----------------------------------------------------------------------------------

  long dueAt() {
    return toForget.isEmpty() ? steerAt : shelf.now;
  }

  void tick() {
    forget();
    if (steerAt > shelf.now) {
      return;
    }
    steerAt = shelf.now + SECOND / 10;
    placement.tryAgain();
    Table table = placement.table();
    if (proposeAt <= shelf.now && !isProposing) {
      TableCommand command = membership(table);
      if (command != null) {
        propose(command);
      }
    }
    if (table != null && placement.isMember()) {
      move(table);
      if (repairAt <= shelf.now && reconciliation.count() == 0) {
        repairAt = afterInterval();
        repair(moved -> {});
      }
    }
  }

  private long afterInterval() {
    long interval = shelf.settings.antiEntropyNanos();
    return shelf.now + interval / 2 + shelf.random.nextLong(interval);
  }

  /** What to propose about who is a member, and who gets what; null for nothing. */
  private @Nullable TableCommand membership(@Nullable Table table) {
    TableMember member = table == null ? null : table.member(shelf.me.node());
    boolean isIn = placement.isMember();
    if (isLeaving) {
      boolean isMember = isIn && member != null && member.state() == TableMember.State.MEMBER;
      if (isMember) {
        return new TableCommand.Leave(shelf.me.node(), shelf.me.life());
      }
    } else if (!isIn || (member != null && member.state() == TableMember.State.LEAVING)) {
      return join.after(member == null ? 0 : member.life());
    }
    if (table == null || !isIn) {
      return null;
    }
    TableCommand failure = failure(table);
    return failure != null ? failure : placing(table);
  }

  private @Nullable TableCommand failure(Table table) {
    for (Map.Entry<NodeId, Long> suspect : suspects.entrySet()) {
      TableMember member = table.member(suspect.getKey());
      if (member != null
          && member.state() != TableMember.State.FAILED
          && shelf.now - suspect.getValue() >= patience(table)) {
        return new TableCommand.Fail(member.node(), member.life(), shelf.me.node());
      }
    }
    return null;
  }

  /** The first that nobody suspects does it at once, the others if it does not. */
  private long patience(Table table) {
    for (TableMember member : table.members().values()) {
      if (member.state() != TableMember.State.FAILED && !suspects.containsKey(member.node())) {
        return member.node().equals(shelf.me.node()) ? 0 : 2 * SECOND;
      }
    }
    return 0;
  }

  private @Nullable TableCommand placing(Table table) {
    if (placeDueSince == Ring.NEVER
        || shelf.now - placeDueSince < SETTLE_NANOS + patience(table)
        || table.candidates().isEmpty()) {
      return null;
    }
    List<List<NodeId>> placed = policy.get().place(table.placement());
    return new TableCommand.Place(shelf.me.node(), table.epoch(), placed);
  }

  private void propose(TableCommand command) {
    isProposing = true;
    consensus.propose(
        command,
        verdict -> {
          isProposing = false;
          boolean isRefused = verdict != null && !verdict.isAccepted();
          if (command instanceof TableCommand.Join) {
            refusal = isRefused ? verdict.reason() : "";
            if (verdict != null && verdict.isAccepted()) {
              placement.joined(verdict.epoch());
              tableChanged(null);
            }
          }
          // What was refused is tried again only once there may be a reason to.
          proposeAt = shelf.now + (isRefused ? SECOND : SECOND / 10);
          soon();
        });
  }

  // ---- copies --------------------------------------------------------------------------------

  private void move(Table table) {
    List<TableCommand.Copy> held = new ArrayList<>();
    List<Integer> closing = new ArrayList<>();
    for (Map.Entry<Integer, Holding> entry : placement.holdings().entrySet()) {
      int partition = entry.getKey();
      Holding holding = entry.getValue();
      Assignment assignment = table.assignment(partition);
      boolean isAlone = assignment.holders().size() == 1;
      holding.isSettled |= isAlone;
      if (shelf.now < holding.servesFrom || (holding.isSettled && assignment.isSettled())) {
        movements.remove(partition);
        continue;
      }
      Movement movement = movements.computeIfAbsent(partition, it -> new Movement(holding));
      if (movement.retryAt > shelf.now) {
        continue;
      }
      if (!holding.isSettled) {
        settle(table, partition, assignment, movement);
      }
      for (NodeId node : assignment.joining()) {
        copy(table, partition, movement, node);
      }
      for (NodeId node : movement.complete) {
        held.add(new TableCommand.Copy(partition, assignment.version(), node));
      }
      if (isToHandOver(assignment, holding)) {
        holding.isClosing = true;
        closing.add(partition);
      }
    }
    say(table, held, closing);
  }

  private boolean isToHandOver(Assignment assignment, Holding holding) {
    return holding.isSettled
        && !assignment.isSettled()
        && !assignment.targets().isEmpty()
        && assignment.targets().indexOf(shelf.me.node()) != 0
        && assignment.holders().containsAll(assignment.targets());
  }

  /** Has all holders have what this one has, and the other way round. */
  private void settle(Table table, int partition, Assignment assignment, Movement movement) {
    List<NodeId> others = new ArrayList<>(assignment.holders());
    others.remove(shelf.me.node());
    others.removeAll(movement.same);
    movement.holding.isSettled = others.isEmpty();
    long asOf = movement.fetched;
    for (NodeId node : others) {
      Seat seat = placement.seat(node);
      if (seat != null) {
        compare(
            table,
            partition,
            movement,
            seat,
            Mode.MERGE,
            moved -> {
              // What came meanwhile from another one, or from this, not all have.
              if (movement.fetched == asOf) {
                movement.same.add(node);
              }
            });
      }
    }
  }

  private void copy(Table table, int partition, Movement movement, NodeId node) {
    Seat seat = placement.seat(node);
    if (seat == null || movement.complete.contains(node)) {
      return;
    }
    boolean isRequired = movement.holding.required.contains(node);
    compare(
        table,
        partition,
        movement,
        seat,
        Mode.MIRROR,
        moved -> {
          if (isRequired) {
            movement.complete.add(node);
          } else if (moved <= NEARLY) {
            movement.holding.required.add(node);
            coordination.placementChanged();
          }
        });
  }

  /** What is done once both have the same. */
  private interface Then {
    void same(long moved);
  }

  private void compare(
      Table table, int partition, Movement movement, Seat seat, Mode mode, Then then) {
    if (!movement.comparing.add(seat.node())) {
      return;
    }
    long version = table.assignment(partition).version();
    Job job = new Job(interval(table, partition), seat, mode, version, true);
    reconciliation.begin(
        job,
        new Reconciliation.Outcome() {
          @Override
          public void fetched() {
            unsettle(partition);
          }

          @Override
          public void ended(boolean isDone, long moved, boolean isWhole) {
            movement.comparing.remove(seat.node());
            if (movements.get(partition) != movement) {
              return;
            }
            if (isDone) {
              then.same(moved);
            } else {
              failed(movement, job);
            }
            soon();
          }
        });
  }

  /** Nobody waits for it any longer than it answers. */
  private void failed(Movement movement, Job job) {
    movement.holding.required.remove(job.with().node());
    coordination.placementChanged();
    Table now = placement.table();
    if (now != null && !isOld(job, now)) {
      movement.retryAt = shelf.now + SECOND;
    }
  }

  private void say(Table table, List<TableCommand.Copy> held, List<Integer> closing) {
    if (isProposing || proposeAt > shelf.now) {
      return;
    }
    if (!held.isEmpty()) {
      List<TableCommand.Copy> some = held.subList(0, Math.min(held.size(), COMMAND_PARTS));
      propose(new TableCommand.Held(shelf.me.node(), shelf.me.life(), List.copyOf(some)));
      return;
    }
    Set<Integer> busy = new HashSet<>();
    coordination.keys().forEach(it -> busy.add(table.partitionOf(it)));
    List<TableCommand.Part> parts = new ArrayList<>();
    for (int partition : closing) {
      if (!busy.contains(partition) && parts.size() < COMMAND_PARTS) {
        parts.add(new TableCommand.Part(partition, table.assignment(partition).version()));
      }
    }
    if (!parts.isEmpty()) {
      propose(new TableCommand.HandOver(shelf.me.node(), shelf.me.life(), parts));
    }
  }
}
