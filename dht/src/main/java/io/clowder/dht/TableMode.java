// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.dht.KeeperMessage.Tallied;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A node on a ring of mode {@code consistent}. */
final class TableMode implements RingMode, Tables.Party {
  private final String name;
  private final Seat me;
  private final DhtSetting setting;
  private final Tables tables;
  private final Executor thread;
  private final TableKeeper keeper;
  private final Consumer<NodeId> otherMode;

  /**
   * A node that joins, or comes back.
   *
   * @param thread has tasks run on the ring's thread
   * @param otherMode tells a node that has the ring in mode {@code peer}
   */
  TableMode(
      String name,
      DhtSetting setting,
      Shelf shelf,
      Tables tables,
      Executor thread,
      Supplier<PlacementPolicy> policy,
      Consumer<NodeId> otherMode) {
    this.name = name;
    this.me = shelf.me;
    this.setting = setting;
    this.tables = tables;
    this.thread = thread;
    this.otherMode = otherMode;
    TablePlacement.Consensus consensus =
        new TablePlacement.Consensus() {
          @Override
          public void read(Consumer<Boolean> then) {
            tables.read(isDone -> onThread(() -> then.accept(isDone)));
          }

          @Override
          public void propose(TableCommand command, Consumer<@Nullable Verdict> then) {
            tables.propose(name, command, verdict -> onThread(() -> then.accept(verdict)));
          }
        };
    TableCommand.Join join =
        new TableCommand.Join(
            me.node(), me.life(), 0, setting.domain(), setting.weight(), setting.table());
    keeper = new TableKeeper(shelf, consensus, join, policy);
  }

  /** With the time that it is then. */
  private void onThread(Runnable task) {
    thread.execute(
        () -> {
          keeper.at(System.nanoTime());
          task.run();
        });
  }

  @Override
  public void committed(Table table) {
    thread.execute(() -> keeper.committed(table, System.nanoTime()));
  }

  @Override
  public void suspects(SortedSet<NodeId> nodes) {
    SortedSet<NodeId> others = new TreeSet<>(nodes);
    others.remove(me.node());
    thread.execute(() -> keeper.suspects(others, System.nanoTime()));
  }

  @Override
  public void ask(long ticket, Ask ask, long deadline, long now) {
    keeper.keeper().ask(ticket, ask, deadline, now);
  }

  @Override
  public void look(long ticket, Identifier id, long deadline, long now) {
    keeper.keeper().look(ticket, id, deadline, now);
  }

  @Override
  public void tally(Seat seat, BiConsumer<Seat, Tallied> then, long now) {
    keeper.keeper().tally(seat, then, now);
  }

  @Override
  public void received(Seat source, Seat target, KeeperMessage message, long now) {
    keeper.keeper().received(source, target, message, now);
  }

  @Override
  public void durable(long number, long now) {
    keeper.keeper().durable(number, now);
  }

  @Override
  public void endCalls(long now) {
    keeper.keeper().close(now);
  }

  @Override
  public void lookup(Identifier id, Consumer<@Nullable LookupResult> then) {
    Table table = keeper.table();
    List<NodeId> holders =
        table == null ? List.of() : table.assignment(table.partitionOf(id)).holders();
    if (table == null || holders.isEmpty()) {
      then.accept(null);
      return;
    }
    NodeId owner = holders.get(0);
    List<NodeId> path = owner.equals(me.node()) ? List.of() : List.of(owner);
    then.accept(
        new LookupResult(
            id.toString(), owner, holders.subList(1, holders.size()), path, 0, 0, table.epoch()));
  }

  @Override
  public long revision() {
    Table table = keeper.table();
    long epoch = table == null ? 0 : table.epoch();
    return (epoch << 20) + 2L * keeper.serving().size() + (keeper.isMember() ? 1 : 0);
  }

  @Override
  public RingView view() {
    Table table = keeper.table();
    List<RingView.Place> places = new ArrayList<>();
    List<NodeId> order = new ArrayList<>();
    if (table != null) {
      Map<NodeId, Integer> owned = new HashMap<>();
      for (Assignment it : table.assignments()) {
        NodeId owner = it.owner();
        if (owner != null) {
          owned.merge(owner, 1, Integer::sum);
        }
      }
      Map<Identifier, TableMember> circle = new TreeMap<>();
      table.members().values().forEach(it -> circle.put(place(it.node()), it));
      circle.forEach(
          (id, member) -> {
            order.add(member.node());
            double share =
                owned.getOrDefault(member.node(), 0) / (double) table.settings().partitions();
            places.add(
                new RingView.Place(
                    member.node(),
                    id.toString(),
                    member.domain(),
                    share,
                    member.state().name().toLowerCase(Locale.ROOT)));
          });
    }
    int here = order.indexOf(me.node());
    List<NodeId> successors = new ArrayList<>(order);
    if (here >= 0) {
      Collections.rotate(successors, -here);
      successors.remove(0);
    }
    return new RingView(
        name,
        Dht.Mode.CONSISTENT,
        table == null ? 0 : table.epoch(),
        setting.table().hash(),
        setting.table().replicas(),
        me.node(),
        keeper.isMember(),
        here >= 0 && !successors.isEmpty() ? successors.get(successors.size() - 1) : null,
        here >= 0 ? successors : List.of(),
        places);
  }

