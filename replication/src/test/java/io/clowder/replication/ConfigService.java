// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.consensus.Entry;
import java.nio.charset.StandardCharsets;
import java.util.SortedSet;
import java.util.function.Consumer;

/**
 * Consensus as it should be: one order of commands, with delays, and never down; a node may be cut
 * off from it. What it runs is the machine that runs in a real one.
 */
final class ConfigService {
  private static final String STORE = "main";

  private final ReplicaWorld world;
  private final ConfigMachine machine = new ConfigMachine((store, config) -> {});
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
        () -> {
          long before = config().version();
          apply(ConfigCommand.decode(bytes));
          if (config().version() != before) {
            world.boxes.forEach(this::tell);
          }
        });
  }

  /** A linearizable read; the answer is lost if the node is cut off meanwhile. */
  void ask(Box from, Consumer<StoreConfig> then) {
    if (from.isCutFromConsensus) {
      return;
    }
    world.after(
        world.travel() + world.travel(),
        () -> {
          StoreConfig config = config();
          world.after(
              world.travel() + world.travel(),
              () -> {
                if (!from.isCutFromConsensus) {
                  then.accept(config);
                }
              });
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
