// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.commands;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Commands on their way out, under one session; see {@link RequestsOutcomeTest} for the way back.
 */
class RequestsTest {
  private static final long SESSION = 5;
  private static final long FAR = 60_000 * MILLIS;
  private static final long MUCH = 1 << 30;

  private final Workbench.Caller caller = new Workbench.Caller();
  private final Requests requests = caller.requests;

  private static Sessions.Result result(long position) {
    return new Sessions.Result(Sessions.Status.APPLIED, position, bytes("ok"));
  }

  @Test
  void aSessionIsOpenedBeforeAnythingIsSent() {
    caller.submit("kv", "a", FAR);
    List<byte[]> first = requests.take(0, MUCH);
    assertEquals(1, first.size());
    Envelope.Open open = (Envelope.Open) Envelope.decode(first.get(0));
    assertEquals(101, open.nonce());
    assertTrue(requests.take(1, MUCH).isEmpty(), "asked twice");

    requests.resend();
    Envelope.Open again = (Envelope.Open) Envelope.decode(requests.take(2, MUCH).get(0));
    assertEquals(open, again, "another nonce would be another session");
  }

  @Test
  void anOpeningThatMayBeLostIsRepeated() {
    requests.take(0, MUCH);
    requests.retry(500 * MILLIS);
    assertTrue(requests.take(500 * MILLIS, MUCH).isEmpty());
    requests.retry(501 * MILLIS);
    assertEquals(1, requests.take(501 * MILLIS, MUCH).size());
  }

  @Test
  void onlyOurOwnNonceOpensOurSession() {
    assertFalse(requests.opened(new Sessions.Session(4, Workbench.N1, 999, 10_000)));
    assertEquals(0, requests.session().id());
    Sessions.Session ours = new Sessions.Session(SESSION, Workbench.N1, 101, 10_000);
    assertTrue(requests.opened(ours));
    assertFalse(requests.opened(ours), "once");
    assertEquals(SESSION, requests.session().id());
  }

  @Test
  void validityCountsFromTheFirstSendingLessThreePercent() {
    requests.take(1_000 * MILLIS, MUCH);
    requests.resend();
    requests.take(3_000 * MILLIS, MUCH);
    caller.openSession(SESSION);
    assertEquals((1_000 + 9_700) * MILLIS, requests.session().validUntilNanos());

    requests.renewed(SESSION, 4_000 * MILLIS, caller.wallMillis);
    assertEquals((4_000 + 9_700) * MILLIS, requests.session().validUntilNanos());
    requests.renewed(SESSION, 2_000 * MILLIS, caller.wallMillis);
    requests.renewed(SESSION + 1, 9_000 * MILLIS, caller.wallMillis);
    assertEquals((4_000 + 9_700) * MILLIS, requests.session().validUntilNanos());
  }

  @Test
  void validityEndsByTheClockThatWentOnWhileTheMachineWasSuspended() {
    requests.take(1_000 * MILLIS, MUCH);
    long sentMillis = caller.wallMillis;
    caller.wallMillis += 60_000;
    caller.openSession(SESSION);
    long now = 2_000 * MILLIS;
    assertFalse(requests.session().isValid(now, sentMillis + 9_700));
    assertTrue(requests.session().isValid(now, sentMillis + 9_699));
    assertEquals(700 * MILLIS, requests.session().validNanos(now, sentMillis + 9_000));

    requests.renewed(SESSION, now, caller.wallMillis);
    assertEquals(9_700 * MILLIS, requests.session().validNanos(now, caller.wallMillis));
  }

  @Test
  void commandsAreNumberedInTheOrderOfTheirCalls() {
    caller.openSession(SESSION);
    caller.submit("kv", "a", FAR);
    caller.submit("lock", "b", FAR);
    List<Envelope.Command> sent = commands(requests.take(0, MUCH));
    assertEquals(List.of(1L, 2L), sent.stream().map(Envelope.Command::sequence).toList());
    assertEquals(List.of("kv", "lock"), sent.stream().map(Envelope.Command::machine).toList());
    assertEquals("b", text(sent.get(1).payload()));
    assertEquals(SESSION, sent.get(0).session());
    assertTrue(requests.take(0, MUCH).isEmpty(), "sent twice");
  }

  @Test
  void aBatchEndsWhereItsBytesDo() {
    caller.openSession(SESSION);
    for (int i = 0; i < 3; i++) {
      caller.submit("kv", "0123456789", FAR);
    }
    int one = new Envelope.Command(SESSION, 1, 1, "kv", new byte[10]).encode().length;
    assertEquals(2, requests.take(0, one + 1).size());
    assertEquals(1, requests.take(0, one + 1).size());
    assertTrue(requests.take(0, one + 1).isEmpty());
  }

  @Test
  void aResultAcknowledgesWhatIsDoneBelow() {
    caller.openSession(SESSION);
    for (String payload : List.of("a", "b", "c")) {
      caller.submit("kv", payload, FAR);
    }
    requests.take(0, MUCH);
    requests.applied(SESSION, 2, result(11), null);
    caller.submit("kv", "d", FAR);
    assertEquals(1, commands(requests.take(0, MUCH)).get(0).acknowledged(), "1 is still awaited");
    requests.applied(SESSION, 1, result(10), null);
    caller.submit("kv", "e", FAR);
    assertEquals(3, commands(requests.take(0, MUCH)).get(0).acknowledged());
  }

