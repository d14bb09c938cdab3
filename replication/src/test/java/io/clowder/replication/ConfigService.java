// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.consensus.Entry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Consensus as it should be: one order of commands, with delays, and never down, though who decides
 * may be exchanged; a node may be cut off from it. What it runs is the machine that runs in a real
 * one.
 */
final class ConfigService {
  private static final String STORE = "main";

  private final ReplicaWorld world;
  private final ConfigMachine machine = new ConfigMachine((store, config) -> {});
  private final List<Runnable> waiting = new ArrayList<>();
  private boolean isSwapping;
  private long position;

  ConfigService(ReplicaWorld world, int minInsync, SortedSet<ReplicaId> members) {
    this.world = world;
    apply(new ConfigCommand.Create(minInsync, members.size(), members));
    refresh();
  }

  /** The configuration in force. */
  StoreConfig config() {
    StoreConfig config =
        ConfigMachine.decode(machine.query(STORE.getBytes(StandardCharsets.UTF_8)));
    if (config == null) {
      throw new AssertionError("there is no store");
    }
    return config;
  }

  private void apply(ConfigCommand command) {
    byte[] bytes = ConfigMachine.encode(STORE, command);
    machine.apply(new Entry(Entry.Kind.COMMAND, ++position, 0, 1, bytes));
  }

  /** To the leader of consensus, to a majority and back: three messages. */
  void propose(Box from, ConfigCommand command) {
    byte[] bytes = command.encode();
    if (from.isCutFromConsensus) {
      return;
    }
    world.after(
        world.travel() + world.travel() + world.travelLate(ReplicaWorld.SECOND),
        () -> decide(() -> decided(ConfigCommand.decode(bytes))));
  }

  private void decided(ConfigCommand command) {
    long before = config().version();
    apply(command);
    if (config().version() != before) {
      world.boxes.forEach(this::tell);
    }
  }

  /** An operator asks for what makes sense now, if it still does when it is decided. */
  void operate(ConfigCommand command, BooleanSupplier isSensible) {
    world.after(
        world.travel() + world.travel() + world.travelLate(200 * ReplicaWorld.MILLI),
        () ->
            decide(
                () -> {
                  if (isSensible.getAsBoolean()) {
                    decided(command);
                  }
                }));
  }

  /**
   * Whoever decides is exchanged: until then nothing is; after it, all that waits, in any order.
   */
  void swap(long nanos) {
    if (isSwapping) {
      return;
    }
    isSwapping = true;
    world.after(
        nanos,
        () -> {
          isSwapping = false;
          while (!waiting.isEmpty()) {
            waiting.remove(world.random.nextInt(waiting.size())).run();
          }
        });
  }

  private void decide(Runnable decision) {
    if (isSwapping) {
      waiting.add(decision);
    } else {
      decision.run();
    }
  }

  /** A linearizable read; the answer is lost if the node is cut off meanwhile. */
  void ask(Box from, Consumer<StoreConfig> then) {
    if (from.isCutFromConsensus) {
      return;
    }
    world.after(world.travel() + world.travel(), () -> decide(() -> answer(from, then)));
  }

  private void answer(Box from, Consumer<StoreConfig> then) {
    StoreConfig config = config();
    world.after(
        world.travel() + world.travel(),
        () -> {
          if (!from.isCutFromConsensus) {
            then.accept(config);
          }
        });
  }

  private void tell(Box box) {
    StoreConfig config = config();
    world.after(
        world.travelLate(200 * ReplicaWorld.MILLI),
        () -> {
          if (box.isUp && !box.isCutFromConsensus) {
            box.learn(config);
          }
        });
  }

  /** Who missed something is told again. */
  private void refresh() {
    world.boxes.stream().filter(it -> it.known() < config().version()).forEach(this::tell);
    world.after(50 * ReplicaWorld.MILLI, this::refresh);
  }
}
