// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.LockInfo;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ElectionsTest {
  private static final Map<String, Object> MAIN = Map.of("consensus.group", "main");
  private static final Map<String, Object> SIDE = Map.of("consensus.group", "side");

  /** Everything happens before a call returns. */
  private final VirtualTimer timer = new VirtualTimer.Prompt();

  private final TestGroup group = new TestGroup();
  private final BundleLocks locks = locks(group);
  private final Set<Object> registered = new HashSet<>();
  private final Elections elections = elections(Runnable::run);
  private final Billing candidate = new Billing();

  private BundleLocks locks(TestGroup of) {
    TestGroup.Node node = of.node("n1", timer);
    return new ReplicatedLocks(
            node, of.table, of.events, node.id, LockSetting.of(Duration.ofSeconds(2)), 1, timer)
        .enter("elections");
  }

  private Elections elections(Executor threads) {
    Candidacy.Registry registry =
        new Candidacy.Registry() {
          @Override
          public <S> Runnable register(Class<S> type, S service, Map<String, Object> properties) {
            registered.add(service);
            return () -> registered.remove(service);
          }
        };
    return new Elections(registry, number -> "acme." + number, new VirtualTimer.Prompt(), threads);
  }

  private static final class Billing implements Candidate {
    @Nullable Leadership leadership;
    int elected;
    int deposed;
    Runnable whenElected = () -> {};

    @Override
    public void elected(Leadership leadership) {
      this.leadership = leadership;
      elected++;
      whenElected.run();
    }

    @Override
    public void deposed() {
      deposed++;
    }

    boolean leads() {
      return leadership != null && leadership.isLeader();
    }
  }

  private static Map<String, Object> properties(Object... more) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("service.id", 5L);
    properties.put("service.bundleid", 7L);
    properties.put("election.name", "billing");
    for (int i = 0; i < more.length; i += 2) {
      properties.put((String) more[i], more[i + 1]);
    }
    return properties;
  }

  private @Nullable LockInfo lock(String name) {
    return locks.info("election/" + name).toCompletableFuture().join();
  }

  @Test
  void aCandidateStandsOnceTheLocksAreThere() {
    elections.bindCandidate(candidate, properties());
    assertFalse(candidate.leads());
    elections.bindLocks(locks, MAIN);
    assertTrue(candidate.leads());
    LockInfo lock = lock("billing");
    assertNotNull(lock);
    assertEquals("acme.7", lock.holders().get(0).note());
    assertEquals(2, registered.size());
  }

  @Test
  void eachGroupDecidesItsOwn() {
    TestGroup other = new TestGroup();
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties("consensus.group", "side"));
    assertFalse(candidate.leads());
    BundleLocks side = locks(other);
    elections.bindLocks(side, SIDE);
    assertTrue(candidate.leads());
    assertNull(lock("billing"));
    elections.unbindLocks(locks, MAIN);
    assertTrue(candidate.leads());
    elections.unbindLocks(side, SIDE);
    assertFalse(candidate.leads());
  }

  @Test
  void aCandidateWithBadPropertiesStandsWhenTheyAreRight() {
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties("election.priority", 10));
    assertNull(lock("billing"));
    elections.updatedCandidate(candidate, properties("election.priority", 9));
    assertTrue(candidate.leads());
    elections.updatedCandidate(candidate, properties("election.name", "no name"));
    assertEquals(1, candidate.deposed);
    assertNull(lock("billing"));
  }

  @Test
  void onlyAChangeThatMattersEndsATerm() {
    VirtualTimer pauses = new VirtualTimer.Prompt();
    Elections paused =
        new Elections(
            new Candidacy.Registry() {
              @Override
              public <S> Runnable register(
                  Class<S> type, S service, Map<String, Object> properties) {
                return () -> {};
              }
            },
            number -> "",
            pauses,
            Runnable::run);
    paused.bindLocks(locks, MAIN);
    paused.bindCandidate(candidate, properties());
    Leadership term = candidate.leadership;
    assertNotNull(term);
    paused.updatedCandidate(candidate, properties("color", "blue"));
    assertTrue(term.isLeader());
    paused.updatedCandidate(candidate, properties("election.name", "shipping"));
    assertFalse(term.isLeader());
    pauses.advance(Duration.ofSeconds(1));
    assertTrue(candidate.leads());
    assertEquals("shipping", candidate.leadership.election());
    assertNull(lock("billing"));
    paused.unbindCandidate(candidate, properties("election.name", "shipping"));
    assertEquals(2, candidate.deposed);
    paused.updatedCandidate(candidate, properties());
    assertNull(lock("billing"), "it is not registered any more");
  }

  @Test
  void whoeverGoesWasToldBefore() {
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties());
    elections.unbindCandidate(candidate, properties());
    assertEquals(1, candidate.deposed);
    assertNull(lock("billing"));
    assertEquals(Set.of(), registered);
  }

  @Test
  void locksThatGoAreGivenBackBefore() {
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties());
    elections.unbindLocks(locks, MAIN);
    assertEquals(1, candidate.deposed);
    assertNull(lock("billing"));
    elections.bindLocks(locks, MAIN);
    assertTrue(candidate.leads());
    assertEquals(2, candidate.elected);
  }

  @Test
  void locksThatWereReplacedAreNotMissed() {
    BundleLocks others = locks(new TestGroup());
    elections.bindLocks(locks, MAIN);
    elections.bindLocks(others, MAIN);
    elections.bindCandidate(candidate, properties());
    elections.unbindLocks(locks, MAIN);
    assertTrue(candidate.leads());
  }

  @Test
  void nobodyStandsOnceItIsClosed() {
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties());
    elections.close();
    assertEquals(1, candidate.deposed);
    elections.unbindCandidate(candidate, properties());
    elections.unbindLocks(locks, MAIN);
    elections.bindLocks(locks, MAIN);
    elections.bindCandidate(candidate, properties());
    assertNull(lock("billing"));
    assertEquals(1, candidate.elected);
  }

  @Test
  void aCandidateMayGoWhileItIsToldThatItLeads() {
    candidate.whenElected = () -> elections.unbindCandidate(candidate, properties());
    elections.bindLocks(locks, MAIN);
    assertTimeout(
        Elections.TOLD_MAX.minusSeconds(1),
        () -> elections.bindCandidate(candidate, properties()),
        "it waits for itself");
    assertEquals(1, candidate.deposed);
    assertNull(lock("billing"));
  }

  @Test
  void whoeverIsInterruptedDoesNotWaitForACandidate() {
    ExecutorService threads = Executors.newCachedThreadPool();
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch mayReturn = new CountDownLatch(1);
    CountDownLatch told = new CountDownLatch(1);
    try {
      Elections real = elections(threads);
      Candidate slow =
          new Candidate() {
            @Override
            public void elected(Leadership leadership) {
              called.countDown();
              assertTrue(awaits(mayReturn));
            }

            @Override
            public void deposed() {
              told.countDown();
            }
          };
      real.bindLocks(locks, MAIN);
      real.bindCandidate(slow, properties());
      assertTrue(awaits(called));
      Thread.currentThread().interrupt();
      real.unbindCandidate(slow, properties());
      assertTrue(Thread.interrupted());
      assertEquals(1, told.getCount());
      mayReturn.countDown();
      assertTrue(awaits(told));
    } finally {
      mayReturn.countDown();
      threads.shutdown();
    }
  }

  private static boolean awaits(CountDownLatch latch) {
    try {
      return latch.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }
}