  @Test
  void nothingIsNumberedBeyondTheWindowOfTheSession() {
    caller.openSession(SESSION);
    Requests.Pending oldest = caller.submit("kv", "oldest", FAR);
    requests.take(0, MUCH);
    // In quarters, since fewer requests may be outstanding than the window is wide.
    long quarter = Sessions.WINDOW / 4;
    sendAndFinish(2, quarter);
    sendAndFinish(quarter + 1, 2 * quarter);
    sendAndFinish(2 * quarter + 1, 3 * quarter);
    sendAndFinish(3 * quarter + 1, Sessions.WINDOW);
    caller.submit("kv", "beyond", FAR);
    assertTrue(requests.take(0, MUCH).isEmpty());

    requests.applied(SESSION, 1, result(10), null);
    caller.complete();
    assertEquals(10, done(oldest.result).position());
    Envelope.Command next = commands(requests.take(0, MUCH)).get(0);
    assertEquals(Sessions.WINDOW + 1, next.sequence());
    assertEquals(Sessions.WINDOW + 1, next.acknowledged());
  }

  private void sendAndFinish(long first, long last) {
    for (long sequence = first; sequence <= last; sequence++) {
      caller.submit("kv", "x", FAR);
    }
    assertEquals(last - first + 1, requests.take(0, MUCH).size());
    for (long sequence = first; sequence <= last; sequence++) {
      requests.applied(SESSION, sequence, result(sequence), null);
    }
  }

  @Test
  void whatIsSentAgainHasItsSequenceAndAnArrayOfItsOwn() {
    caller.openSession(SESSION);
    caller.submit("kv", "a", FAR);
    byte[] first = requests.take(0, MUCH).get(0);
    byte[] before = first.clone();
    requests.resend();
    byte[] second = requests.take(1, MUCH).get(0);
    assertNotSame(first, second);
    assertArrayEquals(first, second);
    Envelope.stamp(second, 77);
    assertArrayEquals(before, first, "what is in a leader's log changed");

    requests.resend();
    assertNotSame(second, requests.take(2, MUCH).get(0));
  }

  @Test
  void whatWasNeverSentNeedsNoCopy() {
    caller.openSession(SESSION);
    Requests.Pending pending = caller.submit("kv", "a", FAR);
    requests.take(0, 0);
    requests.resend();
    assertSame(pending.envelope, requests.take(1, MUCH).get(0));
  }

  @Test
  void everythingIsSentAgainInItsOrder() {
    caller.openSession(SESSION);
    for (String payload : List.of("a", "b", "c")) {
      caller.submit("kv", payload, FAR);
    }
    requests.take(0, MUCH);
    requests.applied(SESSION, 2, result(10), null);
    caller.submit("kv", "d", FAR);
    requests.resend();
    List<String> sent = new ArrayList<>();
    commands(requests.take(1, MUCH)).forEach(c -> sent.add(c.sequence() + text(c.payload())));
    assertEquals(List.of("1a", "3c", "4d"), sent);
  }

  @Test
  void whatWasForwardedLongAgoIsSentAgainAndGivenTwiceAsLong() {
    caller.openSession(SESSION);
    caller.submit("kv", "a", FAR);
    requests.take(0, MUCH);
    long last = 0;
    for (long patience : new long[] {500, 1_000, 2_000, 4_000, 8_000, 8_000}) {
      long due = last + patience * MILLIS;
      requests.retry(due);
      assertTrue(requests.take(due, MUCH).isEmpty(), "too early after " + patience);
      last = due + 1;
      requests.retry(last);
      requests.retry(last);
      assertEquals(1, requests.take(last, MUCH).size(), "after " + patience);
    }
  }

  @Test
  void oneRequestTooManyIsRefused() {
    for (int i = 0; i < Limits.PENDING_REQUESTS; i++) {
      requests.admit(0);
    }
    assertOverloaded(0);
    requests.leave(0);
    requests.admit(0);
    assertOverloaded(0);
  }

  @Test
  void oneByteTooManyIsRefused() {
    requests.admit(Limits.PENDING_BYTES - 10);
    assertOverloaded(11);
    requests.admit(10);
    assertOverloaded(1);
    requests.leave(10);
    requests.admit(10);
  }

  private void assertOverloaded(int bytes) {
    CoordinationException refused =
        assertThrows(CoordinationException.class, () -> requests.admit(bytes));
    assertEquals(Reason.OVERLOADED, refused.reason());
    assertEquals(CoordinationException.Outcome.DID_NOT_HAPPEN, refused.outcome());
  }

  @Test
  void emptyMeansThatNothingIsAwaited() {
    assertTrue(requests.isEmpty());
    caller.openSession(SESSION);
    caller.submit("kv", "a", FAR);
    assertFalse(requests.isEmpty());
    requests.take(0, MUCH);
    assertFalse(requests.isEmpty());
    requests.applied(SESSION, 1, result(10), null);
    assertTrue(requests.isEmpty());
  }
}
