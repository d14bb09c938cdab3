// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.replication.ConfigCommand.Stay;
import io.clowder.replication.ConfigCommand.Switchover;
import io.clowder.replication.ReplicaMessage.Append;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The place of the primary is given to another, step by step. */
class HandOverTest extends OneReplica {
  private static final long PATIENCE = 20 * TIMING.retry();

  /** Leads three, of which the two others may answer reads since now. */
  private void leadThree() {
    lead(config(2, 1, N1, N2, N3));
    ack(N2, 1);
    ack(N3, 1);
    pass(TIMING.heartbeat());
    primary.flush(now);
    assertTrue(outlet.last(N3, Append.class).grants());
  }

  /** The others answer all that is sent, for a while. */
  private void passAnswered(long nanos) {
    for (long end = now + nanos; now < end; ) {
      pass(Math.min(10 * MILLI, end - now));
      ack(N2, primary.ledger().log.end());
      ack(N3, primary.ledger().log.end());
    }
  }

  private Switchover switchover() {
    return assertInstanceOf(Switchover.class, outlet.proposed.get(0));
  }

  @Test
  void firstNobodyIsLetAnswerReadsAndAllElseGoesOn() {
    leadThree();
    final long granted = now;
    assertTrue(primary.handOver(N2, now));
    passAnswered(TIMING.heartbeat());
    assertFalse(outlet.last(N2, Append.class).grants());
    assertFalse(outlet.last(N3, Append.class).grants());
    passAnswered(granted + TIMING.granted() - now);
    write(1);
    sync();
    ack(N2, 2);
    ack(N3, 2);
    assertEquals(new Answer.Changed(2, false), told(1));
    read(2);
    assertTrue(isTold(2));
    assertEquals(List.of(), outlet.proposed);
  }

  @Test
  void whenNoLeaseIsInForceNothingIsTakenOrAnsweredAndTheNextIsReleased() {
    leadThree();
    assertTrue(primary.handOver(N2, now));
    passAnswered(TIMING.granted() + 1);
    Switchover asked = switchover();
    assertTrue(asked.isReleased());
    assertEquals(N2, asked.to());
    assertEquals(N2.node().hashCode(), asked.toLife());
    write(1);
    assertEquals(Refusal.HANDING_OVER, told(1));
    read(2);
    passAnswered(TIMING.lease());
    assertFalse(isTold(2), "another may be the primary already");
    assertFalse(outlet.last(N3, Append.class).grants());
    assertTrue(outlet.proposed.size() > 1, "it is asked for again");
    outlet.proposed.forEach(it -> assertEquals(asked, it));
    StoreConfig next = config(3, 1, N1, N2, N3).withPrimary(2, N2, N2.node().hashCode(), true);
    primary.configured(next, now);
    assertEquals(Refusal.NOT_PRIMARY, told(2));
    assertFalse(primary.isPrimary());
  }

  @Test
  void whatIsUnderWayIsCommittedFirst() {
    leadThree();
    assertTrue(primary.handOver(N2, now));
    write(1);
    sync();
    pass(TIMING.granted() + 1);
    assertEquals(List.of(), outlet.proposed);
    write(2);
    assertEquals(Refusal.HANDING_OVER, told(2));
    ack(N2, 2);
    assertEquals(List.of(), outlet.proposed);
    ack(N3, 2);
    assertEquals(new Answer.Changed(2, false), told(1));
    assertTrue(switchover().isReleased());
  }

  @Test
  void afterAWhileItAsksToStayAndServesWhenItMay() {
    leadThree();
    assertTrue(primary.handOver(N2, now));
    passAnswered(TIMING.granted() + 1);
    read(1);
    passAnswered(PATIENCE - TIMING.granted() - 1);
    outlet.proposed.forEach(it -> assertInstanceOf(Switchover.class, it));
    passAnswered(2 * TIMING.retry());
    Stay stay = assertInstanceOf(Stay.class, outlet.proposed.get(outlet.proposed.size() - 1));
    assertEquals(new ConfigCommand.At(1, 2), stay.at());
    write(2);
    assertEquals(Refusal.HANDING_OVER, told(2), "the switchover may come first");
    assertFalse(isTold(1));
    primary.configured(config(3, 1, N1, N2, N3), now);
    write(3);
    sync();
    ack(N2, 2);
    ack(N3, 2);
    assertTrue(isTold(1));
    assertEquals(new Answer.Changed(2, false), told(3));
    passAnswered(2 * TIMING.heartbeat());
    assertTrue(outlet.last(N2, Append.class).grants());
  }

  /** What was asked of the former version is void; it is asked of the next. */
  @Test
  void anotherVersionDoesNotEndIt() {
    leadThree();
    assertTrue(primary.handOver(N2, now));
    passAnswered(TIMING.granted() + 1);
    assertEquals(new ConfigCommand.At(1, 2), switchover().at());
    primary.configured(config(3, 1, N1, N2), now);
    write(1);
    assertEquals(Refusal.HANDING_OVER, told(1));
    passAnswered(2 * TIMING.retry());
    Switchover again =
        assertInstanceOf(Switchover.class, outlet.proposed.get(outlet.proposed.size() - 1));
    assertEquals(new ConfigCommand.At(1, 3), again.at());
    primary.configured(config(4, 1, N1, N3), now);
    write(2);
    assertEquals("nothing", told(2), "the heir is not in sync any more");
  }

