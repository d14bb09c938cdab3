// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.dht.KeeperMessage.Tallied;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One life of a node on a ring of mode {@code consistent}: its {@link Keeper}, by a table. */
final class TableKeeper {
  /** For how long it counts that somebody has another mode; on a ring, peers seldom say more. */
  private static final long STRANGE_NANOS = 30_000_000_000L;

  private final Shelf shelf;
  private final TablePlacement placement;
  private final Steering steering;
  private final Keeper keeper;
  private final Strangers strangers = new Strangers("mode consistent", STRANGE_NANOS);

  /**
   * A node that is to be a member.
   *
   * @param join says who it is
   * @param policy asked when it is this node that proposes
   */
  TableKeeper(
      Shelf shelf,
      TablePlacement.Consensus consensus,
      TableCommand.Join join,
      Supplier<PlacementPolicy> policy) {
    this.shelf = shelf;
    placement = new TablePlacement(shelf, consensus);
    Reconciliation reconciliation = new Reconciliation(shelf);
    keeper = new Keeper(shelf, placement, reconciliation, this::tally);
    steering =
        new Steering(
            shelf, placement, keeper.coordination(), reconciliation, consensus, join, policy);
  }

  /** What is done next is done at this time. */
  void at(long now) {
    shelf.now = now;
  }

  Keeper keeper() {
    return keeper;
  }

  Steering steering() {
    return steering;
  }

  @Nullable Table table() {
    return placement.table();
  }

  boolean isMember() {
    return placement.isMember();
  }

  /** The partitions that this node serves now. */
  List<Integer> serving() {
    List<Integer> serving = new ArrayList<>();
    placement
        .holdings()
        .forEach(
            (partition, holding) -> {
              if (holding.servesFrom <= shelf.now) {
                serving.add(partition);
              }
            });
    return serving;
  }

  /** Who is a member, with the life that it has. */
  List<Seat> seats() {
    Table table = placement.table();
    List<Seat> seats = new ArrayList<>();
    if (table != null) {
      table.members().values().forEach(it -> seats.add(new Seat(it.node(), it.life())));
    }
    return seats;
  }

  /** A table was committed. */
  void committed(Table table, long now) {
    shelf.now = now;
    Table before = placement.table();
    placement.committed(table);
    steering.tableChanged(before);
    keeper.placementChanged(now);
  }

  /** Who is suspected of having failed, now. */
  void suspects(Set<NodeId> nodes, long now) {
    shelf.now = now;
    steering.suspects(nodes);
  }

  private Tallied tally() {
    Table table = placement.table();
    long owned = 0;
    if (table != null) {
      for (int partition : placement.holdings().keySet()) {
        owned += shelf.values.digest(Steering.interval(table, partition)).count();
      }
    }
    return new Tallied(
        0, shelf.values.size(), shelf.values.bytes(), owned, steering.moving(), problems());
  }

  /** A node has the ring in mode {@code peer}. */
  void otherMode(NodeId node, long now) {
    shelf.now = now;
    strangers.heard(node, "mode peer", now);
  }

  /** What is not as it should be, a sentence each. */
  List<String> problems() {
    List<String> problems = strangers.problems(shelf.now);
    Table table = placement.table();
    if (!steering.refusal().isEmpty()) {
      problems.add("this node cannot join: " + steering.refusal());
    }
    if (table == null) {
      problems.add("the view is not known: consensus has not answered (clowder:why)");
      return problems;
    }
    if (placement.isCutOff() && !placement.holdings().isEmpty()) {
      problems.add(
          "consensus does not answer this node: what it owns cannot be read but by ANY (clowder:why)");
    }
    int unowned = 0;
    int few = 0;
    long lost = 0;
    SortedMap<NodeId, Integer> waiting = new TreeMap<>();
    for (int i = 0; i < table.settings().partitions(); i++) {
      Assignment it = table.assignment(i);
      unowned += it.owner() == null ? 1 : 0;
      few += it.holders().size() < table.settings().replicas() ? 1 : 0;
      lost += it.lost() > 0 ? 1 : 0;
      NodeId owner = it.owner();
      TableMember member = owner == null ? null : table.member(owner);
      if (member != null && member.state() == TableMember.State.FAILED) {
        waiting.merge(owner, 1, Integer::sum);
      }
    }
    int partitions = table.settings().partitions();
    if (unowned > 0) {
      problems.add(unowned + " of " + partitions + " partitions have no owner yet");
    } else if (few > 0) {
      problems.add(
          few
              + " of "
              + partitions
              + " partitions have fewer than "
              + table.settings().replicas()
              + " copies: "
              + table.candidates().size()
              + " nodes can keep any");
    }
    if (lost > 0) {
      problems.add(
          "the content of "
              + lost
              + " partitions was lost since the ring was founded, as all nodes that had it were gone");
    }
    waiting.forEach(
        (node, count) ->
            problems.add(
                node
                    + " has failed and has the only copy of "
                    + count
                    + " partitions: start it, or give it up (dht:abandon)"));
    return problems;
  }

  long dueAt() {
    return Math.min(keeper.dueAt(), steering.dueAt());
  }

  void tick(long now) {
    shelf.now = now;
    steering.tick();
    keeper.tick(now);
  }
}