  /** Where a member is drawn; what it owns does not depend on it. */
  private Identifier place(NodeId node) {
    return Identifier.hash(setting.table().hash(), node.value().getBytes(UTF_8));
  }

  @Override
  public void ring(Consumer<RingView> then) {
    then.accept(view());
  }

  @Override
  public List<Range> owned() {
    Table table = keeper.table();
    return table == null ? List.of() : ranges(table, new TreeSet<>(keeper.serving()));
  }

  @Override
  public void ranges(Consumer<List<Range>> then) {
    Table table = keeper.table();
    SortedSet<Integer> all = new TreeSet<>();
    for (int i = 0; table != null && i < table.settings().partitions(); i++) {
      all.add(i);
    }
    then.accept(table == null ? List.of() : ranges(table, all));
  }

  /** Partitions next to each other that are kept by the same nodes are one range. */
  private static List<Range> ranges(Table table, SortedSet<Integer> partitions) {
    List<Range> ranges = new ArrayList<>();
    int last = -2;
    for (int partition : partitions) {
      Assignment it = table.assignment(partition);
      NodeId owner = it.owner();
      if (owner == null) {
        continue;
      }
      List<NodeId> others = it.holders().subList(1, it.holders().size());
      boolean isWhole = it.isSettled() && it.holders().size() >= table.settings().replicas();
      String upTo = table.partitions().last(partition).toString();
      Range before = ranges.isEmpty() ? null : ranges.get(ranges.size() - 1);
      if (before != null
          && last == partition - 1
          && before.owner().equals(owner)
          && before.replicas().equals(others)
          && before.isWhole() == isWhole) {
        long epoch = Math.max(before.epoch(), it.ownerSince());
        ranges.set(
            ranges.size() - 1, new Range(before.after(), upTo, owner, others, epoch, isWhole));
      } else {
        String after = table.partitions().after(partition).toString();
        ranges.add(new Range(after, upTo, owner, others, it.ownerSince(), isWhole));
      }
      last = partition;
    }
    return ranges;
  }

  @Override
  public void seats(Consumer<List<Seat>> then) {
    then.accept(keeper.seats());
  }

  @Override
  public List<String> problems() {
    return keeper.problems();
  }

  @Override
  public List<String> reasonsToStay(NodeId node) {
    Table table = keeper.table();
    if (table == null) {
      return List.of("the view is not known: consensus has not answered (clowder:why)");
    } else if (table.member(node) == null) {
      return List.of(); // It has nothing.
    }
    int last = 0;
    int few = 0;
    for (Assignment it : table.assignments()) {
      if (it.holders().contains(node)) {
        last += it.holders().size() == 1 ? 1 : 0;
        few += it.holders().size() - 1 < setting.keeper().writeQuorum() ? 1 : 0;
      }
    }
    List<String> reasons = new ArrayList<>();
    if (last > 0) {
      reasons.add(
          "%s has the only copy of %d of %d partitions: wait until they have others (dht:ring), or"
                  .formatted(node, last, table.settings().partitions())
              + " have it leave (dht:leave)");
    }
    if (few > last) {
      reasons.add(
          "writes to %d of %d partitions need %s, as write.quorum is %d"
              .formatted(few, table.settings().partitions(), node, setting.keeper().writeQuorum()));
    }
    return reasons;
  }

  @Override
  public void leave() {
    keeper.steering().leave();
  }

  @Override
  public void join() {
    keeper.steering().join();
  }

  @Override
  public boolean hasLeft() {
    return keeper.steering().hasLeft();
  }

  @Override
  public void abandon(NodeId node, Consumer<String> then) {
    tables.propose(
        name,
        new TableCommand.Remove(node),
        verdict ->
            then.accept(
                verdict == null
                    ? "consensus does not answer (clowder:why)"
                    : verdict.isAccepted() ? "" : verdict.reason()));
  }

  @Override
  public void repair(LongConsumer then) {
    keeper.steering().repair(then);
  }

  @Override
  public void lost(NodeId node, long now) {
    keeper.keeper().lost(node, now);
  }

  /** A ring of this mode has no messages of its own. */
  @Override
  public void received(NodeId from, byte[] message, long now) {
    keeper.otherMode(from, now);
    otherMode.accept(from);
  }

  @Override
  public long dueAt() {
    return keeper.dueAt();
  }

  @Override
  public void tick(long now) {
    keeper.tick(now);
  }

  /** Nobody suspects a node of which only this ends; so it says so itself. */
  @Override
  public void close(Runnable then) {
    if (keeper.isMember()) {
      TableCommand fail = new TableCommand.Fail(me.node(), me.life(), me.node());
      tables.propose(name, fail, verdict -> then.run());
    } else {
      then.run();
    }
  }
}
