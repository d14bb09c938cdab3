// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.LockInfo;
import io.clowder.lock.TestGroup.Fate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.service.condition.Condition;

class CandidacyTest {
  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final String LOCK = "election/billing";
  private static final List<Fate> FATES = List.of(Fate.values());

  /** Shared by all nodes and both services, of which one may be closed. */
  private final VirtualTimer timer =
      new VirtualTimer() {
        @Override
        public void close() {}
      };

  private final TestGroup group = new TestGroup();
  private final List<String> happened = new ArrayList<>();
  private final List<Side> sides = new ArrayList<>();

  /** What a callback found wrong: that it throws is of no consequence. */
  private final List<String> wrong = new ArrayList<>();

  private long lastEpoch;
  private long clients;

  private final Side a = new Side("a");
  private final Side b = new Side("b");

  /** A node, its candidate and its registry; sees to it that what has to hold always does. */
  private final class Side implements Candidate, Candidacy.Registry {
    final String name;
    final TestGroup.Node node;
    final Candidacy candidacy = new Candidacy(this, this, timer, timer);
    final List<Map<String, Object>> properties = new ArrayList<>();
    ReplicatedLocks all;
    BundleLocks locks;
    @Nullable Leadership leadership;
    int services;
    boolean told;
    boolean registryIsClosed;
    Runnable whenElected = () -> {};
    Consumer<Object> whenRegistered = service -> {};
    Runnable whenDeposed = () -> {};

    Side(String name) {
      this.name = name;
      this.node = group.node(name, timer);
      this.all = locks();
      this.locks = all.enter("elections");
      sides.add(this);
    }

    final ReplicatedLocks locks() {
      return new ReplicatedLocks(
          node,
          group.table,
          group.events,
          node.id,
          LockSetting.of(Duration.ofSeconds(2)),
          ++clients,
          timer);
    }

    void stand(int priority) {
      candidacy.stand(new Standing("billing", "main", priority, "acme." + name), locks);
      timer.run();
    }

    boolean leads() {
      return leadership != null && leadership.isLeader();
    }

    Leadership term() {
      Leadership term = leadership;
      assertNotNull(term);
      return term;
    }

    @Override
    public <S> Runnable register(Class<S> type, S service, Map<String, Object> properties) {
      if (registryIsClosed) {
        throw new IllegalStateException("as the test wants it");
      }
      this.properties.add(properties);
      happened.add(name + " +" + type.getSimpleName());
      services++;
      whenRegistered.accept(service);
      return () -> {
        happened.add(name + " -" + type.getSimpleName());
        services--;
      };
    }

    @Override
    public void elected(Leadership elected) {
      check(!told, "elected twice");
      check(services == 2, "elected without services");
      check(sides.stream().noneMatch(Side::leads), "elected while another leads");
      check(elected.epoch() > lastEpoch, "elected in an old epoch");
      told = true;
      leadership = elected;
      lastEpoch = elected.epoch();
      happened.add(name + " elected");
      whenElected.run();
    }

    @Override
    public void deposed() {
      check(told, "deposed without having been elected");
      check(services == 0, "deposed with services");
      check(!leads(), "deposed while it leads");
      told = false;
      happened.add(name + " deposed");
      whenDeposed.run();
    }
  }

  private void check(boolean holds, String otherwise) {
    if (!holds) {
      wrong.add(otherwise);
    }
  }

  @AfterEach
  void nothingWasWrong() {
    assertEquals(List.of(), wrong);
  }

  private List<String> happened() {
    List<String> all = List.copyOf(happened);
    happened.clear();
    return all;
  }

  private @Nullable LockInfo lock() {
    return b.all.enter("test").info(LOCK).toCompletableFuture().join();
  }

  private String holder() {
    LockInfo lock = lock();
    return lock == null || lock.holders().isEmpty()
        ? "nobody"
        : lock.holders().get(0).node().value();
  }

  private static boolean isDone(CompletionStage<?> stage) {
    return stage.toCompletableFuture().isDone();
  }

