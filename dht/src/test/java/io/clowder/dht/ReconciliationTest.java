// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtVersion;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Gift;
import io.clowder.dht.KeeperMessage.Give;
import io.clowder.dht.KeeperMessage.Given;
import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.KeeperMessage.Listing;
import io.clowder.dht.KeeperMessage.Parts;
import io.clowder.dht.KeeperMessage.Refuse;
import io.clowder.dht.KeeperMessage.Same;
import io.clowder.dht.KeeperMessage.Want;
import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Two shelves between which messages go; the one begins, the other answers. */
class ReconciliationTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;
  private static final Seat HERE = new Seat(new NodeId("here"), 1);
  private static final Seat THERE = new Seat(new NodeId("there"), 2);

  private final SplittableRandom random = new SplittableRandom(3);
  private final Deque<KeeperMessage> questions = new ArrayDeque<>();
  private final Shelf here = shelf(HERE);
  private final Shelf there = shelf(THERE);
  private final Reconciliation reconciliation = new Reconciliation(here);
  private final Reconciliation answering = new Reconciliation(there);
  private int lossPercent;
  private boolean isRefused;
  private long sent;
  private long bytesGiven;
  private String ended = "";

  /** Nothing of it goes to disk. */
  private Shelf shelf(Seat seat) {
    KeeperPort port =
        new KeeperPort() {
          @Override
          public boolean send(Seat to, KeeperMessage message) {
            sent++;
            questions.add(message);
            return true;
          }

          @Override
          public long append(Value value) {
            return 0;
          }

          @Override
          public long forget(Identifier id) {
            return 0;
          }

          @Override
          public void answered(long ticket, Reply reply) {
            throw new AssertionError("nobody asked");
          }

          @Override
          public long wallMillis() {
            return 0;
          }
        };
    return new Shelf(seat, KeeperSettings.USUAL, new Values(), port, random.split(), 0);
  }

  private static Value value(int number, long major, int bytes) {
    byte[] key = ("k" + number).getBytes(StandardCharsets.UTF_8);
    return new Value(
        Identifier.hash(Identifier.SHA_1, key),
        key,
        new DhtVersion(major, 1),
        new byte[bytes],
        0,
        new RequestKey(1, number));
  }

  private void begin(Interval interval, Mode mode) {
    ended = "";
    reconciliation.begin(
        new Job(interval, THERE, mode, 0, false),
        (isDone, moved, isWhole) -> ended += (isDone ? "done, " : "failed, ") + moved + " moved");
  }

  /** Lets time pass until it has ended. */
  private void run() {
    long end = here.now + 3_600 * SECOND;
    while (ended.isEmpty()) {
      assertTrue(here.now < end, "it does not end");
      while (!questions.isEmpty()) {
        KeeperMessage question = questions.remove();
        if (random.nextInt(100) >= lossPercent) {
          KeeperMessage answer = answer(question);
          // Now and then it comes twice.
          for (int i = random.nextInt(100) < lossPercent ? 2 : 1; i > 0; i--) {
            if (random.nextInt(100) >= lossPercent) {
              take(answer);
            }
          }
        }
      }
      here.now += MILLI;
      there.now = here.now;
      if (reconciliation.dueAt() <= here.now) {
        reconciliation.tick();
      }
    }
  }

  private KeeperMessage answer(KeeperMessage question) {
    if (isRefused) {
      return new Refuse(question.ticket());
    } else if (question instanceof Compare compare) {
      return answering.compare(compare, true);
    } else if (question instanceof Want want) {
      Gift gift = answering.gift(want);
      bytesGiven += gift.values().stream().mapToLong(Value::size).sum();
      return gift;
    }
    Give give = (Give) question;
    bytesGiven += give.values().stream().mapToLong(Value::size).sum();
    for (Item item : give.forgotten()) {
      there.forget(item.id());
    }
    give.values().forEach(there::keep);
    return new Given(give.ticket());
  }

  private void take(KeeperMessage answer) {
    if (answer instanceof Same same) {
      reconciliation.same(same.ticket(), same.isWhole());
    } else if (answer instanceof Parts parts) {
      reconciliation.parts(parts.ticket(), parts.digests());
    } else if (answer instanceof Listing listing) {
      reconciliation.listing(listing.ticket(), listing.items());
    } else if (answer instanceof Given given) {
      reconciliation.given(given.ticket());
    } else if (answer instanceof Gift gift) {
      reconciliation.gift(gift);
    } else {
      reconciliation.refused(answer.ticket());
    }
  }

  /**
   * Of 12,000 values, 2,000 are the same, and the others newer here, newer there, or only there.
   */
  private void fill() {
    for (int i = 0; i < 12_000; i++) {
      int bytes = i % 1_000 == 1 ? 300_000 : i % 100;
      int kind = i % 6;
      if (kind != 4) {
        here.keep(value(i, kind == 1 ? 2 : 1, bytes));
      }
      if (kind != 5) {
        there.keep(value(i, kind == 2 || kind == 3 ? 2 : 1, bytes));
      }
    }
  }

  private static Map<Identifier, DhtVersion> versions(Shelf shelf) {
    Map<Identifier, DhtVersion> versions = new TreeMap<>();
    shelf.values.all().forEach(it -> versions.put(it.id(), it.version()));
    return versions;
  }

  private static Map<Identifier, DhtVersion> newest(Shelf one, Shelf other) {
    Map<Identifier, DhtVersion> newest = versions(one);
    versions(other)
        .forEach((id, version) -> newest.merge(id, version, (a, b) -> a.compareTo(b) < 0 ? b : a));
    return newest;
  }

  @Test
  void bothHaveTheNewerOfAll() {
    fill();
    Map<Identifier, DhtVersion> newest = newest(here, there);
    begin(Interval.ALL, Mode.MERGE);
    run();
    assertEquals("done, 10000 moved", ended);
    assertEquals(newest, versions(here));
    assertEquals(newest, versions(there));
    sent = 0;
    begin(Interval.ALL, Mode.MERGE);
    run();
    assertEquals("done, 0 moved", ended);
    assertEquals(1, sent, "where nothing differs, one question is enough");
  }

  @Test
  void alsoIfMessagesAreLost() {
    lossPercent = 15;
    fill();
    Map<Identifier, DhtVersion> newest = newest(here, there);
    for (int i = 0; i < 50 && !versions(here).equals(versions(there)); i++) {
      begin(Interval.ALL, Mode.MERGE);
      run();
    }
    assertEquals(newest, versions(here));
    assertEquals(newest, versions(there));
  }

  @Test
  void oneWay() {
    fill();
    Map<Identifier, DhtVersion> before = versions(here);
    Map<Identifier, DhtVersion> newest = newest(here, there);
    begin(Interval.ALL, Mode.PUSH);
    run();
    assertEquals("done, 4000 moved", ended);
    assertEquals(before, versions(here));
    assertEquals(newest, versions(there));
    begin(Interval.ALL, Mode.PULL);
    run();
    assertEquals("done, 6000 moved", ended);
    assertEquals(newest, versions(here));
  }

  @Test
  void aMirrorHasNothingElse() {
    fill();
    Map<Identifier, DhtVersion> before = versions(here);
    begin(Interval.ALL, Mode.MIRROR);
    run();
    assertTrue(ended.startsWith("done"), ended);
    assertEquals(before, versions(here));
    assertEquals(before, versions(there));
  }

  @Test
  void nothingButTheInterval() {
    fill();
    Identifier middle = Identifier.startOf(1, 1);
    Interval half = new Interval(middle.plusPowerOfTwo(158), middle);
    Map<Identifier, DhtVersion> before = versions(there);
    Map<Identifier, DhtVersion> newest = newest(here, there);
    begin(half, Mode.MERGE);
    run();
    assertTrue(ended.startsWith("done"), ended);
    versions(there)
        .forEach(
            (id, version) ->
                assertEquals(half.contains(id) ? newest.get(id) : before.get(id), version));
  }

  /** One value that differs among many costs a few messages, not all. */
  @Test
  void littleDiffers() {
    for (int i = 0; i < 12_000; i++) {
      here.keep(value(i, 1, 10));
      there.keep(value(i, i == 77 ? 2 : 1, 10));
    }
    begin(Interval.ALL, Mode.MERGE);
    run();
    assertEquals("done, 1 moved", ended);
    assertTrue(sent <= 6, sent + " questions");
  }

  @Test
  void noFasterThanAllowed() {
    for (int i = 0; i < 400; i++) {
      here.keep(value(i, 1, 1 << 20));
    }
    begin(Interval.ALL, Mode.PUSH);
    assertAllowed(400);
  }

  @Test
  void whatIsFetchedIsGivenNoFaster() {
    for (int i = 0; i < 400; i++) {
      there.keep(value(i, 1, 1 << 20));
    }
    begin(Interval.ALL, Mode.PULL);
    assertAllowed(400);
  }

  /** Several that fetch at the same time have together what one would. */
  @Test
  void norToSeveral() {
    for (int i = 0; i < 400; i++) {
      there.keep(value(i, 1, 1 << 20));
    }
    Interval.ALL.split().forEach(it -> begin(it, Mode.PULL));
    assertAllowed(400);
  }

  private void assertAllowed(int values) {
    long begun = here.now;
    while (reconciliation.count() > 0) {
      ended = "";
      run();
    }
    assertEquals(values, here.values.size());
    assertEquals(values, there.values.size());
    double perSecond = bytesGiven / ((here.now - begun) / 1e9);
    double allowed = KeeperSettings.USUAL.transferBytes();
    assertTrue(perSecond < 1.05 * allowed && perSecond > 0.9 * allowed, perSecond + " a second");
  }

  @Test
  void whoIsSilentOrRefusesIsGivenUp() {
    here.keep(value(1, 1, 1));
    isRefused = true;
    begin(Interval.ALL, Mode.PUSH);
    run();
    assertEquals("failed, 0 moved", ended);
    isRefused = false;
    lossPercent = 100;
    begin(Interval.ALL, Mode.PUSH);
    long begun = here.now;
    run();
    assertEquals("failed, 0 moved", ended);
    long waited = here.now - begun;
    assertTrue(waited <= 6 * KeeperSettings.USUAL.attemptNanos(), waited + " ns");
    assertEquals(0, reconciliation.count());
  }

  @Test
  void whatIsOfNoUseEnds() {
    for (int i = 0; i < 20; i++) {
      begin(Interval.ALL, Mode.PULL);
    }
    assertEquals(20, reconciliation.count());
    reconciliation.cancelIf(job -> job.with().equals(HERE));
    assertEquals(20, reconciliation.count());
    reconciliation.cancelIf(job -> job.with().equals(THERE));
    assertEquals(0, reconciliation.count());
    assertEquals("failed, 0 moved".repeat(20), ended);
    assertFalse(questions.isEmpty());
    questions.forEach(it -> take(answer(it)));
    assertEquals("failed, 0 moved".repeat(20), ended, "what comes late does nothing");
  }
}