  @Test
  void whatCannotBeCommittedIsNotWaitedForAndNobodyWasAsked() {
    leadThree();
    assertTrue(primary.handOver(N2, now));
    write(1);
    sync();
    for (int i = 0; i < 25; i++) {
      pass(TIMING.retry());
      ack(N2, 2);
      ack(N3, 1);
    }
    assertTrue(outlet.proposed.stream().noneMatch(Switchover.class::isInstance));
    assertTrue(outlet.proposed.stream().noneMatch(Stay.class::isInstance));
    ack(N3, 2);
    assertTrue(isTold(1));
    write(2);
    sync();
    ack(N2, 3);
    ack(N3, 3);
    assertEquals(new Answer.Changed(3, false), told(2));
  }

  @Test
  void onlyWhoIsInSyncAndHeardOfIsGivenThePlaceAndOneAtATime() {
    lead(config(2, 1, N1, N2));
    assertFalse(primary.handOver(N2, now), "nobody has heard of it");
    ack(N2, 1);
    primary.received(
        N3,
        new ReplicaMessage.Ack(
            1, new ReplicaMessage.Stamps(9, 1, LIFE, 1), false, 0, false, List.of(), 0),
        now);
    assertFalse(primary.handOver(N3, now), "it is a learner");
    assertFalse(primary.handOver(N1, now));
    assertTrue(primary.handOver(N2, now));
    assertFalse(primary.handOver(N2, now));
  }

  @Test
  void consensusDoesNotMakeWhoStoppedAnswerReads() {
    StoreConfig below =
        new StoreConfig(
            1, 3, N1, LIFE, false, 3, 3, set(N1, N2), set(N3), set(N1, N2, N3), NOBODY, set());
    leadThree();
    primary.configured(below, now);
    assertTrue(primary.handOver(N2, now));
    read(1);
    pass(TIMING.granted() + 1);
    assertTrue(switchover().isReleased());
    int asked = outlet.confirming.size();
    primary.confirmed(outlet.confirming.get(asked - 1), below, now);
    assertFalse(isTold(1));
    pass(TIMING.retry());
    assertEquals(asked, outlet.confirming.size());
  }

  @Test
  void whoIsReleasedServesAtOnce() {
    follow(config(2, 1, N1, N2));
    append(0, false, 0, 0, 0, LogRecord.opening(1, 1));
    sync();
    StoreConfig mine = config(3, 1, N1, N2).withPrimary(2, N1, LIFE, true);
    primary.configured(mine, now);
    write(1);
    sync();
    ReplicaMessage.Stamps stamps = new ReplicaMessage.Stamps(9, 2, LIFE, now);
    primary.received(N2, new ReplicaMessage.Ack(2, stamps, true, 3, false, List.of(), 3), now);
    assertEquals(new Answer.Changed(3, false), told(1));
    read(2);
    assertTrue(isTold(2));
  }

  // ---- who does not do ------------------------------------------------------------------------

  @Test
  void whoIsSuspectedAndAnswersStays() {
    leadThree();
    primary.suspects(new TreeSet<>(List.of(N2.node())), now);
    passAnswered(3 * TIMING.lag());
    assertEquals(List.of(), outlet.proposed);
  }

  @Test
  void whoIsSuspectedAndSilentIsRemovedWithoutWaitingForItsProgress() {
    leadThree();
    primary.suspects(new TreeSet<>(List.of(N2.node())), now);
    long heard = now - TIMING.heartbeat();
    pass(heard + TIMING.relied() - now);
    assertEquals(List.of(), outlet.proposed);
    pass(1);
    ConfigCommand.Remove remove =
        assertInstanceOf(ConfigCommand.Remove.class, outlet.proposed.get(0));
    assertEquals(N2, remove.replica());
  }

  @Test
  void whoIsSuspectedDoesNotJoin() {
    lead(config(2, 1, N1, N2));
    primary.suspects(new TreeSet<>(List.of(N3.node())), now);
    ack(N3, 1);
    assertEquals(List.of(), outlet.proposed);
    primary.suspects(NOBODY, now);
    assertInstanceOf(ConfigCommand.Join.class, outlet.proposed.get(0));
  }

  @Test
  void whoseDiskHangsYieldsToTheMostAdvanced() {
    leadThree();
    write(1);
    for (int i = 0; i < 100; i++) {
      pass(10 * MILLI);
      ack(N3, 2);
      ack(N2, i < 50 ? 1 : 2);
    }
    assertEquals(List.of(), outlet.proposed);
    write(2);
    ack(N2, 3);
    for (int i = 0; outlet.proposed.isEmpty() && i < 3; i++) {
      pass(10 * MILLI);
    }
    Switchover asked = switchover();
    assertEquals(N2, asked.to());
    assertFalse(asked.isReleased(), "it goes on until it hears that another leads");
    read(3);
    assertTrue(isTold(3));
  }

  @Test
  void whoseDiskIsIdleDoesNotYield() {
    leadThree();
    passAnswered(3 * TIMING.lag());
    write(1);
    passAnswered(TIMING.lag() - 20 * MILLI);
    sync();
    write(2);
    passAnswered(TIMING.lag() - 20 * MILLI);
    assertEquals(List.of(), outlet.proposed);
  }
}
