// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Workers that come, go, are lost, or take too long; and tasks that are the cause of it. */
class WorkerTest {
  private static final NodeId N1 = new NodeId("n1");

  private final Desk desk = new Desk();

  private static TaskRequest t() {
    return Desk.request("t");
  }

  private long announce(long client, long session, int slots) {
    return desk.announce(N1, client, session, slots, Desk.skills("t"), new TreeMap<>());
  }

  // ---- coming and going ------------------------------------------------------------------------

  @Test
  void whoSaysMoreOfItselfStaysTheSameWorker() {
    assertEquals(1, announce(7, 1, 1));
    long first = desk.submit("t");
    desk.submit("t");
    assertEquals(1, announce(7, 1, 2));
    assertEquals(2, desk.given.size());
    assertEquals(List.of(), desk.gone);
    assertEquals(1, announce(7, 1, 0));
    assertTrue(desk.done(1));
    assertEquals(TaskState.SUCCEEDED, desk.state(first));
    desk.submit("t");
    assertEquals(2, desk.given.size());
  }

  /** It was given up by who said it, and may be overtaken by what was said after it. */
  @Test
  void anAnnouncementThatComesLateIsNotTaken() {
    announce(7, 1, 1);
    TaskCommand.Announce late =
        new TaskCommand.Announce(7, 1, N1, 0, Desk.skills("u"), new TreeMap<>());
    announce(7, 1, 3);
    assertEquals(1, desk.entry(() -> desk.board.announce(late, 2)));
    Worker worker = desk.board.floor().worker(N1);
    assertNotNull(worker);
    assertEquals(3, worker.slots());
    assertEquals(Set.of("t"), worker.skills().keySet());
    assertEquals(2, worker.session, "it lives, whatever it said");
  }

  @Test
  void aNodeThatWasStartedAnewHasLostWhatItRan() {
    announce(7, 1, 1);
    long id = desk.submit("t");
    assertEquals(2, announce(8, 2, 1));
    assertEquals(List.of(1L), desk.gone.stream().map(it -> it.number).toList());
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertEquals(2, desk.last().worker());
    assertEquals(1, desk.task(id).crashes());
    assertEquals("its node was started anew", desk.task(id).error());
    assertFalse(desk.done(1), "the old token counts no more");
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertTrue(desk.done(2));
  }

  @Test
  void whatAnOlderStartSaysLateIsRefused() {
    announce(7, 1, 1);
    assertEquals(2, announce(8, 2, 1));
    long id = desk.submit("t");
    assertEquals(0, announce(7, 1, 5));
    assertEquals(1, desk.task(id).attempts());
    assertNotNull(desk.board.floor().worker(2));
    assertEquals(1, desk.board.floor().workers().size());
    assertEquals(2, announce(8, 2, 1));
  }

  @Test
  void aSecondStartInTheSameSessionReplacesTheFirst() {
    announce(7, 3, 1);
    assertEquals(2, announce(8, 3, 1));
    assertEquals(1, desk.gone.size());
  }

  @Test
  void whenASessionIsOverItsWorkersAre() {
    announce(7, 1, 1);
    long id = desk.submit("t");
    desk.entry(() -> desk.board.sessionEnded(2));
    assertEquals(List.of(), desk.gone);
    desk.entry(() -> desk.board.sessionEnded(1));
    assertEquals(1, desk.gone.size());
    assertEquals(TaskState.READY, desk.state(id));
    assertEquals("its node was not heard of any more", desk.task(id).error());
    assertNull(desk.board.attempt(desk.task(id)));
    assertEquals(0, desk.board.floor().workers().size());
  }

  @Test
  void whoIsEvictedLosesItsTasksAndTheyAreAsOldAsTheyWere() {
    desk.worker("n1", 1, "t");
    long id = desk.submit("t");
    desk.now += 10;
    desk.submit("t");
    desk.entry(() -> desk.board.evict(1));
    desk.entry(() -> desk.board.evict(1));
    assertEquals(1, desk.task(id).crashes());
    assertEquals("its node was lost", desk.task(id).error());
    assertEquals(Desk.BEGIN, desk.task(id).since());
    desk.worker("n2", 1, "t");
    assertEquals(id, desk.last().task());
    assertFalse(desk.done(1));
  }

  @Test
  void whoLeavesGivesBackWhatItHas() {
    desk.worker("n1", 2, "t");
    long id = desk.submit("t");
    long once = desk.submit(t().withMode(TaskMode.AT_MOST_ONCE));
    desk.entry(() -> desk.board.leave(1));
    assertEquals(TaskState.READY, desk.state(id));
    assertEquals(0, desk.task(id).crashes());
    assertEquals(List.of(), desk.task(id).past());
    assertEquals(TaskState.FAILED, desk.state(once));
    assertEquals(1, desk.gone.size());
    desk.entry(() -> desk.board.leave(1));
    assertEquals(1, desk.gone.size());
  }

