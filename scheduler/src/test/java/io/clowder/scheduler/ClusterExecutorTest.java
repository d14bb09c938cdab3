// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.task.TaskRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClusterExecutorTest {
  private static final long SECOND = TaskWorld.SECOND;

  private final TaskWorld world = new TaskWorld(1, 3);
  private final List<TaskWorld.Life> lives = new ArrayList<>();
  private final ClusterExecutor executor;

  ClusterExecutorTest() {
    for (TaskWorld.Computer computer : world.computers) {
      TaskWorld.Life[] life = new TaskWorld.Life[1];
      life[0] = computer.start(setting(), run -> life[0].after(0, run::execute));
      lives.add(life[0]);
    }
    world.run(SECOND);
    executor = lives.get(1).scheduler.executor();
  }

  private static SchedulerSetting setting() {
    return new SchedulerSetting(
        2, new TreeMap<>(), Duration.ofSeconds(5), 1_000, Duration.ofSeconds(30), Duration.ZERO);
  }

  @Test
  void whatItIsGivenRunsHereInTheQueueOfAll() throws Exception {
    Future<String> answer = executor.submit(() -> "done");
    assertFalse(answer.isDone());
    world.run(SECOND);
    assertEquals("done", answer.get(0, TimeUnit.SECONDS));
    Board board = world.canon.board();
    assertEquals(1, board.tasks().size());
    assertEquals(1, board.floor().worker(world.computers.get(1).node).done);
  }

  @Test
  void whatItThrowsIsTheFuturesAndIsNotTriedAgain() {
    int[] times = new int[1];
    Future<?> answer =
        executor.submit(
            () -> {
              times[0]++;
              throw new IllegalStateException("no");
            });
    world.run(60 * SECOND);
    var e = assertThrows(ExecutionException.class, () -> answer.get(0, TimeUnit.SECONDS));
    assertInstanceOf(IllegalStateException.class, e.getCause());
    assertEquals(1, times[0]);
  }

  @Test
  void aDelayIsWaitedFor() {
    ScheduledFuture<Integer> later = executor.schedule(() -> 7, 10, TimeUnit.SECONDS);
    world.run(9 * SECOND);
    assertFalse(later.isDone());
    world.run(2 * SECOND);
    assertTrue(later.isDone());
  }

  @Test
  void aPeriodicOneGoesOnThoughItThrows() {
    List<Long> times = new ArrayList<>();
    ScheduledFuture<?> again =
        executor.scheduleAtFixedRate(
            () -> {
              times.add(world.now() / SECOND);
              if (times.size() == 2) {
                throw new IllegalStateException("once");
              }
            },
            1,
            2,
            TimeUnit.SECONDS);
    world.run(10 * SECOND);
    assertEquals(List.of(2L, 4L, 6L, 8L, 10L), times);
    assertFalse(again.isDone());
    assertTrue(again.cancel(false));
    world.run(10 * SECOND);
    assertEquals(5, times.size());
    assertTrue(world.canon.board().tasks().values().stream().allMatch(it -> it.state().isEnd()));
  }

  @Test
  void aDelayBetweenTwoBeginsWhenTheFirstIsOver() {
    List<Long> times = new ArrayList<>();
    var unused =
        executor.scheduleWithFixedDelay(
            () -> times.add(world.now() / SECOND), 0, 3, TimeUnit.SECONDS);
    world.run(11 * SECOND);
    assertEquals(List.of(1L, 4L, 7L, 10L), times);
  }

  @Test
  void whatWaitsIsCalledOffWhenItsNodeIsGone() {
    ScheduledFuture<?> later = executor.schedule(() -> 7, 100, TimeUnit.SECONDS);
    world.run(SECOND);
    world.computers.get(1).kill();
    world.run(30 * SECOND);
    assertFalse(later.isDone());
    assertEquals(0, world.canon.board().pending());
  }

  /** A node that was taken for dead and lives goes on with what it does again and again. */
  @Test
  void aPeriodicOneOutlivesTheLossOfItsWorker() {
    List<Long> times = new ArrayList<>();
    ScheduledFuture<?> again =
        executor.scheduleAtFixedRate(() -> times.add(world.now() / SECOND), 0, 1, TimeUnit.SECONDS);
    world.run(5 * SECOND);
    world.computers.get(1).pause(5 * SECOND);
    world.run(20 * SECOND);
    assertFalse(again.isDone());
    // Now and then the world loses a command, so not every second is there.
    assertTrue(times.stream().filter(it -> it >= 12).count() >= 6, times.toString());
  }

  @Test
  void shutDownItTakesNothingAndCallsOffWhatWaits() throws Exception {
    ScheduledFuture<?> later = executor.schedule(() -> 7, 100, TimeUnit.SECONDS);
    world.run(SECOND);
    assertEquals(1, executor.shutdownNow().size());
    assertTrue(later.isCancelled());
    assertTrue(executor.isTerminated());
    assertTrue(executor.awaitTermination(0, TimeUnit.SECONDS));
    assertThrows(RejectedExecutionException.class, () -> executor.execute(() -> {}));
    world.run(SECOND);
    assertEquals(0, world.canon.board().pending());
  }

  @Test
  void nobodyElseMaySubmitItsTypes() {
    var answer =
        lives
            .get(0)
            .scheduler
            .submit(TaskRequest.of(LocalTasks.TYPE + "1", new byte[0]))
            .toCompletableFuture();
    assertTrue(answer.isCompletedExceptionally());
  }
}
