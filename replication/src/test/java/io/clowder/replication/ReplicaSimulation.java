// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.store.RequestId;
import io.clowder.simulator.History;
import io.clowder.simulator.Linearizability;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * One history: clients, and misfortunes, then peace, and what must hold after it. All along, each
 * record that any replica takes for committed is compared with what others took for it.
 */
final class ReplicaSimulation {
  private static final long SECOND = ReplicaWorld.SECOND;

  final ReplicaWorld world;
  final Misfortune misfortune;
  final List<StoreClient> clients = new ArrayList<>();
  private final History history = new History();
  private final StoreClient.Values values = new StoreClient.Values();
  final Tokens tokens = new Tokens();

  ReplicaSimulation(long seed) {
    SplittableRandom shape = new SplittableRandom(~seed);
    int count = 3 + shape.nextInt(3);
    int minInsync = Math.min(count - 1, 1 + (shape.nextInt(10) + 2) / 4);
    world = new ReplicaWorld(seed, count, minInsync, true);
    world.loss = shape.nextInt(3) * 0.01;
    world.jitter = (1 + shape.nextInt(6)) * ReplicaWorld.MILLI / 2;
    world.syncJitter = (1 + shape.nextInt(10)) * ReplicaWorld.MILLI / 2;
    world.lateness = shape.nextInt(3) * 0.05;
    long lease = (50 + 50 * shape.nextLong(8)) * ReplicaWorld.MILLI;
    long lag = (100 + 100 * shape.nextLong(4)) * ReplicaWorld.MILLI;
    world.timing = new Timing(lease, Math.min(lease, lag) / 4, lag, Timing.USUAL.retry());
    world.snapshotEvery = 5 << shape.nextInt(8);
    world.logBytes = shape.nextInt(3) * 4_000L;
    world.isBatching = true;
    world.startAll();
    Suspecting suspecting = new Suspecting(world, 20L << shape.nextInt(5));
    int keys = 1 + shape.nextInt(3);
    for (int i = 1; i <= 6; i++) {
      clients.add(new StoreClient(world, history, values, tokens, i, keys));
    }
    misfortune = new Misfortune(world, suspecting, (100 + shape.nextLong(400)) * 1_000_000);
  }

  /** Runs it, and throws an {@link AssertionError} if anything is wrong. */
  ReplicaSimulation run() {
    world.runFor(4 * SECOND);
    misfortune.end();
    world.runFor(SECOND);
    clients.forEach(it -> it.isStopped = true);
    world.runFor(3 * SECOND);
    checkSettled();
    checkLog();
    Linearizability.check(history);
    return this;
  }

  int operations() {
    return history.completed();
  }

  private void checkSettled() {
    StoreConfig config = world.consensus.config();
    check(config.primary() != null, "nobody is the primary: " + config);
    check(config.insync().equals(config.members()), "not all are in sync: " + config);
    byte[] contents = BoxDisk.write(world.boxes.get(0).replica.image());
    for (Box box : world.boxes) {
      Ledger ledger = box.replica.ledger();
      check(box.replica.isPrimary() == box.id().equals(config.primary()), box.node + " leads");
      check(ledger.commit() == world.committed(), box.node + " is at " + ledger.commit());
      check(ledger.log.end() == world.committed(), box.node + " ends at " + ledger.log.end());
      check(
          Arrays.equals(contents, BoxDisk.write(box.replica.image())), box.node + " is different");
    }
  }

  /** Every write that was acknowledged is there, where it was said to be, and once. */
  private void checkLog() {
    Map<Long, Long> positions = new HashMap<>();
    Set<RequestId> requests = new HashSet<>();
    for (int seq = 1; seq <= world.committed(); seq++) {
      LogRecord record = world.record(seq);
      check(
          record.request().equals(RequestId.NONE) || requests.add(record.request()),
          record.request() + " was applied twice");
      for (LogRecord.Effect effect : record.effects()) {
        if (effect.value() != null && !effect.key().startsWith(Contents.OWN)) {
          positions.put(StoreClient.value(effect.value()), record.seq());
        }
      }
    }
    history.resolve(positions);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new AssertionError(message);
    }
  }
}
