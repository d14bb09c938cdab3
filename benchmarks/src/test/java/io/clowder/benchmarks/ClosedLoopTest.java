// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ClosedLoopTest {
  private static final long LIMIT = TimeUnit.SECONDS.toNanos(30);
  private static final CompletableFuture<String> DONE = CompletableFuture.completedFuture("done");

  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private final ScheduledExecutorService service = Executors.newScheduledThreadPool(2);

  @AfterEach
  void shutDown() {
    executor.shutdownNow();
    service.shutdownNow();
  }

  @Test
  void startsEachIndexOnceAndCountsIt() throws Exception {
    AtomicIntegerArray starts = new AtomicIntegerArray(5_000);
    ClosedLoop.Result result =
        run(
            8,
            starts.length(),
            (index, slot) -> {
              starts.incrementAndGet((int) index);
              return CompletableFuture.supplyAsync(() -> "done", service);
            });
    assertEquals(5_000, result.operations());
    assertEquals(0, result.errors());
    assertNull(result.firstError());
    for (int i = 0; i < starts.length(); i++) {
      assertEquals(1, starts.get(i), "operation " + i);
    }
  }

  @Test
  void keepsAsManyOutstandingAsAsked() throws Exception {
    List<CompletableFuture<String>> waiting = new ArrayList<>();
    AtomicIntegerArray busy = new AtomicIntegerArray(16);
    AtomicLong doubled = new AtomicLong();
    // Nothing is answered until sixteen wait: fewer would hang, more would be counted by slot.
    ClosedLoop.Result result =
        run(
            16,
            1_600,
            (index, slot) -> {
              if (busy.incrementAndGet(slot) != 1) {
                doubled.incrementAndGet();
              }
              CompletableFuture<String> stage = new CompletableFuture<>();
              List<CompletableFuture<String>> full = List.of();
              synchronized (waiting) {
                waiting.add(stage);
                if (waiting.size() == 16) {
                  full = List.copyOf(waiting);
                  waiting.clear();
                }
              }
              // One by one and elsewhere, as a service would.
              full.forEach(other -> service.execute(() -> other.complete("done")));
              return stage.whenComplete((done, error) -> busy.decrementAndGet(slot));
            });
    assertEquals(1_600, result.operations());
    assertEquals(0, doubled.get());
  }

  @Test
  void stagesThatAreCompleteAlreadyNeitherOverflowTheStackNorStarveOtherSlots() throws Exception {
    AtomicLong deepest = new AtomicLong();
    AtomicIntegerArray bySlot = new AtomicIntegerArray(4);
    ClosedLoop.Result result =
        run(
            4,
            100_000,
            (index, slot) -> {
              bySlot.incrementAndGet(slot);
              if (index % 10_000 == 0) {
                long depth = StackWalker.getInstance().walk(frames -> frames.count());
                deepest.accumulateAndGet(depth, Math::max);
              }
              return DONE;
            });
    assertEquals(100_000, result.operations());
    assertTrue(deepest.get() < 50, "stack of " + deepest);
    for (int slot = 0; slot < 4; slot++) {
      assertTrue(bySlot.get(slot) > 1_000, "slots had " + bySlot);
    }
  }

  @Test
  void aCompletingThreadDoesNotRecurse() throws Exception {
    AtomicLong deepest = new AtomicLong();
    Executor sometimesHere = Runnable::run;
    AtomicLong calls = new AtomicLong();
    ClosedLoop.Result result =
        run(
            2,
            50_000,
            (index, slot) -> {
              long depth = StackWalker.getInstance().walk(frames -> frames.count());
              deepest.accumulateAndGet(depth, Math::max);
              boolean here = calls.incrementAndGet() % 100 != 0;
              return CompletableFuture.supplyAsync(() -> "done", here ? sometimesHere : service);
            });
    assertEquals(50_000, result.operations());
    assertTrue(deepest.get() < 80, "stack of " + deepest);
  }

  @Test
  void countsFailuresApartAndKeepsTheFirst() throws Exception {
    ClosedLoop.Result result =
        run(
            4,
            1_000,
            (index, slot) ->
                CompletableFuture.supplyAsync(
                    () -> {
                      if (index % 10 == 3) {
                        throw CoordinationException.refused(Reason.OVERLOADED, "full: " + slot);
                      }
                      return "done";
                    },
                    service));
    assertEquals(900, result.operations());
    assertEquals(100, result.errors());
    assertTrue(result.because().startsWith("full: "), result.because());
  }

  @Test
  void aServiceThatThrowsHasFailed() throws Exception {
    ClosedLoop.Result result =
        run(
            1,
            10,
            (index, slot) -> {
              if (index == 5) {
                throw new IllegalStateException("gone");
              }
              return DONE;
            });
    assertEquals(9, result.operations());
    assertEquals(1, result.errors());
    assertEquals("java.lang.IllegalStateException: gone", result.because());
  }

  @Test
  void aWrongResultHasFailed() throws Exception {
    ClosedLoop.Operation operation =
        new ClosedLoop.Operation() {
          @Override
          public CompletableFuture<Long> start(long index, int slot) {
            return CompletableFuture.completedFuture(index);
          }

          @Override
          public Throwable fault(Object result) {
            return result.equals(7L) ? new IllegalStateException("seven") : null;
          }
        };
    ClosedLoop.Result result = run(1, 10, operation);
    assertEquals(9, result.operations());
    assertEquals(1, result.errors());
  }

  @Test
  void latenciesAreThoseOfTheOperations() throws Exception {
    Executor later = CompletableFuture.delayedExecutor(5, TimeUnit.MILLISECONDS, service);
    ClosedLoop.Result result =
        run(4, 40, (index, slot) -> CompletableFuture.supplyAsync(() -> "done", later));
    assertEquals(40, result.operations());
    // Three digits are kept, so a value may be read back a little smaller than it was.
    assertTrue(result.latencies().getMinValue() > 4_900_000, "" + result.latencies().getMinValue());
    assertTrue(result.latencies().getMaxValue() < LIMIT, "" + result.latencies().getMaxValue());
  }

  @Test
  void theWarmUpIsNotCounted() throws Exception {
    AtomicLong starts = new AtomicLong();
    ClosedLoop.Plan plan = new ClosedLoop.Plan(2, 1_000, LIMIT, LIMIT, LIMIT);
    ClosedLoop.Result result =
        ClosedLoop.run(
            (index, slot) -> {
              starts.incrementAndGet();
              return index == 500
                  ? CompletableFuture.failedFuture(new IllegalStateException("early"))
                  : DONE;
            },
            plan,
            executor);
    assertEquals(1_000, starts.get());
    assertEquals(0, result.operations());
    assertEquals(0, result.gapNanos());
    assertEquals(0, result.errors());
    assertEquals("java.lang.IllegalStateException: early", result.because());
  }

  @Test
  void operationsWithoutAnAnswerAreErrorsAndTheirAnswersStartNothingLater() throws Exception {
    List<CompletableFuture<String>> started = new CopyOnWriteArrayList<>();
    // Long enough for three starts on a machine that does much else.
    long second = TimeUnit.SECONDS.toNanos(1);
    ClosedLoop.Plan plan = new ClosedLoop.Plan(3, Long.MAX_VALUE, 0, second, 1_000_000);
    ClosedLoop.Operation operation =
        (index, slot) -> {
          CompletableFuture<String> stage = new CompletableFuture<>();
          started.add(stage);
          return stage;
        };
    ClosedLoop.Result result = ClosedLoop.run(operation, plan, executor);
    assertEquals(0, result.operations());
    assertEquals(second, result.gapNanos());
    assertEquals(3, result.errors());
    assertEquals("no answer in time", result.because());
    started.forEach(stage -> stage.complete("too late"));
    assertEquals(3, started.size());
  }

  @Test
  void anInterruptionEndsIt() {
    Thread caller = Thread.currentThread();
    AtomicLong starts = new AtomicLong();
    ClosedLoop.Operation operation =
        (index, slot) -> {
          if (starts.incrementAndGet() == 100) {
            caller.interrupt();
          }
          return CompletableFuture.supplyAsync(() -> "done", service);
        };
    assertThrows(InterruptedException.class, () -> run(4, Long.MAX_VALUE, operation));
    assertTrue(starts.get() >= 100, "" + starts);
  }

  @Test
  void aSentenceIsTheCauseAlone() {
    Throwable cause = CoordinationException.refused(Reason.CONFLICT, "held by n2");
    assertEquals("held by n2", ClosedLoop.sentence(new CompletionException(cause)));
  }

  private ClosedLoop.Result run(int outstanding, long operations, ClosedLoop.Operation operation)
      throws InterruptedException {
    ClosedLoop.Plan plan = new ClosedLoop.Plan(outstanding, operations, 0, LIMIT, LIMIT);
    return ClosedLoop.run(operation, plan, executor);
  }
}
