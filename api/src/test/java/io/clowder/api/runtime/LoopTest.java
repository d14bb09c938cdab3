// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LoopTest {
  private final Loop loop = new Loop("clowder", "group", "main");
  private final BlockingQueue<String> calls = new LinkedBlockingQueue<>();

  private static String thread() {
    return Thread.currentThread().getName();
  }

  /** Has nothing to do for an hour. */
  private long idle(long now) {
    calls.add(thread());
    return now + TimeUnit.HOURS.toNanos(1);
  }

  @Test
  void threadsHaveNames() throws InterruptedException {
    loop.start(this::idle);
    assertEquals("clowder-group-main", calls.take());
    for (Executor one : List.of(loop.disk(), loop.background(), loop.completions())) {
      one.execute(() -> calls.add(thread()));
    }
    assertEquals(
        List.of("clowder-completions-main", "clowder-disk-main", "clowder-snapshots-main"),
        List.of(calls.take(), calls.take(), calls.take()).stream().sorted().toList());
    loop.stop();
  }

  @Test
  void eachWakeupIsFollowedByARun() throws InterruptedException {
    loop.start(this::idle);
    calls.take();
    for (int i = 0; i < 1000; i++) {
      calls.clear();
      loop.wakeup();
      calls.take();
    }
    loop.stop();
  }

  @Test
  void runsAgainWhenItSaid() throws InterruptedException {
    loop.start(
        now -> {
          calls.add(thread());
          return now + 1000;
        });
    for (int i = 0; i < 10; i++) {
      calls.take();
    }
    loop.stop();
  }

  @Test
  void whoCameInAtTheLastMomentIsToldToo() throws InterruptedException {
    loop.start(this::idle);
    calls.take();
    loop.stop();
    String last = "";
    while (!calls.isEmpty()) {
      last = calls.take();
    }
    assertEquals(thread(), last);
    assertTrue(loop.disk().isTerminated());
    assertTrue(loop.background().isTerminated());
    assertTrue(loop.completions().isTerminated());
  }
}
