// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import org.junit.jupiter.api.Test;

/** What many replicas are good for, and what it costs that one comes back. */
class ReplicaCostTest {
  private static final long MICRO = ReplicaWorld.MICRO;
  private static final long MILLI = ReplicaWorld.MILLI;

  private final ReplicaWorld world = new ReplicaWorld(1, 3, 2, false);

  private Box start() {
    world.startAll().runFor(ReplicaWorld.SECOND);
    return world.boxes.stream().filter(it -> it.replica.isPrimary()).findFirst().orElseThrow();
  }

  // ---- reads -----------------------------------------------------------------------------------

  /** Asks one replica again and again; a few of its requests are writes of other keys. */
  private final class Reader implements Box.Caller {
    private final Box box;
    private final Box primary;
    private final int number;
    private long requests;
    private long reads;
    private boolean isRead;

    Reader(Box box, Box primary, int number) {
      this.box = box;
      this.primary = primary;
      this.number = number;
    }

    void next() {
      isRead = world.random.nextInt(100) >= 3;
      if (isRead) {
        box.read(this, Freshness.LINEARIZABLE, "read");
      } else {
        Step put = new Step.Put("written" + number, new byte[] {1});
        primary.write(this, new RequestId(number, ++requests), Op.of(put));
      }
    }

    @Override
    public void answered(Answer answer) {
      reads += isRead ? 1 : 0;
      next();
    }

    @Override
    public void refused(Refusal reason, Outcome outcome) {
      throw new AssertionError(reason + ", " + outcome);
    }
  }

  /** Reads in a second by sixty who read at so many replicas. */
  private static long throughput(int replicas) {
    ReplicaCostTest test = new ReplicaCostTest();
    ReplicaWorld world = test.world;
    world.service = 20 * MICRO;
    Box primary = test.start();
    Reader[] readers = new Reader[60];
    for (int i = 0; i < readers.length; i++) {
      Box box = i % replicas == 0 ? primary : null;
      for (int other = 0; box == null; other++) {
        Box candidate = world.boxes.get(other);
        int place = (world.boxes.indexOf(candidate) - world.boxes.indexOf(primary) + 3) % 3;
        box = place == i % replicas ? candidate : null;
      }
      readers[i] = test.new Reader(box, primary, i + 1);
      readers[i].next();
    }
    world.runFor(200 * MILLI);
    long before = reads(readers);
    world.runFor(ReplicaWorld.SECOND);
    return reads(readers) - before;
  }

  private static long reads(Reader... readers) {
    long reads = 0;
    for (Reader reader : readers) {
      reads += reader.reads;
    }
    return reads;
  }

  /** CRAQ, figure 5: three replicas have 2.91 times the reads of the one that a chain reads at. */
  @Test
  void readsGrowWithTheReplicas() {
    long one = throughput(1);
    long three = throughput(3);
    double ratio = (double) three / one;
    System.out.printf(
        "%d reads/s at one replica, %d at three: %.2f times as many (CRAQ, figure 5: 2.91)%n",
        one, three, ratio);
    assertTrue(ratio >= 2.5, ratio + " times as many");
  }

  // ---- coming back -----------------------------------------------------------------------------

  private void put(Box primary, long number, int bytes) {
    Box.Caller ignorant =
        new Box.Caller() {
          @Override
          public void answered(Answer answer) {}

          @Override
          public void refused(Refusal reason, Outcome outcome) {
            throw new AssertionError(reason + ", " + outcome);
          }
        };
    Step put = new Step.Put("k" + number % 100, new byte[bytes]);
    primary.write(ignorant, new RequestId(1, number), Op.of(put));
  }

  /** Goal "rejoin": what it missed goes to it once, and hardly anything else. */
  @Test
  void whoComesBackGetsWhatItMissedOnce() {
    // A connection keeps the order.
    world.jitter = 0;
    Box primary = start();
    Box away = world.boxes.stream().filter(it -> it != primary).findFirst().orElseThrow();
    away.kill();
    world.boxes.forEach(it -> it.suspect(away.node, true));
    world.runFor(ReplicaWorld.SECOND);
    long from = primary.replica.ledger().log.end();
    for (int number = 1; number <= 5_000; number++) {
      put(primary, number, 1_000);
      world.runFor(MILLI / 2);
    }
    world.runFor(ReplicaWorld.SECOND);
    OperationLog log = primary.replica.ledger().log;
    long missed = 0;
    for (long seq = from + 1; seq <= log.end(); seq++) {
      missed += log.get(seq).size();
    }
    world.boxes.forEach(it -> it.suspect(away.node, false));
    long before = world.bytes.get(away.node);
    away.start();
    for (int millis = 0; !world.consensus.config().insync().contains(away.id()); millis++) {
      assertTrue(millis < 10_000, "it does not come back");
      world.runFor(MILLI);
    }
    long moved = world.bytes.get(away.node) - before;
    System.out.printf("%d bytes moved for %d missed: %.3f%n", moved, missed, 1.0 * moved / missed);
    assertTrue(moved <= 1.05 * missed, moved + " bytes for " + missed);
  }
}
