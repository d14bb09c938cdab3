// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.OperationLog.Beginning;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A replica comes back, and lacks what is forgotten, or much. */
class RejoinTest extends OneReplica {
  private static final int CHECKSUM = 77;

  /** Leads, and has forgotten the first records of these, all of which are committed. */
  private void leadAndForget(int count) {
    lead(config(2, 1, N1, N2));
    for (int i = 1; i < count; i++) {
      write(i);
    }
    sync();
    ack(N2, count);
    primary.snapshotted(count - 1L, 300, CHECKSUM, 0);
  }

  private List<Offer> offers() {
    return outlet.sent.stream()
        .filter(it -> it.to().equals(N3) && it.message() instanceof Offer)
        .map(it -> (Offer) it.message())
        .toList();
  }

  private long appends() {
    return outlet.sent.stream()
        .filter(it -> it.to().equals(N3) && it.message() instanceof Append)
        .count();
  }

  // ---- at the primary ------------------------------------------------------------------------

  @Test
  void whoLacksWhatIsForgottenIsOfferedTheSnapshotOnceInAHeartbeat() {
    leadAndForget(5);
    long before = appends();
    for (int i = 0; i < 10; i++) {
      mismatch(N3, now, 0);
    }
    assertTrue(offers().size() <= 1, "an answer to each answer would be a flood");
    for (int i = 0; i < 8; i++) {
      pass(TIMING.heartbeat() / 4);
      mismatch(N3, now, 0);
    }
    assertTrue(offers().size() == 2 || offers().size() == 3, offers().size() + " offers");
    Offer offer = offers().get(0);
    assertEquals(4, offer.seq());
    assertEquals(300, offer.size());
    assertEquals(CHECKSUM, offer.checksum());
    assertEquals(LIFE, offer.stamps().life());
    assertEquals(N3.node().hashCode(), offer.stamps().echoLife());
    assertEquals(before, appends(), "there is nothing else that it could take");
  }

  @Test
  void whoHasTheSnapshotGetsTheRestAndJoins() {
    leadAndForget(5);
    mismatch(N3, now, 0);
    pass(TIMING.heartbeat());
    ack(N3, 4);
    Append append = outlet.last(N3, Append.class);
    assertEquals(4, append.prevSeq());
    assertEquals(1, append.prevEpoch());
    assertEquals(List.of(primary.ledger().log.get(5)), append.records());
    ack(N3, 5);
    assertEquals(N3, ((ConfigCommand.Join) outlet.proposed.get(0)).replica());
  }

  @Test
  void whoHasWhatIsForgottenAndMoreIsSentTheRest() {
    leadAndForget(5);
    mismatch(N3, now, 9, new Beginning(1, 1));
    pass(TIMING.heartbeat());
    assertEquals(List.of(), offers());
    assertEquals(5, outlet.last(N3, Append.class).prevSeq());
  }

  @Test
  void aSnapshotThatEndsBeforeTheLogBeginsIsOfNoUse() {
    leadAndForget(5);
    primary.snapshotted(2, 300, CHECKSUM, Long.MAX_VALUE);
    mismatch(N3, now, 0);
    pass(TIMING.heartbeat());
    assertEquals(List.of(), offers());
  }

  private void writeLarge(int count) {
    for (int i = 0; i < count; i++) {
      Op put = Op.of(new Step.Put("k", new byte[Limits.BATCH_BYTES]));
      primary.write(100 + i, new RequestId(2, 1 + i), put, now);
      primary.flush(now);
    }
  }

