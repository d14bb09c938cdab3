// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Report;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** One replica, step by step, where the simulation would need much luck to get. */
class ReplicaTest extends OneReplica {
  // ---- what is committed ---------------------------------------------------------------------

  @Test
  void aWriteIsAcknowledgedWhenAllInSyncHaveItOnDisk() {
    lead(config(2, 2, N1, N2, N3));
    write(1);
    ack(N2, 2);
    ack(N3, 2);
    assertFalse(isTold(1), "the primary's own disk does not have it");
    sync();
    assertTrue(isTold(1));
    write(2);
    sync();
    ack(N3, 3);
    assertFalse(isTold(2));
    ack(N2, 3);
    assertEquals(new Recorded.Told(2, new Answer.Changed(3, false)), outlet.told.get(1));
  }

  @Test
  void aReplicaThatMayHaveJoinedCounts() {
    lead(config(2, 2, N1, N2));
    ack(N2, 1);
    ack(N3, 1);
    assertEquals(N3, assertInstanceOf(Join.class, outlet.proposed.get(0)).replica());
    write(1);
    sync();
    ack(N2, 2);
    assertFalse(isTold(1), "the third may be in sync already, and elected next");
    ack(N3, 2);
    assertTrue(isTold(1));
  }

  @Test
  void aLearnerJoinsWhenItHasAllThatIsCommitted() {
    lead(config(2, 2, N1, N2));
    ack(N3, 1, now - 2 * TIMING.lease(), true);
    write(1);
    sync();
    ack(N2, 2);
    assertTrue(isTold(1));
    ack(N3, 1);
    assertEquals(List.of(), outlet.proposed, "one record is missing");
    now += TIMING.lease();
    ack(N3, 2, now - TIMING.lease(), true);
    assertEquals(List.of(), outlet.proposed, "its promise is old");
    ack(N3, 2);
    assertEquals(1, outlet.proposed.size());
  }

  @Test
  void aLearnerDoesNotJoinWhileFormerLeasesMayBeInForce() {
    primary.configured(config(2, 2, N1, N2), now);
    primary.flush(now);
    sync();
    pass(2 * TIMING.lease());
    ack(N2, 1);
    ack(N3, 1);
    assertEquals(List.of(), outlet.proposed);
    pass(2 * TIMING.granted() - 2 * TIMING.lease() + 1);
    ack(N3, 1);
    assertInstanceOf(Join.class, outlet.proposed.get(0));
  }

  @Test
  void aLearnerJoinsWhenTheEpochIsOnDiskHereAndThere() {
    primary.configured(config(2, 2, N1, N2), now);
    primary.flush(now);
    pass(2 * TIMING.granted() + MILLI);
    ack(N3, 1);
    assertEquals(List.of(), outlet.proposed, "this replica could forget that it was elected");
    sync();
    ack(N3, 0);
    ack(N3, 1);
    assertInstanceOf(Join.class, outlet.proposed.get(0));
  }

  @Test
  void aLearnerWithoutTheEpochDoesNotJoin() {
    lead(config(2, 2, N1, N2));
    ack(N3, 0);
    assertEquals(List.of(), outlet.proposed);
  }