  @Test
  void oneLeadsAndOthersWait() {
    a.stand(0);
    b.stand(0);
    assertTrue(a.leads());
    assertNull(b.leadership);
    LockInfo lock = lock();
    assertNotNull(lock);
    assertEquals("acme.a", lock.holders().get(0).note());
    assertEquals("acme.b", lock.waiters().get(0).note());
    timer.advance(Duration.ofSeconds(5));
    assertEquals(List.of("a +Leadership", "a +Condition", "a elected"), happened());
  }

  @Test
  void everythingHappensInOrder() {
    a.whenDeposed = () -> check(holder().equals("a"), "released before it was told");
    a.stand(0);
    b.stand(0);
    timer.run();
    var unused = a.candidacy.leave();
    timer.run();
    assertEquals(
        List.of(
            "a +Leadership",
            "a +Condition",
            "a elected",
            "a -Condition",
            "a -Leadership",
            "a deposed",
            "b +Leadership",
            "b +Condition",
            "b elected"),
        happened());
  }

  @Test
  void servicesSayWhichTermTheyAreOf() {
    a.stand(0);
    Map<String, Object> term =
        Map.of(
            "election.name",
            "billing",
            "consensus.group",
            "main",
            "election.epoch",
            a.term().epoch());
    assertEquals(term, a.properties.get(0));
    Map<String, Object> condition = new HashMap<>(term);
    condition.put(Condition.CONDITION_ID, "io.clowder.leader.billing");
    assertEquals(condition, a.properties.get(1));
    assertEquals("billing", a.term().election());
    assertEquals("term " + a.term().epoch() + " of election billing", a.term().toString());
  }

  @Test
  void whoseSessionEndedStandsAgainWithALargerEpoch() {
    a.stand(0);
    b.stand(0);
    Leadership first = a.term();
    a.node.endSession();
    assertFalse(first.isLeader());
    timer.run();
    assertTrue(isDone(first.lost()));
    assertTrue(b.leads());
    assertTrue(b.term().epoch() > first.epoch());
    timer.advance(PAUSE);
    assertEquals(1, lock().waiting());
    assertTrue(b.leads());
    b.node.endSession();
    timer.run();
    assertTrue(a.leads());
    assertTrue(a.term().epoch() > b.term().epoch());
  }

  @Test
  void whoLosesItsSessionByItsOwnClockDoesNotLeadAnyMore() {
    a.stand(0);
    Leadership first = a.term();
    timer.advance(Duration.ofMillis(9_999));
    assertTrue(first.isLeader());
    timer.skip(Duration.ofMillis(1));
    assertFalse(first.isLeader());
    assertFalse(isDone(first.lost()), "the timer is late");
    happened();
    timer.run();
    assertEquals(List.of("a -Condition", "a -Leadership", "a deposed"), happened());
  }

  @Test
  void resigningHandsOverWhateverThePriorityIs() {
    a.stand(9);
    b.stand(0);
    Leadership term = a.term();
    CompletionStage<Void> resigned = term.resign();
    assertFalse(term.isLeader());
    assertFalse(isDone(resigned));
    timer.run();
    assertTrue(isDone(term.lost()));
    assertTrue(isDone(resigned));
    assertTrue(isDone(term.resign()), "once more does nothing");
    assertTrue(b.leads());
    timer.advance(PAUSE);
    assertTrue(b.leads());
    b.term().resign();
    timer.run();
    assertTrue(a.leads());
  }

  @Test
  void resigningSaysThatTheGroupDidNotAnswerAndHasTakenPlace() {
    a.stand(0);
    b.stand(0);
    a.node.next(Fate.LOST);
    CompletionStage<Void> resigned = a.term().resign();
    timer.run();
    CompletionException failure =
        assertThrows(CompletionException.class, () -> resigned.toCompletableFuture().join());
    assertEquals(Reason.TIMEOUT, LockFailure.cause(failure).reason());
    assertFalse(a.told);
    timer.advance(PAUSE);
    assertTrue(b.leads());
  }