  @Test
  void whatIsUnderWayToOneIsLimited() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    writeLarge(40);
    long window = outlet.last(N2, Append.class).prevSeq();
    assertTrue(window < 20, window + " records are under way");
    int sent = outlet.sent.size();
    primary.flush(now);
    assertEquals(sent, outlet.sent.size());
    pass(TIMING.heartbeat());
    assertEquals(List.of(), outlet.last(N2, Append.class).records(), "it is a heartbeat only");
    ack(N2, 2);
    assertEquals(window + 1, outlet.last(N2, Append.class).prevSeq());
    assertEquals(1, outlet.last(N2, Append.class).records().size(), "room for one more");
    sent = outlet.sent.size();
    ack(N2, 2);
    assertEquals(sent, outlet.sent.size());
    ack(N2, 12);
    assertEquals(window + 11, outlet.last(N2, Append.class).prevSeq(), "and for ten");
    ack(N2, 41);
    assertEquals(41, primary.peers().iterator().next().sent);
    assertEquals(0, primary.peers().iterator().next().underWay);
  }

  @Test
  void whatGotLostIsNotUnderWayAnyMore() {
    lead(config(2, 1, N1, N2));
    ack(N2, 1);
    writeLarge(40);
    long window = outlet.last(N2, Append.class).prevSeq();
    pass(MILLI);
    mismatch(N2, now, 1, new Beginning(1, 1));
    assertEquals(window, outlet.last(N2, Append.class).prevSeq(), "all of it is sent again");
    int sent = outlet.sent.size();
    mismatch(N2, now - MILLI, 1, new Beginning(1, 1));
    assertEquals(sent, outlet.sent.size(), "that was said before it was sent again");
  }

  /** Its disk was not waited for: what it says now counts, not what it said. */
  @Test
  void whoComesBackWithLessIsWaitedForAgain() {
    lead(config(2, 1, N1, N2, N3));
    write(1);
    sync();
    ack(N2, 2);
    Stamps stamps = new Stamps(99, now, LIFE, now);
    primary.received(N2, new Ack(1, stamps, true, 1, false, List.of(), 1), now);
    primary.flush(now);
    ack(N3, 2);
    assertFalse(isTold(1));
    primary.received(N2, new Ack(1, stamps, true, 2, false, List.of(), 2), now);
    assertTrue(isTold(1));
  }

  @Test
  void aPrimaryTakesNoSnapshot() {
    leadAndForget(5);
    assertFalse(primary.installed(new Image(9, 1, Image.EMPTY.entries(), new byte[0]), now));
    assertEquals(5, primary.ledger().commit());
  }

  // ---- at the backup -------------------------------------------------------------------------

  private void offer(long epoch, long seq) {
    primary.received(N2, new Offer(epoch, new Stamps(9, now, LIFE, 0), seq, 300, CHECKSUM), now);
    primary.flush(now);
  }

  @Test
  void whatIsOfferedIsFetched() {
    follow(config(2, 1, N2));
    offer(1, 4);
    assertEquals(4, outlet.fetched.get(0).seq());
    Ack ack = outlet.last(N2, Ack.class);
    assertTrue(ack.isMismatch());
    assertTrue(ack.grants());
    assertTrue(primary.installed(new Image(4, 1, Image.EMPTY.entries(), new byte[0]), now));
    primary.flush(now);
    assertEquals(4, outlet.last(N2, Ack.class).persisted());
    append(0, false, 1, 4, 5, LogRecord.opening(1, 5));
    assertEquals(5, primary.ledger().commit());
    offer(1, 5);
    assertEquals(1, outlet.fetched.size(), "that is here");
    assertFalse(primary.installed(new Image(5, 1, Image.EMPTY.entries(), new byte[0]), now));
  }

  @Test
  void anOfferOfAnotherEpoch() {
    follow(config(2, 1, N2));
    offer(2, 4);
    assertEquals(1, outlet.fetched.size());
    assertEquals(2, outlet.last(N2, Ack.class).epoch());
    int sent = outlet.sent.size();
    offer(1, 4);
    assertEquals(1, outlet.fetched.size(), "that primary was deposed");
    assertEquals(sent, outlet.sent.size());
  }

  /** It may be that of an epoch of which nothing else was heard. */
  @Test
  void theEpochOfASnapshotCounts() {
    follow(config(2, 1, N2));
    offer(1, 4);
    assertTrue(primary.installed(new Image(4, 3, Image.EMPTY.entries(), new byte[0]), now));
    int sent = outlet.sent.size();
    append(0, false, 0, 0, 0);
    assertEquals(sent, outlet.sent.size(), "a primary of epoch 1 was deposed");
  }

  @Test
  void whatIsCommittedHereIsOfTheSameEpochThere() {
    follow(config(2, 1, N2));
    append(0, false, 0, 0, 1, LogRecord.opening(1, 1));
    assertThrows(AssertionError.class, () -> append(0, false, 2, 1, 1));
  }

  @Test
  void whatIsForgottenIsTakenForTheSame() {
    follow(config(2, 1, N2));
    LogRecord first = LogRecord.opening(1, 1);
    LogRecord second = LogRecord.opening(1, 2);
    append(0, false, 0, 0, 2, first, second);
    sync();
    primary.snapshotted(2, 300, CHECKSUM, 0);
    assertEquals(2, primary.ledger().log.base());
    append(0, false, 0, 0, 3, first, second, LogRecord.opening(1, 3));
    assertEquals(3, primary.ledger().commit());
    assertFalse(outlet.last(N2, Ack.class).isMismatch());
  }
}
