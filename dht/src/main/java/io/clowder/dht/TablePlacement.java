// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who keeps what by a committed {@link Table}. All holders of a partition have to have a write, and
 * each of them refuses what was decided by an older assignment: so nobody acknowledges a write who
 * does not own its key any more. For reads, an owner has a lease: for so long after it began to
 * read the table from consensus, and whoever takes over from an owner that may not know it waits
 * for as long (Gray and Cheriton, "Leases", 1989).
 */
final class TablePlacement implements Placement {
  /** How long nobody takes over after an owner began to read the table. */
  static final long LEASE_NANOS = 500_000_000L;

  /** What the clocks of two nodes may differ in over a lease, and more. */
  private static final long WAIT_NANOS = LEASE_NANOS + LEASE_NANOS / 10;

  /** What this needs of consensus. */
  interface Consensus {
    /**
     * Reads the table of the moment, or a later one.
     *
     * @param then on this node's thread, after all tables up to it were given; false if it failed
     */
    void read(Consumer<Boolean> then);

    /** Proposes a change; what comes of it is seen in the next tables. */
    void propose(TableCommand command, Consumer<@Nullable Verdict> then);
  }

  /** What is known of a partition that this node owns. */
  static final class Holding {
    /** The epoch since which it owns it. */
    final long since;

    final long servesFrom;

    /** The version of its assignment, and its holders. */
    long version;

    List<NodeId> holders = List.of();

    /** Whether all that this node has is on all holders. */
    boolean isSettled;

    /** Whether it begins nothing new, so that it can be handed over. */
    boolean isClosing;

    /** Those that get all of it, and have to have new writes already. */
    final Set<NodeId> required = new HashSet<>();

    Holding(long since, long servesFrom) {
      this.since = since;
      this.servesFrom = servesFrom;
    }
  }

  private final Shelf shelf;
  private final Consensus consensus;
  private final Map<Integer, Holding> holdings = new HashMap<>();

  /** The newest assignments that owners spoke by of which this node had not learned yet. */
  private final Map<Integer, Long> heard = new HashMap<>();

  private final List<Runnable> confirming = new ArrayList<>();
  private @Nullable Table table;
  private long sureUntil = Long.MIN_VALUE;
  private boolean isReading;
  private boolean isCutOff;

  /** The epoch at which this life became a member; before, what the table says may be old. */
  private long joinedAt = Ring.NEVER;

  TablePlacement(Shelf shelf, Consensus consensus) {
    this.shelf = shelf;
    this.consensus = consensus;
  }

  @Nullable Table table() {
    return table;
  }

  /** What this life does counts from here on. */
  void joined(long epoch) {
    joinedAt = epoch;
    refresh();
  }

  /** Whether the table says that this life is a member, and is not of before it joined. */
  boolean isMember() {
    Table present = table;
    TableMember member = present == null ? null : present.member(shelf.me.node());
    return present != null
        && member != null
        && present.epoch() >= joinedAt
        && member.life() == shelf.me.life()
        && member.state() != TableMember.State.FAILED;
  }

  /** A table was committed. */
  void committed(Table next) {
    Table before = table;
    if (before == null || next.epoch() > before.epoch()) {
      table = next;
      heard.entrySet().removeIf(it -> it.getValue() <= next.assignment(it.getKey()).version());
      refresh();
    }
  }

  private void refresh() {
    Table present = table;
    if (present == null || !isMember()) {
      holdings.clear();
      return;
    }
    for (int i = 0; i < present.settings().partitions(); i++) {
      Assignment assignment = present.assignment(i);
      Holding holding = holdings.get(i);
      if (!shelf.me.node().equals(assignment.owner())) {
        holdings.remove(i);
        continue;
      } else if (holding == null || holding.since != assignment.ownerSince()) {
        long from = assignment.isReleased() ? shelf.now : shelf.now + WAIT_NANOS;
        holding = new Holding(assignment.ownerSince(), from);
        holdings.put(i, holding);
      } else if (holding.version != assignment.version()) {
        // What was said of an older assignment comes to nothing.
        holding.isClosing = false;
      }
      // Who has become a holder has all that was acknowledged, and maybe not what was found since.
      holding.isSettled &= holding.holders.containsAll(assignment.holders());
      holding.version = assignment.version();
      holding.holders = assignment.holders();
    }
  }

