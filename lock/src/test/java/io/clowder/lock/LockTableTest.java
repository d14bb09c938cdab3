// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.wire.WireFormatException;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Info;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.Locks;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.Opened;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import io.clowder.lock.LockResult.Released;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LockTableTest {
  /** Sessions 1, 2 and 3, opened by clients 10, 20 and 30 at positions 1, 2 and 3. */
  private static final long A = 1;

  private static final long B = 2;
  private static final long C = 3;

  private final LockTable table = new LockTable();
  private final List<String> heard = new ArrayList<>();
  private long position;

  @BeforeEach
  void open() {
    for (long session = A; session <= C; session++) {
      NodeId node = new NodeId("n" + session);
      assertEquals(new Opened(), apply(session, new Open(0, session * 10, 1, node)));
    }
    table.add(
        new LockTable.Observer() {
          @Override
          public void touched(long session, long request) {
            Long token = table.state().tokenOf(session, session * 10, request);
            heard.add(session + "/" + request + (token == null ? " lost" : " has " + token));
          }

          @Override
          public void ended(long session) {
            heard.add(session + " ended");
          }

          @Override
          public void restored() {
            heard.add("restored");
          }
        });
  }

  @Test
  void aFreeLockIsGrantedWithThePositionAsToken() {
    assertEquals(new Granted(A, 4), acquire(A, 1, "x"));
    assertEquals(new Granted(B, 5), acquire(B, 1, "y"));
    assertEquals(new LockInfo("x", 4, new NodeId("n1"), A, 4000, List.of()), info("x"));
    assertEquals(List.of(), heard);
  }

  @Test
  void waitersAreServedInTheOrderInWhichTheyCame() {
    acquire(A, 1, "x");
    assertEquals(new Queued(C), acquire(C, 1, "x"));
    assertEquals(new Queued(B), acquire(B, 1, "x"));
    assertEquals(new Queued(A), acquire(A, 2, "x"));
    assertEquals(
        List.of(new NodeId("n3"), new NodeId("n2"), new NodeId("n1")), info("x").waiters());
    assertEquals(new Released(), apply(A, new Release("x", 4)));
    assertEquals(new Released(), apply(C, new Release("x", 8)));
    assertEquals(new Released(), apply(B, new Release("x", 9)));
    assertEquals(
        List.of("1/1 lost", "3/1 has 8", "3/1 lost", "2/1 has 9", "2/1 lost", "1/2 has 10"), heard);
    assertEquals(10, info("x").token());
    assertEquals(10_000, info("x").sinceMillis());
  }

  @Test
  void whoDoesNotWaitIsToldThatItIsTaken() {
    acquire(A, 1, "x");
    assertEquals(new Busy(), apply(B, new Acquire(20, 1, 1, false, "x")));
    assertEquals(new Busy(), apply(A, new Acquire(10, 2, 1, false, "x")), "not reentrant");
    assertEquals(List.of(), info("x").waiters());
  }

  @Test
  void theSameRequestAgainChangesNothing() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    LockInfo before = info("x");
    assertEquals(new Granted(A, 4), acquire(A, 1, "x"));
    assertEquals(new Queued(B), acquire(B, 1, "x"));
    assertEquals(before, info("x"));
  }

  @Test
  void releaseGoesByTheToken() {
    assertEquals(new Refused(0), apply(A, new Release("x", 1)), "never locked");
    acquire(A, 1, "x");
    assertEquals(new Refused(5), apply(A, new Release("x", 4)));
    assertEquals(new Refused(5), apply(A, new Release("x", 99)));
    assertEquals(new Released(), apply(B, new Release("x", 5)), "anyone who knows the token may");
    assertEquals(new Released(), apply(A, new Release("x", 5)), "again");
    assertEquals(new Refused(0), apply(A, new Release("x", 6)), "never given");
    assertEquals(new Refused(0), apply(A, new Release("y", 5)), "never given for this lock");
    acquire(A, 2, "x");
    assertEquals(new Refused(12), apply(A, new Release("x", 5)), "held by another acquisition");
  }

  @Test
  void onlyTheLastFreedLocksAreRemembered() {
    acquire(A, 1, "old");
    apply(A, new Release("old", 4));
    for (int i = 0; i < LockState.Freed.NAMES_MAX; i++) {
      acquire(A, 2 + i, "x" + i);
      apply(A, new Release("x" + i, position));
    }
    assertEquals(new Released(), apply(A, new Release("old", 4)));
    assertEquals(new Refused(0), apply(A, new Release("old", 5)));
    assertEquals(new Released(), apply(A, new Release("x0", 6)));
    assertEquals(new Refused(0), apply(A, new Release("x0", 7)));
  }

  @Test
  void cancelEndsARequestWhereverItStands() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(C, 1, "x");
    assertEquals(new Cancelled(), apply(B, new Cancel(20, 1, 2)));
    assertEquals(List.of(new NodeId("n3")), info("x").waiters());
    assertEquals(new Cancelled(), apply(A, new Cancel(10, 1, 2)));
    assertEquals(List.of("3/1 has 8"), heard);
    assertEquals(new Cancelled(), apply(C, new Cancel(30, 1, 2)));
    assertEquals(List.of(), list("", null, 10));
  }

  @Test
  void anAcquireThatComesAfterItsCancelDoesNothing() {
    assertEquals(new Cancelled(), apply(A, new Cancel(10, 5, 3)));
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 5, 3, true, "x")));
    assertEquals(new Granted(A, 6), apply(A, new Acquire(10, 4, 3, true, "x")), "another one");
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 2, 1, true, "y")), "below the floor");
    apply(A, new Cancel(10, 7, 8));
    assertEquals(0, table.state().sessions().get(A).cancelled().size(), "the floor is above");
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 5, 3, true, "y")));
  }

  @Test
  void cancelledRequestsAreBounded() {
    for (int i = 1; i <= Limits.PENDING_REQUESTS + 5; i++) {
      apply(A, new Cancel(10, i, 1));
    }
    assertEquals(Limits.PENDING_REQUESTS, table.state().sessions().get(A).cancelled().size());
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 6, 1, true, "x")));
  }

  @Test
  void theEndOfASessionHandsOverAllItsLocksAndLeavesAllQueues() {
    acquire(A, 1, "x");
    acquire(A, 2, "y");
    acquire(A, 3, "x");
    acquire(B, 1, "x");
    acquire(C, 1, "y");
    acquire(B, 2, "z");
    acquire(A, 4, "z");
    acquire(A, 5, "w");
    end(A);
    assertEquals(List.of("1 ended", "2/1 has 12", "3/1 has 12"), heard);
    assertEquals(
        List.of("x 12 n2 []", "y 12 n3 []", "z 9 n2 []"),
        list("", null, 10).stream()
            .map(l -> l.name() + " " + l.token() + " " + l.node() + " " + l.waiters())
            .toList());
    end(A);
    assertEquals(3, list("", null, 10).size());
    assertEquals(new NotOpen(0), acquire(A, 6, "w"));
  }

  @Test
  void aNewClientOfASessionLetsGoOfWhatTheOldOneHad() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(B, 2, "y");
    acquire(A, 2, "y");
    NodeId n1 = new NodeId("n1");
    assertEquals(new NotOpen(10), apply(A, new Open(0, 11, 1, n1)));
    assertEquals(new Opened(), apply(A, new Open(10, 11, 4, n1)));
    assertEquals(List.of("2/1 has 9"), heard);
    assertEquals(List.of(), info("y").waiters());
    assertEquals(new NotOpen(11), acquire(A, 3, "z"), "the old client is out");
    assertEquals(new NotOpen(11), apply(A, new Cancel(10, 3, 1)));
    assertEquals(new NotOpen(11), apply(A, new Open(0, 10, 1, n1)), "its Open came late");
    assertEquals(new Opened(), apply(A, new Open(10, 11, 1, n1)), "open already");
    assertEquals(new Cancelled(), apply(A, new Acquire(11, 3, 1, true, "z")), "below the floor");
    assertEquals(new Granted(A, 15), apply(A, new Acquire(11, 4, 1, true, "z")));
    assertEquals(new Opened(), apply(A, new Open(11, 0, 1, n1)), "closed");
    assertEquals(null, info("z"));
    assertEquals(null, table.state().sessions().get(A));
  }

  @Test
  void tokensOfALockStrictlyRise() {
    long last = 0;
    for (int i = 1; i <= 50; i++) {
      acquire(A, 2L * i, "x");
      acquire(B, 2L * i, "x");
      for (long session : new long[] {A, B}) {
        long token = info("x").token();
        assertTrue(token > last, token + " after " + last);
        last = token;
        if (i % 2 == 0) {
          apply(session, new Release("x", token));
        } else {
          end(session);
          apply(session, new Open(0, session * 10, 1, new NodeId("n" + session)));
        }
      }
    }
  }

  @Test
  void queuesAreBounded() {
    acquire(A, 1, "x");
    for (int i = 1; i <= Limits.LOCK_WAITERS; i++) {
      assertEquals(new Queued(B), acquire(B, i, "x"));
    }
    assertEquals(new Full(true), acquire(C, 1, "x"));
    byte[] page = table.query(new Page("", null, 1000).encode());
    assertTrue(page.length <= Limits.RESULT_BYTES);
    assertEquals(1, list("", null, 1000).size());
    apply(B, new Cancel(20, 1, 1));
    assertEquals(new Queued(C), acquire(C, 1, "x"));
    byte[] snapshot = TestGroup.snapshot(table);
    assertArrayEquals(snapshot, TestGroup.snapshot(restored(snapshot)));
  }

  @Test
  void locksAreBounded() {
    for (int i = 1; i <= Limits.LOCKS; i++) {
      acquire(A, i, "x" + i);
    }
    assertEquals(new Full(false), acquire(B, 1, "y"));
    apply(A, new Cancel(10, 1, 1));
    assertEquals(Granted.class, acquire(B, 1, "y").getClass());
  }

  @Test
  void pagesGoByNameAndPrefix() {
    int request = 0;
    for (String name : List.of("b/2", "a", "b/1", "c", "b")) {
      acquire(A, ++request, name);
    }
    assertEquals(List.of("a", "b", "b/1", "b/2", "c"), names("", null, 10));
    assertEquals(List.of("b/1", "b/2"), names("b/", null, 10));
    assertEquals(List.of("b/1", "b/2"), names("b/", "a", 10));
    assertEquals(List.of("b/2"), names("b", "b/1", 10));
    assertEquals(List.of("b", "b/1"), names("", "a", 2));
  }

  @Test
  void aSnapshotIsOfItsMomentAndRestoresToTheSameBytesAndBehaviour() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(C, 1, "x");
    acquire(B, 2, "y");
    apply(B, new Release("y", position));
    apply(B, new Cancel(20, 9, 3));
    apply(A, new Release("x", 4));
    byte[] before = TestGroup.snapshot(table);
    var captured = table.snapshot();
    LockTable other = restored(before);
    assertArrayEquals(before, TestGroup.snapshot(other));

    Entry next = entry(A, new Release("x", info("x").token()).encode());
    assertArrayEquals(table.apply(next), other.apply(next));
    assertArrayEquals(TestGroup.snapshot(table), TestGroup.snapshot(other));
    assertEquals(C, info("x").session());
    assertArrayEquals(before, bytes(captured));
  }

  @Test
  void anEmptyStreamIsTheInitialState() throws IOException {
    acquire(A, 1, "x");
    table.restore(new ByteArrayInputStream(new byte[0]));
    assertEquals(LockState.EMPTY, table.state());
    assertEquals(List.of("restored"), heard);
  }

  @Test
  void everyDamagedSnapshotIsRefusedAndTheStateStays() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(B, 2, "y");
    apply(B, new Release("y", position));
    byte[] whole = TestGroup.snapshot(table);
    for (int length = 1; length < whole.length; length++) {
      refuses(Arrays.copyOf(whole, length));
    }
    refuses(Arrays.copyOf(whole, whole.length + 1));
    byte[] newer = whole.clone();
    newer[0] = 2;
    refuses(newer);
    byte[] earlier = whole.clone();
    earlier[8] = 3; // The position, now before the grant.
    refuses(earlier);
    assertArrayEquals(whole, TestGroup.snapshot(table));
    assertEquals(List.of(), heard.stream().filter("restored"::equals).toList());
  }

  @Test
  void aCommandThatMakesNoSenseFailsAndChangesNothing() {
    acquire(A, 1, "x");
    byte[] before = TestGroup.snapshot(table);
    byte[] acquire = new Acquire(10, 2, 1, true, "y").encode();
    byte[][] commands = {
      {},
      {2},
      {9, 1},
      {4, 2, 1, 'x', 4},
      {4, 1, 0, 4},
      {4, 1, 1, (byte) 0xFF, 4},
      Arrays.copyOf(acquire, acquire.length - 1),
      Arrays.copyOf(acquire, acquire.length + 1),
      new Acquire(0, 1, 1, true, "y").encode(),
      new Acquire(10, 0, 1, true, "y").encode(),
      new Cancel(0, 1, 1).encode(),
      new Info("x").encode(),
    };
    for (byte[] command : commands) {
      Entry entry = entry(A, command);
      assertThrows(WireFormatException.class, () -> table.apply(entry));
    }
    assertArrayEquals(before, TestGroup.snapshot(table));
  }

  @Test
  void aQuestionThatMakesNoSenseIsRefused() {
    byte[][] questions = {
      {}, {5, 1, 0}, {6, 1, 0, 0, 0}, {9, 1}, new Release("x", 1).encode(),
    };
    for (byte[] question : questions) {
      assertThrows(IllegalArgumentException.class, () -> table.query(question));
    }
  }

  private void refuses(byte[] snapshot) {
    assertThrows(IOException.class, () -> table.restore(new ByteArrayInputStream(snapshot)));
  }

  private LockResult acquire(long session, long request, String name) {
    return apply(session, new Acquire(session * 10, request, 1, true, name));
  }

  private LockResult apply(long session, LockRequest.Change change) {
    return LockResult.decode(table.apply(entry(session, change.encode())));
  }

  private Entry entry(long session, byte[] command) {
    position++;
    return new Entry(Entry.Kind.COMMAND, position, position * 1000, session, command);
  }

  private void end(long session) {
    position++;
    table.apply(
        new Entry(Entry.Kind.SESSION_ENDED, position, position * 1000, session, new byte[0]));
  }

  private LockInfo info(String name) {
    List<LockInfo> found =
        ((Locks) LockResult.decode(table.query(new Info(name).encode()))).locks();
    return found.isEmpty() ? null : found.get(0);
  }

  private List<LockInfo> list(String prefix, String after, int limit) {
    byte[] page = table.query(new Page(prefix, after, limit).encode());
    return ((Locks) LockResult.decode(page)).locks();
  }

  private List<String> names(String prefix, String after, int limit) {
    return list(prefix, after, limit).stream().map(LockInfo::name).toList();
  }

  private static LockTable restored(byte[] snapshot) {
    LockTable other = new LockTable();
    try {
      other.restore(new ByteArrayInputStream(snapshot));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return other;
  }

  private static byte[] bytes(io.clowder.api.consensus.StateMachine.Snapshot snapshot) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    try {
      snapshot.writeTo(out);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }
}
