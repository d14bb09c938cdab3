// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThreadTimerTest {
  @Test
  void tasksRunOnDaemonThreadsOfItsOwn() throws Exception {
    try (ThreadTimer timer = new ThreadTimer("test-timer")) {
      CompletableFuture<Thread> now = new CompletableFuture<>();
      CompletableFuture<Thread> later = new CompletableFuture<>();
      timer.execute(() -> now.complete(Thread.currentThread()));
      timer.after(Duration.ofMillis(1), () -> later.complete(Thread.currentThread()));
      for (CompletableFuture<Thread> ran : List.of(now, later)) {
        Thread thread = ran.get(30, TimeUnit.SECONDS);
        assertTrue(thread.isDaemon());
        assertTrue(thread.getName().startsWith("test-timer-"), thread.getName());
      }
    }
  }

  @Test
  void aBlockedTaskDoesNotKeepAnotherFromRunning() throws Exception {
    try (ThreadTimer timer = new ThreadTimer("test-timer")) {
      CompletableFuture<Boolean> free = new CompletableFuture<>();
      timer.execute(free::join);
      CompletableFuture<Boolean> ran = new CompletableFuture<>();
      timer.execute(() -> ran.complete(true));
      assertTrue(ran.get(30, TimeUnit.SECONDS));
      free.complete(true);
    }
  }

  @Test
  void closingRunsWhatIsReadyAndDropsWhatIsDelayed() throws Exception {
    ThreadTimer timer = new ThreadTimer("test-timer");
    CompletableFuture<Boolean> free = new CompletableFuture<>();
    List<Integer> ran = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<Boolean> last = new CompletableFuture<>();
    timer.execute(free::join);
    timer.execute(free::join);
    timer.execute(() -> ran.add(1));
    timer.execute(() -> last.complete(true));
    Runnable callOff = timer.after(Duration.ofDays(1), () -> ran.add(2));
    timer.close();
    free.complete(true);
    assertTrue(last.get(30, TimeUnit.SECONDS));
    callOff.run();

    CompletableFuture<Thread> after = new CompletableFuture<>();
    timer.execute(() -> after.complete(Thread.currentThread()));
    // Who comes late is served, and never in place: it may hold a lock.
    assertNotEquals(Thread.currentThread(), after.get(30, TimeUnit.SECONDS));
    timer.after(Duration.ZERO, () -> ran.add(3)).run();
    assertFalse(ran.contains(2) || ran.contains(3));
  }
}