  /**
   * Whether consensus did not answer when this node read the table last. What it owns is not read
   * then, and stays its own: for all others it lives. That one of them has it failed is no way out,
   * since where consensus is slow for all, all would have each other failed.
   */
  boolean isCutOff() {
    return isCutOff;
  }

  /** Reads the table again if consensus did not answer; nobody else may want to. */
  void tryAgain() {
    if (isCutOff && !isReading) {
      read();
    }
  }

  /** The partitions that this node owns. */
  Map<Integer, Holding> holdings() {
    return holdings;
  }

  /** The present life of a node; null if it is no member. */
  @Nullable Seat seat(NodeId node) {
    TableMember member = table == null ? null : table.member(node);
    return member == null ? null : new Seat(node, member.life());
  }

  private List<Seat> seats(List<NodeId> nodes) {
    List<Seat> seats = new ArrayList<>(nodes.size());
    for (NodeId node : nodes) {
      Seat seat = seat(node);
      if (seat != null) {
        seats.add(seat);
      }
    }
    return seats;
  }

  // ---- for the keeper ------------------------------------------------------------------------

  @Override
  public void locate(Identifier id, Consumer<@Nullable Seat> then) {
    Table present = table;
    NodeId owner = present == null ? null : present.assignment(present.partitionOf(id)).owner();
    then.accept(owner == null ? null : seat(owner));
  }

  @Override
  public void keepers(Identifier id, Consumer<List<Seat>> then) {
    Table present = table;
    then.accept(
        present == null ? List.of() : seats(present.assignment(present.partitionOf(id)).holders()));
  }

  @Override
  public @Nullable Tenure tenure(Identifier id) {
    Table present = table;
    if (present == null) {
      return null;
    }
    int partition = present.partitionOf(id);
    Holding holding = holdings.get(partition);
    return holding == null || shelf.now < holding.servesFrom
        ? null
        : tenure(present.assignment(partition), holding);
  }

  private Tenure tenure(Assignment assignment, Holding holding) {
    List<NodeId> must = new ArrayList<>(assignment.holders());
    List<NodeId> others = new ArrayList<>();
    for (NodeId node : assignment.joining()) {
      (holding.required.contains(node) ? must : others).add(node);
    }
    must.remove(shelf.me.node());
    return new Tenure(
        assignment.version(),
        assignment.ownerSince(),
        seats(must),
        seats(others),
        shelf.settings.writeQuorum(),
        assignment.holders().size(),
        List.of(),
        0,
        holding.isSettled);
  }

  @Override
  public boolean accepts(Identifier id) {
    Table present = table;
    Holding holding = present == null ? null : holdings.get(present.partitionOf(id));
    return holding != null && !holding.isClosing && shelf.now >= holding.servesFrom;
  }

  @Override
  public boolean isSure(long now) {
    return now < sureUntil;
  }

  @Override
  public void confirm(Runnable then) {
    confirming.add(then);
    if (!isReading) {
      read();
    }
  }

  private void read() {
    isReading = true;
    long began = shelf.now;
    List<Runnable> those = List.copyOf(confirming);
    confirming.clear();
    consensus.read(
        isDone -> {
          isReading = false;
          isCutOff = !isDone;
          if (isDone) {
            sureUntil = Math.max(sureUntil, began + LEASE_NANOS);
          }
          those.forEach(Runnable::run);
          if (!confirming.isEmpty() && !isReading) {
            read();
          }
        });
  }

  @Override
  public boolean admits(Seat owner, Identifier id, long stamp) {
    Table present = table;
    if (present == null || !owner.equals(seat(owner.node()))) {
      return false;
    } else if (present.epoch() < joinedAt) {
      return false; // What is known may be older than what this node knew before it was started.
    }
    int partition = present.partitionOf(id);
    Assignment assignment = present.assignment(partition);
    if (stamp < heard.getOrDefault(partition, 0L)) {
      return false;
    } else if (stamp > assignment.version()) {
      // The owner knows more than this node: who owned it before is not heard any more.
      heard.put(partition, stamp);
      return true;
    }
    boolean isPresent = stamp == assignment.version() || owner.node().equals(assignment.owner());
    return isPresent && assignment.concerns(shelf.me.node());
  }

  @Override
  public void covered(Seat owner, Interval interval) {
    // The table says what this node is to keep.
  }

  @Override
  public boolean isWhole(Interval interval) {
    return true;
  }
}