  /** What would be a storm: an answer to each answer. */
  @Test
  void anAcknowledgementThatChangesNothingIsNotAnswered() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    primary.configured(config(3, 1, N1, N2, N3), now);
    primary.flush(now);
    int sent = outlet.sent.size();
    ack(N2, 1);
    ack(N2, 1);
    assertEquals(sent, outlet.sent.size());
  }

  @Test
  void aBackupThatLagsIsWaitedForUntilItsRemovalIsCommittedAndItsLeaseHasEnded() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    ack(N2, 1);
    pass(TIMING.heartbeat());
    assertTrue(outlet.last(N2, Append.class).grants());
    write(1);
    sync();
    for (int i = 0; i < 101; i++) {
      pass(10 * MILLI);
    }
    assertEquals(N2, assertInstanceOf(Remove.class, outlet.proposed.get(0)).replica());
    pass(TIMING.lease());
    assertFalse(isTold(1), "nobody said that it is removed");
    assertFalse(outlet.last(N2, Append.class).grants());
    primary.configured(config(3, 1, N1), now);
    primary.flush(now);
    assertTrue(isTold(1));
  }

  @Test
  void aPrimaryWhomConsensusDoesNotAnswerKnowsIt() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    write(1);
    sync();
    while (outlet.proposed.isEmpty()) {
      pass(10 * MILLI);
    }
    for (int i = 0; i < 200; i++) {
      pass(10 * MILLI);
    }
    assertFalse(primary.isUnanswered(), "it takes its time");
    pass(1);
    assertTrue(primary.isUnanswered());
    for (int i = 0; i < 300; i++) {
      pass(10 * MILLI);
    }
    primary.configured(config(3, 1, N1), now);
    assertFalse(primary.isUnanswered());
  }

  @Test
  void whoIsToLeaveIsNotLetReadThoughItAnswers() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    write(1);
    sync();
    for (int i = 0; i < 100; i++) {
      pass(10 * MILLI);
      ack(N2, 1);
    }
    assertTrue(outlet.last(N2, Append.class).grants());
    for (int i = 0; i < 20; i++) {
      pass(10 * MILLI);
      ack(N2, 1);
    }
    assertInstanceOf(Remove.class, outlet.proposed.get(0));
    assertFalse(outlet.last(N2, Append.class).grants());
  }

  @Test
  void aRemovedBackupIsWaitedForWhileItMayAnswerReads() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    pass(TIMING.heartbeat());
    long granted = now;
    assertTrue(outlet.last(N2, Append.class).grants());
    write(1);
    sync();
    primary.configured(config(3, 1, N1), now);
    primary.flush(now);
    pass(granted + TIMING.granted() - now);
    assertFalse(isTold(1));
    pass(1);
    assertTrue(isTold(1));
  }

  @Test
  void belowMinInsyncNothingIsTakenOrCommitted() {
    lead(config(2, 2, N1, N2));
    ack(N2, 1);
    write(1);
    sync();
    primary.configured(
        new StoreConfig(
            1, 3, N1, LIFE, false, 2, 3, set(N1), set(N2), set(N1, N2, N3), NOBODY, set()),
        now);
    primary.flush(now);
    ack(N2, 2);
    write(2);
    assertEquals(List.of(new Recorded.Told(2, Refusal.NOT_ENOUGH_COPIES)), outlet.told);
  }

  @Test
  void whatIsOverALimitIsRefused() {
    lead(config(2, 1, N1));
    RequestId request = new RequestId(1, 1);
    byte[] large = new byte[Limits.VALUE_BYTES];
    primary.write(1, request, Op.of(new Step.Put("k", new byte[Limits.VALUE_BYTES + 1])), now);
    primary.flush(now);
    primary.write(2, request, Op.of(new Step.Put("k".repeat(Limits.KEY_BYTES + 1), large)), now);
    primary.flush(now);
    Step put = new Step.Put("k", large);
    primary.write(3, request, Op.of(put, put), now);
    primary.flush(now);
    outlet.told.forEach(it -> assertEquals(Refusal.TOO_LARGE, it.what()));
    assertEquals(3, outlet.told.size());
  }

  @Test
  void aMessageIsLimited() {
    lead(config(2, 2, N1, N2));
    ack(N2, 1);
    for (int i = 1; i <= 3; i++) {
      Op put = Op.of(new Step.Put("k", new byte[Limits.BATCH_BYTES]));
      primary.write(i, new RequestId(1, i), put, now);
      primary.flush(now);
    }
    Stamps stamps = new Stamps(9, now, LIFE, now);
    primary.received(
        N2, new Ack(1, stamps, true, 1, true, List.of(new OperationLog.Beginning(1, 1)), 1), now);
    primary.flush(now);
    assertEquals(1, outlet.last(N2, Append.class).records().size());
    assertEquals(4, outlet.last(N2, Append.class).prevSeq() + 1);
  }

  /** Whoever is a little slower than the others would never have all that is committed. */
  @Test
  void aLearnerThatNearlyHasAllIsWaitedFor() {
    lead(config(2, 2, N1, N2));
    commitWithoutTheThird(1);
    write(2);
    sync();
    ack(N3, 1);
    ack(N2, 3);
    assertFalse(isTold(2), "the third has the epoch, and lacks two records");
    assertEquals(List.of(), outlet.proposed);
    ack(N3, 3);
    assertTrue(isTold(2));
    assertEquals(N3, assertInstanceOf(Join.class, outlet.proposed.get(0)).replica());
  }

  private void commitWithoutTheThird(long ticket) {
    ack(N2, 1);
    write(ticket);
    sync();
    ack(N2, 2);
    assertTrue(isTold(ticket));
  }

  @Test
  void aLearnerThatDoesNotKeepUpIsNotWaitedForAnyMore() {
    lead(config(2, 2, N1, N2));
    commitWithoutTheThird(1);
    write(2);
    sync();
    ack(N3, 1);
    ack(N2, 3);
    assertFalse(isTold(2));
    for (int i = 0; i < 102; i++) {
      pass(10 * MILLI);
      ack(N2, 3);
    }
    assertTrue(isTold(2));
    assertEquals(List.of(), outlet.proposed);
  }

  /** A pause of the primary is no fault of its backups. */
  @Test
  void whoStoodStillItselfRemovesNobody() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    write(1);
    sync();
    pass(3 * TIMING.lag());
    assertEquals(List.of(), outlet.proposed);
    for (int i = 0; i < 101; i++) {
      pass(10 * MILLI);
    }
    assertInstanceOf(Remove.class, outlet.proposed.get(0));
  }

  // ---- who may read --------------------------------------------------------------------------

  @Test
  void theLeaseCountsFromTheSendingOfWhatWasAnswered() {
    lead(config(2, 1, N1, N2));
    long sent = now;
    now += TIMING.relied() - 1;
    ack(N2, 1, sent, true);
    read(1);
    assertTrue(isTold(1));
    now += 1;
    read(2);
    assertFalse(isTold(2), "the promise may have ended, though it came just now");
    ack(N2, 1, now, false);
    assertTrue(isTold(2), "it was the primary still, after it was asked");
  }

  /** It may be of a time that another clock showed. */
  @Test
  void whatEchoesAnotherLifePromisesNothing() {
    lead(config(2, 1, N1, N2));
    Stamps stamps = new Stamps(9, now, LIFE + 1, now);
    primary.received(N2, new Ack(1, stamps, true, 1, false, List.of(), 1), now);
    read(1);
    assertFalse(isTold(1));
    ack(N2, 1);
    assertTrue(isTold(1));
  }

  @Test
  void belowMinInsyncConsensusIsAsked() {
    lead(config(2, 2, N1, N2));
    ack(N2, 1);
    StoreConfig below =
        new StoreConfig(
            1, 3, N1, LIFE, false, 3, 3, set(N1, N2), set(N3), set(N1, N2, N3), NOBODY, set());
    primary.configured(below, now);
    primary.flush(now);
    ack(N2, 1);
    read(1);
    assertFalse(isTold(1), "an eligible replica has promised nothing, and may be elected");
    long token = outlet.confirming.get(0);
    primary.confirmed(token, below.withPrimary(2, N3, 9), now);
    assertFalse(isTold(1));
    pass(TIMING.retry());
    primary.confirmed(token, below, now);
    assertFalse(isTold(1), "that answers the first question, once more");
    primary.confirmed(outlet.confirming.get(1), below, now);
    assertTrue(isTold(1));
  }

  @Test
  void anAnswerOfConsensusCountsThoughItWasAskedAgain() {
    lead(config(2, 2, N1, N2));
    ack(N2, 1);
    StoreConfig below =
        new StoreConfig(
            1, 3, N1, LIFE, false, 3, 3, set(N1, N2), set(N3), set(N1, N2, N3), NOBODY, set());
    primary.configured(below, now);
    primary.flush(now);
    ack(N2, 1);
    read(1);
    pass(TIMING.retry());
    read(2);
    pass(TIMING.retry());
    assertEquals(3, outlet.confirming.size());
    primary.confirmed(outlet.confirming.get(0), below, now);
    assertTrue(isTold(1));
    assertFalse(isTold(2), "it came after that question");
    primary.confirmed(outlet.confirming.get(2), below, now);
    assertTrue(isTold(2));
  }

  @Test
  void backupsMayReadOnlyWhileThePrimaryIsPromisedByAll() {
    lead(config(2, 1, N1, N2, N3));
    ack(N2, 1);
    ack(N3, 1, now, false);
    pass(TIMING.heartbeat());
    assertFalse(outlet.last(N2, Append.class).grants());
    ack(N3, 1);
    pass(TIMING.heartbeat());
    assertTrue(outlet.last(N2, Append.class).grants());
  }

  @Test
  void aNewPrimaryWaitsForBothLeasesFromItsLastPromise() {
    primary.configured(config(2, 1, N1, N2).withPrimary(1, N2, 9), now);
    primary.flush(now);
    now += 500 * MILLI;
    Stamps stamps = new Stamps(9, 1, LIFE, 0);
    primary.received(N2, new Append(1, stamps, true, false, 0, 0, 0, List.of()), now);
    primary.flush(now);
    assertTrue(outlet.last(N2, Ack.class).grants());
    StoreConfig mine = config(4, 1, N1).withPrimary(2, N1, LIFE);
    primary.configured(mine, now);
    primary.flush(now);
    sync();
    write(1);
    sync();
    pass(2 * TIMING.granted());
    assertFalse(isTold(1));
    pass(1);
    assertTrue(isTold(1));
  }

  @Test
  void aRestartedReplicaMayHavePromisedJustBefore() {
    primary.configured(config(2, 1, N1), now);
    primary.flush(now);
    sync();
    write(1);
    sync();
    pass(2 * TIMING.granted());
    assertFalse(isTold(1));
    pass(1);
    assertTrue(isTold(1));
  }

  @Test
  void clocksMayRunWrongByAHundredth() {
    // Who relies on it has the slow clock, who granted it the fast one.
    assertTrue(TIMING.relied() / 0.99 <= TIMING.granted() / 1.01);
    assertThrows(IllegalArgumentException.class, () -> new Timing(100, 40, 300, 100));
  }

  // ---- lives and epochs ----------------------------------------------------------------------

  @Test
  void anotherLifeOfThePrimaryResigns() {
    primary.configured(config(2, 1, N1, N2).withPrimary(1, N1, LIFE - 1), now);
    primary.flush(now);
    assertFalse(primary.isPrimary());
    assertInstanceOf(Resign.class, outlet.proposed.get(0));
  }

  @Test
  void whoHasNoPlaceAsksForOneUnlessItWasTakenAway() {
    SortedSet<NodeId> removed = new TreeSet<>(List.of(N1.node()));
    SortedSet<ReplicaId> two = set(N2, N3);
    primary.configured(
        new StoreConfig(1, 2, N2, 9, false, 1, 3, two, set(), two, removed, set()), now);
    pass(TIMING.retry());
    assertEquals(List.of(), outlet.proposed);
    primary.configured(
        new StoreConfig(1, 3, N2, 9, false, 1, 2, two, set(), two, NOBODY, set()), now);
    assertEquals(List.of(), outlet.proposed, "there is no room");
    StoreConfig undone =
        new StoreConfig(1, 4, N2, 9, false, 1, 3, two, set(), two, NOBODY, set(N1));
    primary.configured(undone, now);
    assertEquals(List.of(), outlet.proposed, "it must begin anew");
    primary.configured(
        new StoreConfig(1, 5, N2, 9, false, 1, 3, two, set(), two, NOBODY, set()), now);
    assertEquals(List.of(new Admit(new At(1, 5), N1)), outlet.proposed);
    pass(TIMING.retry());
    assertEquals(2, outlet.proposed.size());
  }

  @Test
  void aLeaseThatWasGrantedToWhoIsNoMemberAnyMoreCounts() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    pass(TIMING.heartbeat());
    primary.flush(now);
    final long granted = now;
    assertTrue(outlet.last(N2, Append.class).grants());
    write(1);
    sync();
    SortedSet<ReplicaId> rest = set(N1, N3);
    primary.configured(
        new StoreConfig(1, 3, N1, LIFE, false, 1, 3, set(N1), set(), rest, NOBODY, set()), now);
    pass(granted + TIMING.granted() - now);
    assertFalse(isTold(1), "it may answer reads still");
    pass(1);
    assertTrue(isTold(1));
  }

  /** What comes after the place that matched may be void. */
  @Test
  void onlyWhatMatchesIsAcknowledgedAndCommitted() {
    primary =
        new Replica(
            N1,
            LIFE,
            TIMING,
            recovered(LogRecord.opening(1, 1), LogRecord.opening(1, 2)),
            outlet,
            now);
    primary.configured(config(2, 1, N1, N2).withPrimary(2, N2, 9), now);
    Stamps stamps = new Stamps(9, 1, LIFE, 0);
    primary.received(N2, new Append(2, stamps, true, false, 1, 1, 2, List.of()), now);
    primary.flush(now);
    assertEquals(1, outlet.last(N2, Ack.class).persisted());
    assertEquals(1, primary.ledger().commit());
  }

  @Test
  void theEpochOfTheLogCounts() {
    primary = new Replica(N1, LIFE, TIMING, recovered(LogRecord.opening(5, 1)), outlet, now);
    primary.configured(config(2, 1, N1, N2).withPrimary(4, N2, 9), now);
    primary.flush(now);
    Stamps stamps = new Stamps(9, 1, 0, 0);
    primary.received(N2, new Append(4, stamps, true, false, 0, 0, 0, List.of()), now);
    primary.flush(now);
    assertEquals(List.of(), outlet.sent, "that primary was deposed, which this replica has seen");
  }

  @Test
  void whoIsSuspectedIsPromisedNothingAndReported() {
    primary.configured(config(2, 1, N1, N2).withPrimary(1, N2, 9), now);
    primary.flush(now);
    primary.suspects(new TreeSet<>(List.of(N2.node())), now);
    primary.flush(now);
    assertInstanceOf(Report.class, outlet.proposed.get(0));
    Stamps stamps = new Stamps(9, 1, 0, 0);
    primary.received(N2, new Append(1, stamps, true, false, 0, 0, 0, List.of()), now);
    primary.flush(now);
    assertFalse(outlet.last(N2, Ack.class).grants());
  }

  /** Or whoever suspects it would wait for this one, which is told that the primary lives. */
  @Test
  void whoHearsNothingFromThePrimaryReportsThoughItSuspectsNobody() {
    primary.configured(config(2, 1, N1, N2).withPrimary(1, N2, 9), now);
    for (int i = 0; i < 20; i++) {
      pass(50 * MILLI);
      Stamps stamps = new Stamps(9, i, 0, 0);
      primary.received(N2, new Append(1, stamps, true, false, 0, 0, 0, List.of()), now);
    }
    pass(TIMING.lag());
    assertEquals(List.of(), outlet.proposed);
    pass(1);
    Report report = assertInstanceOf(Report.class, outlet.proposed.get(0));
    assertEquals(Set.of(), report.suspects());
  }

  @Test
  void onDiskIsCountedByWritesNotByRecords() {
    Ledger ledger = new Ledger(recovered(), outlet);
    ledger.append(LogRecord.opening(1, 1));
    ledger.truncate(0);
    ledger.append(LogRecord.opening(2, 1));
    ledger.persisted(1);
    assertEquals(0, ledger.persisted(), "that was the first record 1");
    ledger.persisted(3);
    assertEquals(1, ledger.persisted());
  }

  @Test
  void whatIsCommittedIsNeverCut() {
    Ledger ledger = new Ledger(recovered(LogRecord.opening(1, 1)), outlet);
    ledger.commit(1, it -> {});
    assertThrows(AssertionError.class, () -> ledger.truncate(0));
  }
}
