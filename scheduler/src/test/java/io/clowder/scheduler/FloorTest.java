// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TypeLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Who is given what: in which order, to whom, and when not. */
class FloorTest {
  private final Desk desk = new Desk();

  private static TaskRequest t(int priority) {
    return Desk.request("t").withPriority(priority);
  }

  /** What one slot runs, one after the other. */
  private List<Long> drawn() {
    if (desk.given.isEmpty()) {
      desk.worker("n1", 1, "*");
    }
    for (int done = 0; done < desk.given.size(); done++) {
      desk.done(desk.given.get(done).token());
    }
    return desk.order();
  }

  // ---- order -----------------------------------------------------------------------------------

  /** A handler of everything runs what is one process's alone nowhere else. */
  @Test
  void whatIsOfOneProcessIsRunByNoOther() {
    Desk desk = new Desk();
    String type = LocalTasks.type(7);
    desk.worker("n1", 4, "**", "local/*");
    desk.worker("n2", 1, type);
    long one = desk.submit(type);
    long other = desk.submit(type);
    assertEquals("n2", desk.node(one));
    assertEquals(TaskState.READY, desk.state(other));
  }

  @Test
  void higherPriorityGoesFirstAndOlderWithinOne() {
    List<Long> ids = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      ids.add(desk.submit(t(i % 3 * 4)));
    }
    List<Long> expected = new ArrayList<>();
    for (int priority = 2; priority >= 0; priority--) {
      for (int i = priority; i < 30; i += 3) {
        expected.add(ids.get(i));
      }
    }
    assertEquals(expected, drawn());
  }

  @Test
  void firstComeFirstServedAlsoBetweenTypesAndLabels() {
    long first = desk.submit(Desk.request("b").withPriority(4));
    long second = desk.submit(Desk.request("a").withPriority(4));
    desk.now += 1;
    long third = desk.submit(Desk.request("a").withPriority(4));
    long fourth = desk.submit(Desk.request("b").withPriority(4));
    assertEquals(List.of(first, second, third, fourth), drawn());
  }

  /**
   * p that has waited for w goes before q if, and only if, w is (q - p) times the aging or more.
   */
  @Test
  void whoHasWaitedForTheAgingGoesBeforeNewerOnesOfTheNextPriority() {
    for (int low = 0; low <= 8; low++) {
      for (int high = low + 1; high <= 9; high++) {
        for (int off = -1; off <= 1; off++) {
          Desk its = new Desk();
          long older = its.submit(t(low));
          its.now += (long) (high - low) * Desk.AGING + off;
          long newer = its.submit(t(high));
          its.worker("n1", 1, "t");
          assertEquals(
              off < 0 ? newer : older,
              its.last().task(),
              low + " against " + high + ", " + off + " ms off");
        }
      }
    }
  }

  @Test
  void whatIsToBeTriedAgainWaitsAnew() {
    desk.worker("n1", 1, "t");
    long failed = desk.submit(t(4).withRetry(new Retry(9, Duration.ZERO, Duration.ZERO, 3)));
    long other = desk.submit(t(4));
    desk.now += 1;
    desk.threw(desk.last().token());
    assertEquals(other, desk.last().task());
    desk.pass(0);
    desk.done(desk.last().token());
    assertEquals(failed, desk.last().task());
  }

  @Test
  void whatIsGivenBackIsAsOldAsItWas() {
    desk.worker("n1", 1, "t");
    long first = desk.submit(t(0));
    desk.now += 9 * Desk.AGING;
    desk.submit(t(9));
    desk.giveBack(desk.last().token(), false);
    assertEquals(List.of(first, first), desk.order());
  }

  /**
   * Priority 9 has 120 % of what can be done, and up to 50 of it wait. Whoever came later than the
   * time in which a 0 rises to a 9 does not overtake it, so its wait is that time, and what had
   * come before is done first.
   */
  @Test
  void theLowestPriorityIsServedUnderConstantOverload() {
    int service = 12;
    desk.worker("n1", 1, "*");
    desk.entry(() -> desk.board.limit("high", new TypeLimits(0, 0, 50)));
    Map<Long, Long> came = new HashMap<>();
    long longest = 0;
    int high = 0;
    int low = 0;
    long busyUntil = 0;
    long end = Desk.BEGIN + 40_000;
    for (; desk.now < end; desk.now++) {
      if (desk.now % 10 == 0) {
        desk.entry(
            () -> {
              Work work = Desk.work(Desk.request("high").withPriority(9));
              return desk.board.refusal(work, 1_000) == null ? desk.board.submit(work) : 0;
            });
      }
      if (desk.now % 500 == 0) {
        came.put(desk.submit(Desk.request("low").withPriority(0)), desk.now);
      }
      if (desk.now >= busyUntil && !desk.given.isEmpty()) {
        desk.done(desk.last().token());
        busyUntil = desk.now + service;
        Long since = came.remove(desk.last().task());
        low += since == null ? 0 : 1;
        high += since == null ? 1 : 0;
        longest = Math.max(longest, since == null ? 0 : desk.now - since);
      }
    }
    long bound = 9L * Desk.AGING + 51L * service;
    assertTrue(longest > 9 * Desk.AGING - service, "they did have to wait: " + longest);
    assertTrue(longest <= bound, longest + " ms, the bound is " + bound);
    for (long since : came.values()) {
      assertTrue(desk.now - since <= bound, "one waits for " + (desk.now - since));
    }
    assertTrue(low > 60, low + " of the lowest");
    assertTrue(high >= 0.9 * 40_000 / service, high + " of the highest");
  }

  // ---- who -------------------------------------------------------------------------------------

  @Test
  void tasksAreSpreadOverFreeSlotsInProportion() {
    desk.worker("n1", 2, "t");
    desk.worker("n2", 6, "t");
    for (int i = 0; i < 4; i++) {
      desk.submit("t");
    }
    Map<String, Integer> counts = new HashMap<>();
    desk.given.forEach(it -> counts.merge(it.node().value(), 1, Integer::sum));
    assertEquals(Map.of("n1", 1, "n2", 3), counts);
  }

  @Test
  void amongEqualsWhoHasWaitedLongestIsNext() {
    for (String node : List.of("n1", "n2", "n3")) {
      desk.worker(node, 1, "t");
    }
    for (int i = 0; i < 6; i++) {
      desk.submit("t");
      desk.done(desk.last().token());
    }
    assertEquals(
        List.of("n1", "n2", "n3", "n1", "n2", "n3"),
        desk.given.stream().map(it -> it.node().value()).toList());
  }

  @Test
  void aNodeWhereEverythingFailsDrawsFewerNotMore() {
    desk.worker("n1", 10, "t");
    desk.worker("n2", 10, "t");
    Map<String, Integer> counts = new HashMap<>();
    List<Attempt> slow = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      desk.submit(t(4).withRetry(Retry.NEVER));
      Attempt attempt = desk.last();
      counts.merge(attempt.node().value(), 1, Integer::sum);
      if (attempt.node().value().equals("n1")) {
        desk.threw(attempt.token());
      } else {
        slow.add(attempt);
      }
      if (slow.size() > 2) {
        desk.done(slow.remove(0).token());
      }
    }
    assertTrue(counts.get("n1") < 20, "it fails at once: " + counts);
  }

  @Test
  void whereItFailedLastItIsTriedAgainOnlyIfNobodyElseHasRoom() {
    Retry retry = new Retry(9, Duration.ZERO, Duration.ZERO, 3);
    desk.worker("n1", 1, "t");
    desk.worker("n2", 1, "t");
    desk.submit(t(4).withRetry(retry));
    String first = desk.last().node().value();
    desk.threw(desk.last().token());
    desk.pass(0);
    assertNotEquals(first, desk.last().node().value());
    desk.threw(desk.last().token());
    desk.entry(() -> desk.board.drain(new NodeId(first), true));
    desk.pass(0);
    assertNotEquals(first, desk.last().node().value(), "better there than not at all");
  }

  @Test
  void whereItFailedLastIsAvoidedThoughItHasMoreRoom() {
    desk.worker("n1", 10, "t");
    long id =
        desk.submit(t(4).withRetry(new Retry(9, Duration.ofMillis(1), Duration.ofMillis(1), 3)));
    desk.entry(() -> desk.board.drain(new NodeId("n1"), true));
    desk.worker("n2", 10, "t");
    desk.submit(t(4));
    desk.submit(t(4));
    desk.entry(() -> desk.board.drain(new NodeId("n1"), false));
    desk.threw(desk.given.get(0).token());
    desk.pass(1);
    assertEquals("n2", desk.node(id));
    long other = desk.submit(t(4));
    assertEquals("n1", desk.node(other), "others are not kept from it");
  }

  @Test
  void aTaskGoesToTheHandlerWithThePatternThatSaysMost() {
    SortedMap<String, Skill> skills = Desk.skills("a/*", "**", "a/b", "a/**", "a/b/**");
    desk.worker("n1", 10, skills, new TreeMap<>());
    for (String type : List.of("a/b", "a/c", "a/c/d", "a/b/c", "z", "a")) {
      desk.submit(type);
    }
    assertEquals(
        List.of("a/b", "a/*", "a/**", "a/b/**", "**", "**"),
        desk.given.stream().map(Attempt::pattern).toList());
  }

  @Test
  void aHandlerHasItsOwnLimitWithinItsNode() {
    desk.worker(
        "n1",
        10,
        new TreeMap<>(Map.of("a", new Skill(2, 0), "b", new Skill(0, 0))),
        new TreeMap<>());
    for (int i = 0; i < 4; i++) {
      desk.submit("a");
    }
    desk.submit("b");
    assertEquals(List.of("a", "a", "b"), desk.given.stream().map(Attempt::pattern).toList());
    desk.done(desk.given.get(1).token());
    assertEquals(4, desk.given.size());
  }

  @Test
  void labelsMustAllBeThere() {
    long id = desk.submit(t(4).withLabel("gpu", "yes").withLabel("zone", "a"));
    SortedMap<String, Skill> skills = Desk.skills("t");
    desk.worker("n1", 1, skills, new TreeMap<>(Map.of("gpu", "yes", "zone", "b")));
    desk.worker("n2", 1, skills, new TreeMap<>(Map.of("gpu", "yes")));
    assertEquals(TaskState.READY, desk.state(id));
    desk.worker("n3", 1, skills, new TreeMap<>(Map.of("gpu", "yes", "zone", "a", "x", "y")));
    assertEquals("n3", desk.node(id));
  }

  @Test
  void labelsDoNotStandInTheWayOfOthers() {
    desk.submit(t(9).withLabel("gpu", "yes"));
    desk.worker("n1", 1, "t");
    long id = desk.submit(t(0));
    assertEquals(List.of(id), desk.order());
  }

  // ---- when not --------------------------------------------------------------------------------

  @Test
  void aDrainedNodeIsGivenNothingMoreAndKeepsWhatItHas() {
    desk.worker("n1", 5, "t");
    long running = desk.submit("t");
    desk.entry(() -> desk.board.drain(new NodeId("n1"), true));
    long id = desk.submit("t");
    assertEquals(TaskState.READY, desk.state(id));
    assertTrue(desk.done(desk.last().token()));
    assertEquals(TaskState.SUCCEEDED, desk.state(running));
    desk.entry(() -> desk.board.evict(1));
    desk.worker("n1", 5, "t");
    assertEquals(TaskState.READY, desk.state(id), "it stays drained over a restart");
    desk.entry(() -> desk.board.drain(new NodeId("n1"), false));
    assertEquals(TaskState.ASSIGNED, desk.state(id));
  }

  @Test
  void aPausedTypeDoesNotBegin() {
    desk.worker("n1", 5, "*");
    desk.entry(() -> desk.board.pause("t", true));
    long id = desk.submit("t");
    desk.submit("u");
    assertEquals(1, desk.given.size());
    desk.entry(() -> desk.board.pause("t", false));
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    desk.entry(() -> desk.board.cancel(id));
    assertEquals(1, desk.board.floor().types().size(), "nothing is to be remembered of it");
  }

  @Test
  void soManyOfATypeRunAtATimeInTheWholeCluster() {
    desk.worker("n1", 5, "*");
    desk.worker("n2", 5, "*");
    desk.entry(() -> desk.board.limit("t", new TypeLimits(3, 0, 0)));
    for (int i = 0; i < 6; i++) {
      desk.submit(t(i));
    }
    assertEquals(3, desk.given.size());
    desk.submit("u");
    assertEquals(4, desk.given.size());
    desk.running(desk.given.get(0).token());
    assertEquals(4, desk.given.size());
    desk.threw(desk.given.get(1).token());
    assertEquals(5, desk.given.size());
    desk.entry(() -> desk.board.limit("t", TypeLimits.NONE));
    assertEquals(7, desk.given.size());
  }

  @Test
  void aBarredTypeDoesNotStandInTheWayOfOthers() {
    desk.worker("n1", 1, "*");
    desk.entry(() -> desk.board.limit("t", new TypeLimits(1, 0, 0)));
    desk.submit("t");
    desk.submit(t(9));
    long other = desk.submit(Desk.request("u").withPriority(0));
    desk.entry(() -> desk.board.cancel(1));
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 0, 0)));
    desk.entry(() -> desk.board.pause("t", true));
    desk.done(desk.last().token());
    assertEquals(other, desk.last().task());
  }

  // ---- why -------------------------------------------------------------------------------------

  @Test
  void whatATaskWaitsForIsSaid() {
    long id = desk.submit(t(4).withLabel("gpu", "yes"));
    assertEquals("no node has a handler for t", desk.why(id));
    SortedMap<String, Skill> skills = Desk.skills("t");
    desk.worker("n1", 1, skills, new TreeMap<>());
    assertEquals("no node with a handler for it has the labels {gpu=yes}", desk.why(id));
    desk.entry(() -> desk.board.drain(new NodeId("n2"), true));
    desk.worker("n2", 1, skills, new TreeMap<>(Map.of("gpu", "yes")));
    assertEquals("all nodes that could run it are drained", desk.why(id));
    desk.entry(() -> desk.board.limit("t", new TypeLimits(1, 0, 0)));
    desk.submit("t");
    desk.entry(() -> desk.board.drain(new NodeId("n2"), false));
    assertEquals("as many of its type run as may, 1", desk.why(id));
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 5, 0)));
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    long next = desk.submit("t");
    assertEquals("waits for a slot, or for the rate of its type, 5/s", desk.why(next));
    desk.entry(() -> desk.board.limit("t", TypeLimits.NONE));
    assertEquals("all slots are taken", desk.why(next));
    desk.entry(() -> desk.board.pause("t", true));
    assertEquals("type t is paused", desk.why(next));
  }
}
