// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.wire.WireFormatException;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Enter;
import io.clowder.lock.LockRequest.Info;
import io.clowder.lock.LockRequest.Leave;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Promote;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockRequest.Settle;
import io.clowder.lock.LockRequest.Show;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Done;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.Locks;
import io.clowder.lock.LockResult.NotEntered;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.OtherKind;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LockTableTest {
  private static final Want WANT = want(Claim.exclusive("any"));

  /**
   * Sessions 1, 2 and 3, opened by clients 10, 20 and 30 at positions 1, 2 and 3; they have one
   * bundle each.
   */
  private static final long A = 1;

  private static final long B = 2;
  private static final long C = 3;

  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");

  private final LockTable table = new LockTable();
  private final List<String> heard = new ArrayList<>();
  private long position;

  @BeforeEach
  void open() {
    for (long session = A; session <= C; session++) {
      NodeId node = new NodeId("n" + session);
      assertEquals(new Done(), apply(session, new Open(0, session * 10, 1, node)));
    }
    for (long session = A; session <= C; session++) {
      assertEquals(new Done(), apply(session, new Enter(session * 10, 1, "bundle")));
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
    assertEquals(new Granted(A, 7), acquire(A, 1, "x"));
    assertEquals(new Granted(B, 8), acquire(B, 1, "y"));
    LockInfo.Holder holder =
        new LockInfo.Holder(
            7, new NodeId("n1"), A, "bundle", Claim.Mode.EXCLUSIVE, 0, 7000, false, "");
    assertEquals(new LockInfo("x", 0, List.of(holder), 1, List.of(), 0, 0), info("x"));
    assertEquals(List.of(), heard);
  }

  @Test
  void waitersAreServedInTheOrderInWhichTheyCame() {
    acquire(A, 1, "x");
    assertEquals(new Queued(C), acquire(C, 1, "x"));
    assertEquals(new Queued(B), acquire(B, 1, "x"));
    assertEquals(new Queued(A), acquire(A, 2, "x"));
    assertEquals(List.of(new NodeId("n3"), new NodeId("n2"), new NodeId("n1")), waiters(info("x")));
    assertEquals(new Done(), apply(A, new Release("x", 7, "")));
    assertEquals(new Done(), apply(C, new Release("x", 11, "")));
    assertEquals(new Done(), apply(B, new Release("x", 12, "")));
    assertEquals(
        List.of("1/1 lost", "3/1 has 11", "3/1 lost", "2/1 has 12", "2/1 lost", "1/2 has 13"),
        heard);
    assertEquals(13, token("x"));
    assertEquals(13_000, info("x").holders().get(0).sinceMillis());
  }

  @Test
  void whoDoesNotWaitIsToldThatItIsTaken() {
    acquire(A, 1, "x");
    assertEquals(new Busy(), apply(B, new Acquire(20, 1, 1, 1, 0, "x", WANT)));
    assertEquals(new Busy(), apply(A, new Acquire(10, 2, 1, 1, 0, "x", WANT)), "not reentrant");
    assertEquals(List.of(), waiters(info("x")));
  }

  @Test
  void theSameRequestAgainChangesNothing() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    LockInfo before = info("x");
    assertEquals(new Granted(A, 7), acquire(A, 1, "x"));
    assertEquals(new Queued(B), acquire(B, 1, "x"));
    assertEquals(before, info("x"));
  }

  @Test
  void releaseGoesByTheToken() {
    assertEquals(new Refused(0), apply(A, new Release("x", 1, "")), "never locked");
    acquire(A, 1, "x");
    assertEquals(new Refused(8), apply(A, new Release("x", 7, "")));
    assertEquals(new Refused(8), apply(A, new Release("x", 102, "")));
    assertEquals(new Done(), apply(B, new Release("x", 8, "")), "anyone who knows the token may");
    assertEquals(new Done(), apply(A, new Release("x", 8, "")), "again");
    assertEquals(new Refused(0), apply(A, new Release("x", 9, "")), "never given");
    assertEquals(new Refused(0), apply(A, new Release("y", 8, "")), "never given for this lock");
    acquire(A, 2, "x");
    assertEquals(new Refused(15), apply(A, new Release("x", 8, "")), "held by another acquisition");
  }

  @Test
  void onlyTheLastFreedLocksAreRemembered() {
    acquire(A, 1, "old");
    apply(A, new Release("old", 7, ""));
    for (int i = 0; i < LockState.FREED_MAX; i++) {
      acquire(A, 2 + i, "x" + i);
      apply(A, new Release("x" + i, position, ""));
    }
    assertEquals(new Done(), apply(A, new Release("old", 7, "")));
    assertEquals(new Refused(0), apply(A, new Release("old", 8, "")));
    assertEquals(new Done(), apply(A, new Release("x0", 9, "")));
    assertEquals(new Refused(0), apply(A, new Release("x0", 10, "")));
  }

  @Test
  void cancelEndsARequestWhereverItStands() {
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(C, 1, "x");
    assertEquals(new Cancelled(), apply(B, new Cancel(20, 1, 2)));
    assertEquals(List.of(new NodeId("n3")), waiters(info("x")));
    assertEquals(new Cancelled(), apply(A, new Cancel(10, 1, 2)));
    assertEquals(List.of("3/1 has 11"), heard);
    assertEquals(new Cancelled(), apply(C, new Cancel(30, 1, 2)));
    assertEquals(List.of(), list("", null, 10));
  }

  @Test
  void anAcquireThatComesAfterItsCancelDoesNothing() {
    assertEquals(new Cancelled(), apply(A, new Cancel(10, 5, 3)));
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 5, 3, 1, 10_000, "x", WANT)));
    assertEquals(
        new Granted(A, 9), apply(A, new Acquire(10, 4, 3, 1, 10_000, "x", WANT)), "another one");
    assertEquals(
        new Cancelled(), apply(A, new Acquire(10, 2, 1, 1, 10_000, "y", WANT)), "below the floor");
    apply(A, new Cancel(10, 7, 8));
    assertEquals(0, table.state().sessions().get(A).cancelled().size(), "the floor is above");
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 5, 3, 1, 10_000, "y", WANT)));
  }

  @Test
  void cancelledRequestsAreBounded() {
    for (int i = 1; i <= Limits.PENDING_REQUESTS + 5; i++) {
      apply(A, new Cancel(10, i, 1));
    }
    assertEquals(Limits.PENDING_REQUESTS, table.state().sessions().get(A).cancelled().size());
    assertEquals(new Cancelled(), apply(A, new Acquire(10, 6, 1, 1, 10_000, "x", WANT)));
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
    assertEquals(List.of("1 ended", "2/1 has 15", "3/1 has 15"), heard);
    assertEquals(
        List.of("x 15 n2 []", "y 15 n3 []", "z 12 n2 []"),
        list("", null, 10).stream()
            .map(
                l -> {
                  LockInfo.Holder holder = l.holders().get(0);
                  return l.name() + " " + holder.token() + " " + holder.node() + " " + waiters(l);
                })
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
    assertEquals(new Done(), apply(A, new Open(10, 11, 4, n1)));
    assertEquals(List.of("2/1 has 12"), heard);
    assertEquals(List.of(), waiters(info("y")));
    assertEquals(new NotOpen(11), acquire(A, 3, "z"), "the old client is out");
    assertEquals(new NotOpen(11), apply(A, new Cancel(10, 3, 1)));
    assertEquals(new NotOpen(11), apply(A, new Open(0, 10, 1, n1)), "its Open came late");
    assertEquals(new Done(), apply(A, new Open(10, 11, 1, n1)), "open already");
    assertEquals(
        new Cancelled(), apply(A, new Acquire(11, 3, 1, 1, 10_000, "z", WANT)), "below the floor");
    Acquire next = new Acquire(11, 4, 1, 1, 10_000, "z", WANT);
    assertEquals(new NotEntered(), apply(A, next), "its bundles are gone with it");
    apply(A, new Enter(11, 1, "bundle"));
    assertEquals(new Granted(A, 20), apply(A, next));
    assertEquals(new Done(), apply(A, new Open(11, 0, 1, n1)), "closed");
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
        long token = token("x");
        assertTrue(token > last, token + " after " + last);
        last = token;
        if (i % 2 == 0) {
          apply(session, new Release("x", token, ""));
        } else {
          end(session);
          apply(session, new Open(0, session * 10, 1, new NodeId("n" + session)));
          apply(session, new Enter(session * 10, 1, "bundle"));
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
    assertEquals(new Full(Full.What.WAITERS), acquire(C, 1, "x"));
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
    assertEquals(new Full(Full.What.LOCKS), acquire(B, 1, "y"));
    apply(A, new Cancel(10, 1, 1));
    assertEquals(Granted.class, acquire(B, 1, "y").getClass());
  }

  @Test
  void sharersHoldTogetherAndNobodyPassesOneWhoWantsItAlone() {
    Want shared = want(Claim.shared("any"));
    assertEquals(new Granted(A, 7), acquire(A, 1, "x", shared));
    assertEquals(new Granted(B, 8), acquire(B, 1, "x", shared));
    assertEquals(new Queued(C), acquire(C, 1, "x"));
    assertEquals(new Queued(A), acquire(A, 2, "x", shared));
    assertEquals(new Queued(B), acquire(B, 2, "x", shared));
    apply(A, new Release("x", 7, ""));
    assertEquals(new Done(), apply(A, new Release("x", 7, "")), "again");
    assertEquals(List.of("1/1 lost"), heard);
    apply(B, new Release("x", 8, ""));
    assertEquals("3/1 has 14", heard.get(2));
    apply(C, new Release("x", 14, ""));
    // One entry gives it to two, who are told apart.
    assertEquals(List.of("1/2 has 15", "2/2 has 16"), heard.subList(4, 6));
    assertEquals(new Granted(C, 17), acquire(C, 3, "x", shared));
  }

  @Test
  void aTokenRisesThoughOneEntryGaveMoreThanOne() {
    acquire(A, 1, "x");
    for (int i = 1; i <= 9; i++) {
      acquire(B, i, "x", want(Claim.shared("any")));
    }
    end(A);
    assertEquals(List.of(17L, 25L), List.of(token("x"), table.state().locks().get("x").last()));
    end(B);
    assertEquals(new Granted(C, 26), acquire(C, 1, "x"));
  }

  @Test
  void aSemaphoreIsServedInTurn() {
    assertEquals(new Granted(A, 7), acquire(A, 1, "x", permits(2, 3)));
    assertEquals(new Queued(B), acquire(B, 1, "x", permits(2, 3)));
    assertEquals(new Queued(C), acquire(C, 1, "x", permits(1, 3)), "it would fit");
    apply(A, new Release("x", 7, ""));
    assertEquals(List.of("1/1 lost", "2/1 has 10", "3/1 has 11"), heard);
    assertEquals(new Queued(A), acquire(A, 2, "x", permits(3, 3)));
    assertEquals(new Queued(A), acquire(A, 3, "x", permits(1, 3)));
    heard.clear();
    apply(B, new Release("x", 10, ""));
    assertEquals(List.of("2/1 lost"), heard, "the first in line needs more");
    apply(A, new Cancel(10, 2, 1));
    assertEquals(List.of("2/1 lost", "1/3 has 14"), heard, "it stands in nobody's way any more");
  }

  @Test
  void aNameIsOneKindOfLockAtATime() {
    acquire(A, 1, "x", permits(1, 3));
    assertEquals(new OtherKind(3), acquire(B, 1, "x", permits(1, 4)));
    assertEquals(new OtherKind(3), acquire(B, 1, "x"));
    apply(A, new Release("x", 7, ""));
    assertEquals(new Granted(B, 11), acquire(B, 1, "x"));
    assertEquals(new OtherKind(0), acquire(A, 2, "x", permits(1, 3)));
  }

  @Test
  void whoHasMorePriorityGoesAhead() {
    acquire(A, 1, "x");
    acquire(A, 2, "x");
    acquire(B, 1, "x", want(Claim.exclusive("any").withPriority(5)));
    acquire(C, 1, "x", want(Claim.exclusive("any").withPriority(5)));
    acquire(C, 2, "x", want(Claim.exclusive("any").withPriority(9)));
    assertEquals(List.of(N3, N2, N3, N1), waiters(info("x")));
    assertEquals(new Refused(0), apply(A, new Promote("y", N1)));
    assertEquals(new Done(), apply(A, new Promote("x", N1)));
    assertEquals(List.of(N1, N3, N2, N3), waiters(info("x")));
    acquire(B, 2, "x", want(Claim.exclusive("any").withPriority(9)));
    assertEquals(List.of(N1, N3, N2, N2, N3), waiters(info("x")));
    assertTrue(info("x").holders().get(0).asked());
    assertEquals(List.of("1/1 has 7"), heard);
  }

  @Test
  void afterACrashALockWithADelayIsNobodysForSoLong() {
    acquire(A, 1, "x", want(Claim.exclusive("any").withLockDelay(Duration.ofSeconds(3))));
    acquire(B, 1, "x");
    acquire(C, 1, "y", want(Claim.exclusive("any").withLockDelay(Duration.ofSeconds(30))));
    end(A);
    end(C);
    assertEquals(List.of("1 ended", "2/1 has 0", "3 ended"), heard, "told that it is first");
    assertEquals(13_000, info("x").delayedUntilMillis());
    assertEquals(41_000, info("y").delayedUntilMillis());
    assertEquals(new Done(), apply(B, new Settle()));
    assertEquals(0, info("x").holding());
    assertEquals(new Busy(), apply(B, new Acquire(20, 2, 1, 1, 0, "y", WANT)));
    assertEquals(new Done(), apply(B, new Settle()));
    assertEquals(14, token("x"));
    assertEquals(0, info("x").delayedUntilMillis());
    assertEquals(1, table.state().delays().size());
    LockTable other = restored(TestGroup.snapshot(table));
    assertEquals(table.state(), other.state());
    position = 40;
    assertEquals(new Granted(B, 41), apply(B, new Acquire(20, 3, 1, 1, 0, "y", WANT)));
    apply(B, new Release("y", 41, ""));
    assertEquals(0, table.state().delays().size());
  }

  @Test
  void whatIsReleasedInGoodOrderHasNoDelay() {
    Want careful = want(Claim.exclusive("any").withLockDelay(Duration.ofSeconds(30)));
    acquire(A, 1, "x", careful);
    acquire(A, 2, "y", careful);
    acquire(A, 3, "z", careful);
    apply(A, new Release("x", 7, ""));
    apply(A, new Cancel(10, 2, 1));
    apply(A, new Leave(10, 1));
    assertEquals(List.of(), list("", null, 10));
  }

  @Test
  void aBundleLeavesAlone() {
    apply(A, new Enter(10, 2, "other"));
    acquire(A, 1, "x");
    apply(A, new Acquire(10, 2, 1, 2, 10_000, "y", WANT));
    acquire(B, 1, "x");
    acquire(A, 3, "y");
    assertEquals(new Done(), apply(A, new Leave(10, 1)));
    assertEquals(List.of("2/1 has 12"), heard);
    assertEquals(List.of(), waiters(info("y")));
    assertEquals("other", info("y").holders().get(0).bundle());
    assertEquals(new NotEntered(), acquire(A, 4, "z"));
    assertEquals(new Done(), apply(A, new Leave(10, 1)), "again");
    assertEquals(new NotOpen(10), apply(A, new Leave(11, 2)));
  }

  @Test
  void bundlesAreBounded() {
    for (int i = 2; i <= LockState.BUNDLES_MAX; i++) {
      assertEquals(new Done(), apply(A, new Enter(10, i, "bundle" + i)));
    }
    assertEquals(new Done(), apply(A, new Enter(10, 2, "again")));
    assertEquals(
        new Full(Full.What.BUNDLES), apply(A, new Enter(10, LockState.BUNDLES_MAX + 1, "more")));
    assertEquals(LockState.BUNDLES_MAX + 2, table.state().bundles(10_000).size());
    assertEquals(1, table.state().bundles(1).size());
  }

  @Test
  void staleTokensAreRefusedAlsoByWhatIsRestored() {
    assertEquals(new Done(), apply(A, new Show("disk", 5)));
    assertEquals(new Refused(5), apply(B, new Show("disk", 4)));
    assertEquals(new Done(), apply(B, new Show("disk", 5)));
    LockTable other = restored(TestGroup.snapshot(table));
    Entry stale = entry(A, new Show("disk", 4).encode());
    assertEquals(new Refused(5), LockResult.decode(other.apply(stale)));
  }

  @Test
  void resourcesThatAreForgottenHaveSeenWhatIsForgotten() {
    for (int i = 1; i <= Limits.FENCES + 2; i++) {
      apply(A, new Show("r" + i, 1000 + i));
    }
    assertEquals(new Refused(1002), apply(A, new Show("r1", 1001)), "on the safe side");
    assertEquals(new Done(), apply(A, new Show("r1", 1002)));
    assertEquals(new Refused(1005), apply(A, new Show("r5", 1004)));
    assertArrayEquals(
        TestGroup.snapshot(table), TestGroup.snapshot(restored(TestGroup.snapshot(table))));
  }

  @Test
  void eventsTellWhatHappened() {
    List<String> events = new ArrayList<>();
    table.add(
        new LockTable.Observer() {
          @Override
          public void happened(List<LockEvent> more) {
            more.forEach(
                it -> events.add(it.kind() + " " + it.name() + " " + it.token() + it.reason()));
          }

          @Override
          public void restored() {}
        });
    acquire(A, 1, "x");
    acquire(B, 1, "x");
    acquire(C, 1, "x");
    apply(B, new Release("x", 7, " stuck"));
    apply(C, new Cancel(30, 1, 1));
    apply(B, new Cancel(20, 1, 1));
    acquire(B, 2, "x");
    apply(B, new Leave(20, 1));
    acquire(C, 2, "x");
    acquire(A, 2, "x");
    apply(B, new Promote("x", N1));
    end(C);
    assertEquals(
        List.of(
            "GRANTED x 7",
            "QUEUED x 0",
            "QUEUED x 0",
            "REVOKED x 7 stuck",
            "GRANTED x 10",
            "LEFT x 0",
            "RELEASED x 10",
            "GRANTED x 13",
            "CLOSED x 13",
            "GRANTED x 15",
            "QUEUED x 0",
            "ASKED x 15",
            "EXPIRED x 15",
            "GRANTED x 18"),
        events);
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
    apply(B, new Release("y", position, ""));
    apply(B, new Cancel(20, 9, 3));
    apply(A, new Release("x", 7, ""));
    byte[] before = TestGroup.snapshot(table);
    var captured = table.snapshot();
    LockTable other = restored(before);
    assertArrayEquals(before, TestGroup.snapshot(other));

    Entry next = entry(A, new Release("x", token("x"), "").encode());
    assertArrayEquals(table.apply(next), other.apply(next));
    assertArrayEquals(TestGroup.snapshot(table), TestGroup.snapshot(other));
    assertEquals(C, info("x").holders().get(0).session());
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
    apply(B, new Release("y", position, ""));
    byte[] whole = TestGroup.snapshot(table);
    for (int length = 1; length < whole.length; length++) {
      refuses(Arrays.copyOf(whole, length));
    }
    refuses(Arrays.copyOf(whole, whole.length + 1));
    byte[] newer = whole.clone();
    newer[0] = 3;
    refuses(newer);
    byte[] earlier = whole.clone();
    earlier[15] = 0; // The time, now before the grant.

    refuses(earlier);
    assertArrayEquals(whole, TestGroup.snapshot(table));
    assertEquals(List.of(), heard.stream().filter("restored"::equals).toList());
  }

  @Test
  void aCommandThatMakesNoSenseFailsAndChangesNothing() {
    acquire(A, 1, "x");
    byte[] before = TestGroup.snapshot(table);
    byte[] acquire = new Acquire(10, 2, 1, 1, 10_000, "y", WANT).encode();
    byte[][] commands = {
      {},
      {2},
      {9, 1},
      {4, 2, 1, 'x', 4},
      {4, 1, 0, 4},
      {4, 1, 1, (byte) 0xFF, 4},
      Arrays.copyOf(acquire, acquire.length - 1),
      Arrays.copyOf(acquire, acquire.length + 1),
      new Acquire(0, 1, 1, 1, 10_000, "y", WANT).encode(),
      new Acquire(10, 0, 1, 1, 10_000, "y", WANT).encode(),
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
      {}, {5, 1, 0}, {6, 1, 0, 0, 0}, {9, 1}, new Release("x", 1, "").encode(),
    };
    for (byte[] question : questions) {
      assertThrows(IllegalArgumentException.class, () -> table.query(question));
    }
  }

  private void refuses(byte[] snapshot) {
    assertThrows(IOException.class, () -> table.restore(new ByteArrayInputStream(snapshot)));
  }

  private LockResult acquire(long session, long request, String name) {
    return acquire(session, request, name, WANT);
  }

  private LockResult acquire(long session, long request, String name, Want want) {
    return apply(session, new Acquire(session * 10, request, 1, 1, 10_000, name, want));
  }

  private static Want permits(int permits, int of) {
    return want(Claim.permits("any", permits, of));
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

  private long token(String name) {
    return info(name).holders().get(0).token();
  }

  private static List<NodeId> waiters(LockInfo lock) {
    return lock.waiters().stream().map(LockInfo.Waiter::node).toList();
  }

  private static Want want(Claim claim) {
    return Claims.want(Claims.checked(claim));
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
