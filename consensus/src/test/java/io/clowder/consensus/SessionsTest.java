// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionsTest {
  private final Sessions.Session session = new Sessions.Session(5, N1, 7, 10_000);

  private static Sessions.Result result(long position) {
    return new Sessions.Result(Sessions.Status.APPLIED, position, bytes("r" + position));
  }

  @Test
  void aSequenceIsNewOnce() {
    assertTrue(session.isNew(1));
    Sessions.Result first = result(10);
    session.record(1, first);
    assertFalse(session.isNew(1));
    assertSame(first, session.result(1));
  }

  @Test
  void sequencesMayArriveInAnyOrder() {
    session.record(3, result(10));
    assertTrue(session.isNew(1));
    assertTrue(session.isNew(2));
    assertNull(session.result(2));
    session.record(1, result(11));
    assertFalse(session.isNew(1));
    assertTrue(session.isNew(2));
  }

  @Test
  void whatIsAcknowledgedIsForgottenAndNeverNewAgain() {
    session.record(1, result(10));
    session.record(2, result(11));
    session.acknowledge(2);
    assertNull(session.result(1));
    assertFalse(session.isNew(1));
    assertNotNull(session.result(2));
  }

  @Test
  void anOlderAcknowledgementTakesNothingBack() {
    session.record(1, result(10));
    session.record(2, result(11));
    session.acknowledge(3);
    session.acknowledge(1);
    assertFalse(session.isNew(1));
    assertFalse(session.isNew(2));
    assertTrue(session.isNew(3));
  }

  @Test
  void theWindowEndsWhereTheNodeMustStop() {
    assertTrue(session.isNew(Sessions.WINDOW));
    assertFalse(session.isNew(Sessions.WINDOW + 1));
    session.record(1, result(10));
    session.acknowledge(2);
    assertTrue(session.isNew(Sessions.WINDOW + 1));
    assertFalse(session.isNew(Sessions.WINDOW + 2));
  }

  @Test
  void resultsAreKeptWhileTheTableGrowsToTheWindow() {
    for (long sequence = 1; sequence <= 10; sequence++) {
      session.record(sequence, result(sequence));
    }
    session.acknowledge(8);
    session.record(Sessions.WINDOW + 7, result(99));
    assertEquals(8, session.result(8).position());
    assertEquals(10, session.result(10).position());
    assertNull(session.result(11));
    assertEquals(99, session.result(Sessions.WINDOW + 7).position());
  }

  @Test
  void aFullWindowHoldsEveryResult() {
    for (long sequence = 1; sequence <= Sessions.WINDOW; sequence++) {
      assertTrue(session.isNew(sequence));
      session.record(sequence, result(sequence));
    }
    for (long sequence = 1; sequence <= Sessions.WINDOW; sequence++) {
      assertEquals(sequence, session.result(sequence).position());
    }
  }

  @Test
  void moreThanAWindowOfCommandsMayBeGivenUpBeforeTheyArrive() {
    long next = 3L * Sessions.WINDOW;
    session.acknowledge(next);
    assertTrue(session.isNew(next));
    assertFalse(session.isNew(next - 1), "a late copy of what was given up");
    session.record(next, result(10));
    assertEquals(10, session.result(next).position());
    Sessions copies = new Sessions();
    copies.read(new WireReader(written(session)));
    assertArrayEquals(written(session), written(copies.get(5)));
  }

  @Test
  void sessionsAreFoundByNodeAndNonce() {
    Sessions sessions = new Sessions();
    Sessions.Session other = new Sessions.Session(6, N2, 7, 10_000);
    sessions.add(session);
    sessions.add(other);
    assertSame(session, sessions.find(N1, 7));
    assertSame(other, sessions.find(N2, 7));
    assertNull(sessions.find(N1, 8));
    assertEquals(List.of(session), sessions.of(N1));
    sessions.remove(5);
    assertNull(sessions.get(5));
    assertEquals(1, sessions.size());
  }

  @Test
  void tablesOfTheSameHistoryHaveTheSameBytes() {
    // One grew step by step, the other at once; what they hold is the same.
    Sessions.Session twin = new Sessions.Session(5, N1, 7, 10_000);
    for (long sequence = 1; sequence <= 40; sequence++) {
      session.record(sequence, result(sequence));
    }
    session.acknowledge(38);
    for (long sequence = 1; sequence <= 40; sequence++) {
      twin.record(sequence, result(sequence));
      twin.acknowledge(Math.min(sequence, 38));
    }
    assertArrayEquals(written(session), written(twin));
  }

  @Test
  void aTableReadBackGoesOnAsTheOriginal() {
    for (long sequence = 1; sequence <= 40; sequence++) {
      session.record(sequence, result(sequence));
    }
    session.acknowledge(30);
    Sessions copies = new Sessions();
    copies.read(new WireReader(written(session)));
    Sessions.Session copy = copies.get(5);
    assertFalse(copy.isNew(29));
    assertEquals(30, copy.result(30).position());
    assertTrue(copy.isNew(41));
    session.record(41, result(41));
    copy.record(41, result(41));
    session.acknowledge(35);
    copy.acknowledge(35);
    assertArrayEquals(written(session), written(copy));
  }

  @Test
  void aSessionOfMoreResultsThanItsWindowIsRefused() {
    WireWriter out = new WireWriter(Sessions.WINDOW * 2);
    out.writeVarLong(1).writeVarLong(5).writeString("n1").writeLong(7).writeInt(1000);
    out.writeVarLong(1).writeVarLong(Sessions.WINDOW + 1);
    for (int i = 0; i <= Sessions.WINDOW; i++) {
      out.writeByte(0xFF);
    }
    WireReader in = new WireReader(out.toByteArray());
    assertThrows(WireFormatException.class, () -> new Sessions().read(in));
  }

  private static byte[] written(Sessions.Session session) {
    Sessions sessions = new Sessions();
    sessions.add(session);
    WireWriter out = new WireWriter(64);
    sessions.write(out);
    return out.toByteArray();
  }
}