  @Test
  void whoResignedStandsOnlyWhenTheLockIsReleased() {
    a.stand(9);
    b.stand(0);
    a.node.next(Fate.HELD_BACK);
    CompletionStage<Void> resigned = a.term().resign();
    timer.advance(Duration.ofSeconds(1));
    assertFalse(isDone(resigned));
    assertEquals(1, lock().waiting());
    a.node.deliver();
    timer.run();
    assertTrue(isDone(resigned));
    assertTrue(b.leads());
    timer.advance(PAUSE);
    assertEquals(1, lock().waiting());
  }

  @Test
  void whoLedForLongIsNotPausedForLong() {
    a.stand(0);
    for (int i = 0; i < 6; i++) {
      a.term().resign();
      a.node.renew();
      timer.advance(Duration.ofMillis(100L << i));
      assertTrue(a.leads());
    }
    a.node.renew();
    timer.advance(Duration.ofSeconds(9));
    a.node.renew();
    timer.advance(Duration.ofSeconds(1));
    a.term().resign();
    timer.advance(PAUSE);
    assertTrue(a.leads());
  }

  @Test
  void whoKeepsResigningAloneIsPaused() {
    a.whenElected = () -> a.term().resign();
    a.stand(0);
    List<Long> terms = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      a.node.renew();
      happened();
      timer.advance(Duration.ofSeconds(8));
      terms.add(happened().stream().filter(it -> it.equals("a elected")).count());
    }
    assertEquals(List.of(6L, 1L, 1L), terms.subList(0, 3));
    assertTrue(terms.stream().allMatch(it -> it > 0));
  }

  @Test
  void whoWasPromotedLeadsAndTheLeaderStandsBehind() {
    Side c = new Side("c");
    a.stand(0);
    b.stand(0);
    c.stand(0);
    var unused = b.locks.promote(LOCK, c.node.id);
    assertTrue(isDone(unused));
    timer.run();
    assertEquals("c", holder());
    assertTrue(c.leads());
    timer.advance(PAUSE);
    assertEquals(
        List.of(b.node.id, a.node.id), lock().waiters().stream().map(it -> it.node()).toList());
  }

  @Test
  void theHighestPriorityWaitsLeast() {
    Side c = new Side("c");
    a.stand(0);
    b.stand(1);
    c.stand(9);
    assertTrue(a.leads(), "nobody is deposed by a priority");
    a.term().resign();
    timer.run();
    assertTrue(c.leads());
  }

  @Test
  void whoLeavesWhileItWaitsLeavesTheQueue() {
    a.stand(0);
    b.stand(0);
    CompletionStage<Void> left = b.candidacy.leave();
    timer.run();
    assertTrue(isDone(left));
    assertEquals(0, lock().waiting());
    timer.advance(Duration.ofSeconds(5));
    assertEquals(0, lock().waiting());
    left = a.candidacy.leave();
    assertFalse(isDone(left));
    timer.run();
    assertTrue(isDone(left));
    assertNull(lock());
    assertFalse(a.told);
  }

  @Test
  void aGrantThatComesTooLateIsGivenBack() {
    a.node.next(Fate.HELD_BACK);
    a.stand(0);
    var unused = a.candidacy.leave();
    timer.run();
    a.node.deliver();
    timer.run();
    assertNull(lock());
    assertEquals(List.of(), happened());

    a.stand(0);
    happened();
    a.term().resign();
    timer.run();
    a.node.next(Fate.ANSWER_LATE);
    timer.advance(PAUSE);
    assertEquals("a", holder());
    a.node.answer();
    unused = a.candidacy.leave(); // The answer is on its way.
    timer.run();
    assertNull(lock());
    assertEquals(List.of("a -Condition", "a -Leadership", "a deposed"), happened());
  }

  @Test
  void aTermThatIsOverBeforeItBeganIsNotSpokenOf() {
    a.node.next(Fate.ANSWER_LATE);
    a.stand(0);
    a.node.answer();
    a.node.endSession();
    timer.run();
    assertEquals(List.of(), happened());
    timer.advance(PAUSE);
    assertTrue(a.leads());
  }

  @Test
  void aTermThatEndsWhileItIsAnnouncedIsNotSpokenOfToTheCandidate() {
    a.whenRegistered =
        service -> {
          if (service instanceof Leadership leadership) {
            leadership.resign();
            check(!leadership.isLeader(), "leads after it resigned");
          }
        };
    a.stand(0);
    assertEquals(
        List.of("a +Leadership", "a +Condition", "a -Condition", "a -Leadership"), happened());
    assertNull(lock());
  }

  @Test
  void aCandidateThatThrowsWasTold() {
    a.whenElected =
        () -> {
          throw new IllegalStateException("as the test wants it");
        };
    a.whenDeposed =
        () -> {
          throw new LinkageError("as the test wants it");
        };
    a.stand(0);
    b.stand(0);
    assertTrue(a.leads());
    a.term().resign();
    timer.run();
    assertFalse(a.told);
    assertTrue(b.leads());
    timer.advance(PAUSE);
    b.term().resign();
    timer.run();
    assertTrue(a.leads());
  }

  @Test
  void withoutARegistryNobodyLeads() {
    a.registryIsClosed = true;
    a.stand(0);
    assertEquals(List.of(), happened());
    assertNull(lock());
    a.registryIsClosed = false;
    timer.advance(PAUSE);
    assertTrue(a.leads());
  }

  @Test
  void lockServicesGoAndCome() {
    a.stand(0);
    b.stand(0);
    Leadership term = a.term();
    CompletionStage<Void> left = a.candidacy.leave();
    timer.run();
    assertTrue(isDone(left));
    assertFalse(term.isLeader());
    assertTrue(b.leads());
    a.all.close();
    timer.advance(Duration.ofSeconds(5));
    a.all = a.locks();
    a.locks = a.all.enter("elections");
    a.stand(0);
    b.term().resign();
    timer.run();
    assertTrue(a.leads());
  }

  @Test
  void aLockServiceThatGoesWithoutAWordEndsTheTermToo() {
    a.stand(0);
    b.stand(0);
    a.all.close();
    assertFalse(a.leads());
    timer.run();
    assertFalse(a.told);
    assertTrue(b.leads());
    a.all = a.locks();
    a.locks = a.all.enter("elections");
    a.stand(0);
    assertEquals(1, lock().waiting());
  }

  @Test
  void failuresAreRepeatedWithGrowingPauses() {
    a.node.always(Fate.REFUSED);
    a.stand(0);
    timer.advance(Duration.ofSeconds(8));
    a.node.always(Fate.APPLIED);
    a.node.renew();
    timer.advance(Duration.ofMillis(6_400));
    assertTrue(a.leads());
  }

  @Test
  void standingElsewhereEndsWhatWasBefore() {
    a.stand(0);
    Leadership first = a.term();
    happened();
    a.candidacy.stand(new Standing("other", "main", 0, ""), a.locks);
    timer.run();
    assertFalse(first.isLeader());
    timer.advance(PAUSE);
    assertEquals("other", a.term().election());
    assertEquals(
        List.of(
            "a -Condition",
            "a -Leadership",
            "a deposed",
            "a +Leadership",
            "a +Condition",
            "a elected"),
        happened());
    assertNull(lock());
  }

  @Test
  void twoOfOneNodeAreTwo() {
    a.stand(0);
    Side other = new Side("d");
    other.candidacy.stand(new Standing("billing", "main", 0, "acme.d"), a.locks);
    timer.run();
    assertTrue(a.leads());
    assertEquals(a.node.id, lock().waiters().get(0).node());
    a.term().resign();
    timer.run();
    assertTrue(other.leads());
    assertFalse(a.leads());
  }

  @Test
  void aCandidateThatDoesNotReturnKeepsOnlyItsOwnLock() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch mayReturn = new CountDownLatch(1);
    CountDownLatch servicesGone = new CountDownLatch(2);
    CountDownLatch deposed = new CountDownLatch(1);
    CountDownLatch otherLeads = new CountDownLatch(1);
    try {
      Candidate blocked =
          new Candidate() {
            @Override
            public void elected(Leadership leadership) {
              called.countDown();
              await(mayReturn);
            }

            @Override
            public void deposed() {
              deposed.countDown();
            }
          };
      Candidacy.Registry registry =
          new Candidacy.Registry() {
            @Override
            public <S> Runnable register(Class<S> type, S service, Map<String, Object> properties) {
              return servicesGone::countDown;
            }
          };
      Candidacy candidacy = new Candidacy(blocked, registry, timer, threads);
      VirtualTimer.Prompt prompt = new VirtualTimer.Prompt();
      TestGroup.Node node = group.node("x", prompt);
      ReplicatedLocks locks =
          new ReplicatedLocks(
              node,
              group.table,
              group.events,
              node.id,
              LockSetting.of(Duration.ofSeconds(2)),
              99,
              prompt);
      candidacy.stand(new Standing("billing", "main", 0, ""), locks.enter("elections"));
      await(called);
      b.whenElected = otherLeads::countDown;
      b.stand(0);
      assertEquals("x", holder());
      CompletionStage<Void> left = candidacy.leave();
      await(servicesGone);
      assertFalse(isDone(left));
      assertEquals("x", holder(), "it was not told yet");
      node.endSession();
      timer.run();
      await(otherLeads);
      assertEquals(1, deposed.getCount());
      mayReturn.countDown();
      await(deposed);
      left.toCompletableFuture().get(10, TimeUnit.SECONDS);
    } finally {
      mayReturn.countDown();
      threads.shutdown();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What each side asserts holds whatever happens, and in the end somebody leads. */
  @Test
  void whateverHappens() {
    Side c = new Side("c");
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      try {
        for (int step = 0; step < 100; step++) {
          disturb(random, sides.get(random.nextInt(sides.size())));
        }
        sides.forEach(
            side -> {
              side.node.always(Fate.APPLIED);
              while (deliver(side) || answer(side)) {}
              side.node.renew();
              side.stand(0);
            });
        for (int i = 0; i < 10; i++) {
          sides.forEach(side -> side.node.renew());
          timer.advance(Duration.ofSeconds(5));
        }
        assertEquals(1, sides.stream().filter(Side::leads).count());
        assertEquals(1, sides.stream().filter(side -> side.told).count());
        assertEquals(2, lock().waiting());
        for (Side side : sides) {
          var unused = side.candidacy.leave();
        }
        timer.run();
        assertTrue(sides.stream().noneMatch(side -> side.told || side.services > 0));
        assertNull(lock());
        nothingWasWrong();
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertTrue(happened.contains("c elected"), c.name);
  }

  private void disturb(Random random, Side side) {
    switch (random.nextInt(14)) {
      case 0 -> side.node.endSession();
      case 1 -> side.stand(random.nextInt(10));
      case 2 -> side.candidacy.leave();
      case 3 -> side.node.always(FATES.get(random.nextInt(FATES.size())));
      case 4 -> {
        side.all.close();
        side.all = side.locks();
        side.locks = side.all.enter("elections");
        side.stand(0);
      }
      case 5 -> {
        Leadership term = side.leadership;
        if (term != null) {
          term.resign();
        }
      }
      case 6 -> {
        var unused = side.locks.promote(LOCK, side.node.id);
      }
      case 7 -> timer.run();
      case 8 -> timer.skip(Duration.ofMillis(random.nextInt(3_000)));
      case 9 -> {
        while (deliver(side) || answer(side)) {}
      }
      case 10, 11 -> side.node.always(Fate.APPLIED);
      default -> {
        side.node.renew();
        timer.advance(Duration.ofMillis(random.nextInt(3_000)));
      }
    }
  }

  private static boolean deliver(Side side) {
    try {
      side.node.deliver();
      return true;
    } catch (NoSuchElementException e) {
      return false;
    }
  }

  private static boolean answer(Side side) {
    try {
      side.node.answer();
      return true;
    } catch (NoSuchElementException e) {
      return false;
    }
  }
}
