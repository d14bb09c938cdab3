// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Consensus as a keeper sees it: one order of commands, tables that come late, reads that are not
 * answered before what they read is there; nothing on the smaller side of a parted network.
 */
final class ToyConsensus {
  private static final long TIMEOUT = 5 * KeeperWorld.SECOND;

  private final KeeperWorld world;
  private final Predicate<TableCommand> mayComeLate;
  private @Nullable Table table;
  private final List<Table> history = new ArrayList<>();
  private int commands;

  ToyConsensus(KeeperWorld world, Predicate<TableCommand> mayComeLate) {
    this.world = world;
    this.mayComeLate = mayComeLate;
  }

  @Nullable Table table() {
    return table;
  }

  int commands() {
    return commands;
  }

  /** How one node sees it. */
  TablePlacement.Consensus of(KeeperWorld.Computer computer, Consumer<Table> committed) {
    // Who is started hears of what was, before it hears of what is.
    if (!history.isEmpty()) {
      Table former = history.get(world.random.nextInt(history.size()));
      computer.onIt(delay(), () -> committed.accept(former));
    }
    return new TablePlacement.Consensus() {
      @Override
      public void read(Consumer<Boolean> then) {
        if (!isReached(computer.node())) {
          computer.onIt(TIMEOUT, () -> then.accept(false));
          return;
        }
        world.at(
            delay(),
            () -> {
              Table present = table;
              boolean isLost = !isReached(computer.node());
              computer.onIt(
                  isLost ? TIMEOUT : delay(),
                  () -> {
                    if (present != null && !isLost) {
                      committed.accept(present);
                    }
                    then.accept(!isLost);
                  });
            });
      }

      @Override
      public void propose(TableCommand command, Consumer<@Nullable Verdict> then) {
        boolean isReached = isReached(computer.node());
        if (!isReached && world.random.nextBoolean()) {
          computer.onIt(TIMEOUT, () -> then.accept(null));
          return;
        }
        // What does not get there now may get there late, when nobody waits for it any more.
        world.at(
            isReached ? delay() : TIMEOUT + delay(),
            () -> {
              if (!isReached && !mayComeLate.test(command)) {
                computer.onIt(0, () -> then.accept(null));
                return;
              }
              Verdict verdict = apply(command);
              boolean isTold = isReached && world.random.nextInt(50) > 0;
              computer.onIt(isTold ? delay() : TIMEOUT, () -> then.accept(isTold ? verdict : null));
            });
      }
    };
  }

  /** Only with most of all nodes, and only from among them. */
  private boolean isReached(NodeId node) {
    int count = 0;
    for (KeeperWorld.Computer computer : world.up()) {
      count += !computer.isPaused() && world.side(computer.node()) == 0 ? 1 : 0;
    }
    return 2 * count > world.computers().size() && world.side(node) == 0;
  }

  private long delay() {
    return KeeperWorld.MILLI + world.random.nextInt((int) (4 * KeeperWorld.MILLI));
  }

  private Verdict apply(TableCommand command) {
    commands++;
    Table before = table;
    if (before == null) {
      if (!(command instanceof TableCommand.Join join)) {
        return Verdict.refused(0, "no ring");
      }
      before = Table.empty(join.settings());
    }
    TableChange.Outcome outcome = TableChange.of(before, command);
    Table next = outcome.table();
    if (Boolean.getBoolean("dht.trace")) {
      String text = command.toString();
      System.out.println(
          world.now() / 1_000_000
              + " "
              + text.substring(0, Math.min(200, text.length()))
              + " -> "
              + outcome.refusal()
              + next.epoch()
              + " 0: "
              + next.assignment(0));
    }
    table = next;
    history.add(next);
    if (next.epoch() != before.epoch()) {
      world.up().forEach(it -> tell(it, next));
    }
    return outcome.isAccepted()
        ? Verdict.accepted(next.epoch())
        : Verdict.refused(next.epoch(), outcome.refusal());
  }

  /** Some hear of it much later than others. */
  private void tell(KeeperWorld.Computer computer, Table next) {
    if (isReached(computer.node()) && computer.machine() instanceof TableMachineOn it) {
      long late = world.random.nextInt(30) == 0 ? 700 * KeeperWorld.MILLI : 0;
      computer.onIt(delay() + late, () -> it.committed(next));
    }
  }

  /** Has everybody know the present table who can, as who was away gets the log. */
  void catchUp() {
    Table present = table;
    if (present != null) {
      world.up().forEach(it -> tell(it, present));
    }
  }

  /** What can be told of tables. */
  interface TableMachineOn {
    void committed(Table table);
  }
}