  @Test
  void whatMayRunOnceFailsWhenItsNodeIsLost() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withMode(TaskMode.AT_MOST_ONCE));
    desk.entry(() -> desk.board.evict(1));
    assertEquals(TaskState.FAILED, desk.state(id));
    assertEquals("its node was lost", desk.task(id).error());
  }

  @Test
  void tokensRiseFromAttemptToAttemptWhoeverHasThem() {
    long last = 0;
    for (int i = 1; i <= 20; i++) {
      desk.worker("n" + i, 1, "t");
      desk.submit(t().withRetry(new Retry(5, Duration.ZERO, Duration.ZERO, 1000)));
      assertTrue(desk.last().token() > last);
      last = desk.last().token();
      long number = desk.last().worker();
      desk.entry(() -> desk.board.evict(number));
    }
  }

  // ---- taking too long -------------------------------------------------------------------------

  @Test
  void whoTakesTooLongAndDoesNotSaySoFailsAndKeepsItsSlot() {
    desk.worker("n1", 1, new TreeMap<>(Map.of("t", new Skill(0, 100))), new TreeMap<>());
    long id = desk.submit(t().withRetry(new Retry(2, Duration.ZERO, Duration.ZERO, 3)));
    assertEquals(Desk.BEGIN + 100, desk.last().until());
    desk.pass(100 + Board.GRACE_MILLIS - 1);
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    desk.pass(1);
    assertEquals("took too long, and its node has not said so", desk.task(id).error());
    assertEquals(1, desk.task(id).failures());
    assertEquals(0, desk.task(id).crashes());
    assertEquals(1, desk.revoked.size());
    desk.pass(0);
    assertEquals(TaskState.READY, desk.state(id), "the slot is not free");
    assertFalse(desk.done(1));
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertEquals(2, desk.given.size());
  }

  @Test
  void theClockOfWhatIsOverIsStopped() {
    desk.worker("n1", 4, new TreeMap<>(Map.of("t", new Skill(0, 100))), new TreeMap<>());
    TaskRequest kept = t().withKeep(Duration.ofDays(9));
    desk.submit(kept);
    desk.done(1);
    desk.submit(kept);
    desk.entry(() -> desk.board.cancel(2));
    desk.submit(kept);
    desk.entry(() -> desk.board.evict(1));
    desk.entry(() -> desk.board.cancel(3));
    assertEquals(Desk.BEGIN + Duration.ofDays(9).toMillis(), desk.board.nextAlarm());
  }

  // ---- who may be the cause --------------------------------------------------------------------

  @Test
  void whoTookSoManyNodesWithItIsDead() {
    long id = desk.submit(t().withRetry(new Retry(5, Duration.ZERO, Duration.ZERO, 3)));
    for (int crashes = 1; crashes <= 3; crashes++) {
      desk.worker("n" + crashes, 1, "t");
      assertEquals(crashes > 1, desk.last().isSuspect());
      long worker = desk.last().worker();
      desk.entry(() -> desk.board.evict(worker));
      assertEquals(crashes, desk.task(id).crashes());
    }
    assertEquals(TaskState.DEAD, desk.state(id));
    assertEquals("3 nodes were lost while they ran it; its node was lost", desk.task(id).error());
    assertEquals(0, desk.task(id).failures());
  }

  @Test
  void noTwoSuspectsAreOnOneWorker() {
    desk.worker("n1", 10, "t");
    for (int i = 0; i < 6; i++) {
      desk.submit("t");
    }
    desk.entry(() -> desk.board.evict(1));
    desk.worker("n2", 10, "t");
    assertEquals(7, desk.given.size(), "one of the six");
    long fresh = desk.submit("t");
    assertEquals(fresh, desk.last().task(), "others run beside it");
    desk.worker("n3", 10, "t");
    assertEquals(9, desk.given.size());
    desk.done(desk.given.get(6).token());
    assertEquals(10, desk.given.size());
    assertEquals("n2", desk.last().node().value());
    assertTrue(desk.last().isSuspect());
  }

  /** What ran beside the poison once is suspected with it, and cleared as it is done. */
  @Test
  void whoWasBesideAPoisonedTaskIsNotTakenForIt() {
    for (int seed = 1; seed <= 50; seed++) {
      Desk its = new Desk();
      Random random = new Random(seed);
      int nodes = 3;
      for (int i = 1; i <= nodes; i++) {
        its.worker("n" + i, 4, "t");
      }
      long poison = 0;
      Set<Long> innocent = new HashSet<>();
      for (int i = 0; i < 60; i++) {
        long id = its.submit(t());
        if (i == 20) {
          poison = id;
        } else {
          innocent.add(id);
        }
      }
      int next = nodes;
      int lost = 0;
      while (!its.board.tasks().values().stream().allMatch(task -> task.state().isEnd())) {
        List<Attempt> running = new ArrayList<>();
        its.board.floor().workers().values().forEach(it -> running.addAll(it.given().values()));
        Attempt attempt = running.get(random.nextInt(running.size()));
        its.now += 1;
        if (attempt.task() == poison) {
          its.entry(() -> its.board.evict(attempt.worker()));
          its.worker("n" + ++next, 4, "t");
          lost++;
        } else {
          its.done(attempt.token());
        }
      }
      assertEquals(TaskState.DEAD, its.state(poison), "seed " + seed);
      assertEquals(3, lost, "seed " + seed);
      for (long id : innocent) {
        assertEquals(TaskState.SUCCEEDED, its.state(id), "seed " + seed + ", task " + id);
      }
    }
  }
}
