// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** What it costs, in delays of a network in which each message takes the same time. */
class ReplicaPaperTest {
  private static final long DELAY = 10 * ReplicaWorld.MILLI;
  private static final long SYNC = 3 * ReplicaWorld.MILLI;

  private final ReplicaWorld world = new ReplicaWorld(1, 3, 2, false);
  private final List<Answer> answers = new ArrayList<>();
  private long answeredAt;

  private final class Caller implements Box.Caller {
    @Override
    public void answered(Answer answer) {
      answers.add(answer);
      answeredAt = world.now();
    }

    @Override
    public void refused(Refusal reason, Outcome outcome) {
      throw new AssertionError(reason + ", " + outcome);
    }
  }

  private Box start() {
    world.delay = DELAY;
    world.jitter = 0;
    world.sync = SYNC;
    world.syncJitter = 0;
    world.startAll().runFor(ReplicaWorld.SECOND);
    return primary();
  }

  /** It does, or never will. */
  private void runUntil(BooleanSupplier isThere) {
    for (int millis = 0; !isThere.getAsBoolean(); millis++) {
      assertTrue(millis < 10_000, "it takes for ever");
      world.runFor(ReplicaWorld.MILLI);
    }
  }

  private Box primary() {
    return world.boxes.stream()
        .filter(it -> it.isUp && it.replica.isPrimary())
        .findFirst()
        .orElseThrow();
  }

  private Box backup(Box primary) {
    return world.boxes.stream().filter(it -> it != primary).findFirst().orElseThrow();
  }

  private void put(Box box, long number) {
    box.write(new Caller(), new RequestId(1, number), Op.of(new Step.Put("k", new byte[] {1})));
  }

  /** Goal R3: a fan-out, not a chain, and the disks write at the same time. */
  @Test
  void aCommitTakesTwoDelaysAndOneSync() {
    Box primary = start();
    long asked = world.now();
    put(primary, 1);
    world.runFor(100 * ReplicaWorld.MILLI);
    assertEquals(2 * DELAY + SYNC, answeredAt - asked);
  }

  /** CRAQ, section 2.3, and its figure 9: as fast as a look into memory. */
  @Test
  void aCleanReadAtABackupTakesNoMessage() {
    Box primary = start();
    put(primary, 1);
    world.runFor(100 * ReplicaWorld.MILLI);
    long messages = world.messages;
    backup(primary).read(new Caller(), Freshness.LINEARIZABLE, "k");
    assertEquals(1, ((Answer.Entries) answers.get(1)).rows().size());
    assertEquals(messages, world.messages);
  }

  /** CRAQ, section 2.3: a version query, one round trip. */
  @Test
  void aDirtyReadAtABackupTakesOneRoundTrip() {
    Box primary = start();
    put(primary, 1);
    world.runFor(DELAY + DELAY / 2);
    long asked = world.now();
    backup(primary).read(new Caller(), Freshness.LINEARIZABLE, "k");
    world.runFor(2 * DELAY);
    assertEquals(2, answers.size());
    assertTrue(answeredAt - asked <= 2 * DELAY, answeredAt - asked + " ns");
  }

  /**
   * Goal R4: five message delays after detection until the new primary leads, against the five of
   * primary/backup in the chain replication paper, section 5; leases and the replay come on top.
   */
  @Test
  void aFailOverTakesFiveDelaysAfterDetection() {
    Box failed = start();
    put(failed, 1);
    world.runFor(100 * ReplicaWorld.MILLI);
    failed.kill();
    long detected = world.now();
    world.boxes.stream().filter(it -> it.isUp).forEach(it -> it.suspect(failed.node, true));
    runUntil(() -> world.boxes.stream().anyMatch(it -> it.isUp && it.replica.isPrimary()));
    assertTrue(world.now() - detected <= 5 * DELAY, world.now() - detected + " ns");
    put(primary(), 2);
    world.runFor(2 * world.timing.granted());
    assertEquals(2, answers.size(), "it serves when the former leases have ended");
  }

  /** All or nothing, for readers and for retries. */
  @Test
  void aBatchIsOneWrite() {
    Box primary = start();
    Step put = new Step.Put("a", new byte[] {1});
    Step absent = new Step.CompareAndSet("b", 0, new byte[] {2});
    primary.write(new Caller(), new RequestId(1, 1), Op.of(put, absent));
    world.runFor(100 * ReplicaWorld.MILLI);
    primary.write(new Caller(), new RequestId(1, 2), Op.of(put, absent));
    world.runFor(100 * ReplicaWorld.MILLI);
    primary.write(new Caller(), new RequestId(1, 1), Op.of(put, absent));
    assertInstanceOf(Answer.Changed.class, answers.get(0));
    long version = ((Answer.Changed) answers.get(0)).version();
    assertEquals(new Answer.Conflict(1, version), answers.get(1));
    assertEquals(answers.get(0), answers.get(2));
    assertEquals(version, primary.replica.ledger().contents.get("a").version());
  }

  /**
   * Goal "planned switchover": what was acknowledged is there, what is refused did not happen. The
   * leases of backups run out while the former primary serves; after that the next one waits for
   * consensus alone: three delays for its answer, and one for the next to hear of it.
   */
  @Test
  void aSwitchoverLosesNothingAndWaitsForNoLease() {
    Box former = start();
    put(former, 1);
    Box next = backup(former);
    assertTrue(former.replica.handOver(next.id(), former.time()));
    world.runFor(world.timing.granted() - DELAY);
    put(former, 2);
    world.runFor(DELAY + 2 * DELAY + SYNC);
    assertEquals(2, answers.size(), "it serves as long as backups may read");
    long stopped = world.now();
    runUntil(() -> primary() == next);
    put(next, 3);
    world.runFor(2 * DELAY + 2 * SYNC);
    assertEquals(3, answers.size());
    assertTrue(answeredAt - stopped <= 7 * DELAY, answeredAt - stopped + " ns");
  }
}
