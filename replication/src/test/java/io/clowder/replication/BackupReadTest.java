// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.ReplicaMessage.AskCommit;
import io.clowder.replication.ReplicaMessage.TellCommit;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads at a backup of the second replica, whose key {@code k} is dirty. */
class BackupReadTest extends OneReplica {
  private static final Duration BOUND = Duration.ofMillis(400);
  private static final long BOUND_SURE = 400 * MILLI - 400 * MILLI / Timing.DRIFT;

  private static LogRecord put(long seq) {
    Effect effect = new Effect("k", new byte[] {(byte) seq});
    return new LogRecord(
        1, seq, new RequestId(1, seq), List.of(effect), new Answer.Changed(seq, false));
  }

  /** It has two records, of which the second is not committed. */
  @BeforeEach
  void followSecond() {
    follow(config(2, 1, N1, N2));
    append(0, false, 0, 0, 1, put(1), put(2));
    sync();
    pass(TIMING.lease());
  }

  private void read(long ticket, Freshness freshness) {
    primary.read(ticket, freshness, new Query.Get("k"), now);
  }

  private void assertShown(long ticket, long version) {
    assertEquals(version, ((Answer.Entries) told(ticket)).rows().get(0).version());
  }

  private long asked() {
    return outlet.sent.stream().filter(it -> it.message() instanceof AskCommit).count();
  }

  /** The token of a question to the primary. */
  private long asked(int index) {
    return outlet.sent.stream()
        .filter(it -> it.message() instanceof AskCommit)
        .map(it -> ((AskCommit) it.message()).token())
        .distinct()
        .toList()
        .get(index);
  }

  @Test
  void aBoundedReadIsAnsweredWhenThePrimaryWasHeardInTheBound() {
    long echo = now;
    append(echo, true, 1, 2, 1);
    now = echo + BOUND_SURE - 1;
    read(1, Freshness.bounded(BOUND));
    assertShown(1, 1);
    now++;
    read(2, Freshness.bounded(BOUND));
    assertFalse(isTold(2), "clocks may run wrong");
    assertEquals(1, asked());
  }

  @Test
  void theBoundCountsFromWhatThePrimaryHadHeard() {
    long echo = now;
    now += 2 * BOUND_SURE;
    append(echo, true, 1, 2, 1);
    read(1, Freshness.bounded(BOUND));
    assertFalse(isTold(1), "the message was long on its way");
  }

  @Test
  void aBackupThatWasNotLetAsks() {
    append(now, false, 1, 2, 1);
    read(1, Freshness.bounded(BOUND));
    assertFalse(isTold(1), "there may be another primary");
    primary.received(N2, new TellCommit(1, asked(0), 2), now);
    assertShown(1, 2);
  }

  @Test
  void whatThePrimaryHadCommittedMustBeHere() {
    append(now, true, 1, 3, 3);
    read(1, Freshness.bounded(BOUND));
    assertFalse(isTold(1), "a record is missing");
  }

  @Test
  void whatAnotherLifeWasLetDoesNotCount() {
    primary.received(
        N2,
        new ReplicaMessage.Append(
            1, new ReplicaMessage.Stamps(9, 5, LIFE + 1, now), true, true, 1, 2, 1, List.of()),
        now);
    read(1, Freshness.bounded(BOUND));
    assertFalse(isTold(1));
  }

  @Test
  void aCleanKeyIsAnsweredUnderTheLeaseWhateverTheBound() {
    append(now, true, 1, 2, 2);
    now += TIMING.relied() - 1;
    read(1, Freshness.bounded(Duration.ofMillis(1)));
    assertShown(1, 2);
    read(2, Freshness.LINEARIZABLE);
    assertShown(2, 2);
    now++;
    read(3, Freshness.LINEARIZABLE);
    assertFalse(isTold(3));
  }

  @Test
  void aDirtyKeyIsAskedFor() {
    append(now, true, 1, 2, 1);
    read(1, Freshness.LINEARIZABLE);
    read(2, Freshness.LINEARIZABLE);
    assertEquals(1, asked(), "who comes meanwhile waits for the next question");
    primary.received(N2, new TellCommit(1, asked(0), 1), now);
    assertShown(1, 1);
    assertFalse(isTold(2));
    assertEquals(2, asked());
    primary.received(N2, new TellCommit(1, asked(0), 2), now);
    assertFalse(isTold(2), "that answers the first question");
    primary.received(N2, new TellCommit(1, asked(1), 3), now);
    assertFalse(isTold(2), "the third record is not here");
    append(now, false, 1, 2, 3, put(3));
    assertShown(2, 3);
  }

  @Test
  void aQuestionThatGotLostIsAskedAgain() {
    read(1, Freshness.LINEARIZABLE);
    pass(TIMING.retry() - 1);
    assertEquals(1, asked());
    pass(1);
    assertEquals(2, asked());
  }

  @Test
  void aLocalReadIsAnsweredWhateverThereIs() {
    read(1, Freshness.LOCAL);
    assertShown(1, 1);
    Replica alone = new Replica(N3, 8, TIMING, new Recovered(Image.EMPTY), outlet, now);
    alone.read(2, Freshness.LOCAL, new Query.Get("k"), now);
    assertTrue(isTold(2));
    alone.read(3, Freshness.bounded(BOUND), new Query.Get("k"), now);
    assertEquals(Refusal.NOT_PRIMARY, told(3));
  }

  @Test
  void anotherEpochRefusesWhoWaits() {
    append(now, true, 1, 2, 1);
    read(1, Freshness.LINEARIZABLE);
    read(2, Freshness.bounded(Duration.ofMillis(1)));
    primary.configured(config(4, 1, N1, N2, N3).withPrimary(2, N3, 9), now);
    assertEquals(Refusal.NOT_PRIMARY, told(1));
    read(3, Freshness.bounded(Duration.ofMillis(1)));
    assertFalse(isTold(3), "that primary has let nobody yet");
  }

  @Test
  void aBoundedReadAtThePrimaryIsLinearizable() {
    Replica other = primary;
    primary = new Replica(N1, LIFE, TIMING, recovered(put(1)), outlet, now);
    lead(config(2, 1, N1, N2).withPrimary(2, N1, LIFE));
    primary.read(9, Freshness.bounded(BOUND), new Query.Get("k"), now);
    assertFalse(isTold(9), "nobody has promised anything");
    assertFalse(other.isPrimary());
  }
}
