// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Somebody who gives one command on a ring after the other, and looks at a watch. */
final class Hand implements AutoCloseable {
  private static final Duration WAIT = Duration.ofSeconds(90);
  private static final int SOME = 5;

  private final Shell shell;
  private final String command;
  private final Thread thread = new Thread(this::run, "hand");
  private final List<Done> done = new ArrayList<>();
  private volatile boolean isEnded;
  private volatile String problem = "nothing failed";

  /** What somebody does meanwhile. */
  interface Deed {
    void happen() throws Exception;
  }

  private record Done(long begin, long end) {}

  /** Begins to give a command of {@code dht:}. */
  Hand(Shell shell, String command) {
    this.shell = shell;
    this.command = "dht:" + command;
    thread.start();
  }

  private void run() {
    while (!isEnded) {
      long begin = System.nanoTime();
      try {
        Shell.Answer answer = shell.run(command);
        if (answer.status() == 0) {
          add(new Done(begin, System.nanoTime()));
        } else {
          problem = answer.err();
        }
      } catch (IOException e) {
        problem = e.toString();
        isEnded = true;
      }
    }
  }

  private synchronized void add(Done one) {
    done.add(one);
  }

  private synchronized List<Done> since(long nanos) {
    return done.stream().filter(it -> it.begin - nanos >= 0).toList();
  }

  /** Waits until several have succeeded that were begun from now on. */
  void awaitProgress() throws Exception {
    awaitProgress(SOME);
  }

  /** The same of so many. */
  void awaitProgress(int count) throws Exception {
    long now = System.nanoTime();
    assertTrue(command + ": " + problem, Deadline.in(WAIT).until(() -> since(now).size() >= count));
  }

  /** The longest time since a moment in which none succeeded. */
  synchronized long longestPauseMillis(long sinceNanos) {
    long last = sinceNanos;
    long longest = 0;
    for (Done one : done) {
      if (one.end - sinceNanos > 0) {
        longest = Math.max(longest, one.end - last);
        last = one.end;
      }
    }
    return longest / 1_000_000;
  }

  /** How long 99 of 100 took at most that were begun while something happened, in nanoseconds. */
  long during(Deed deed) throws Exception {
    long begin = System.nanoTime();
    deed.happen();
    long end = System.nanoTime();
    List<Long> took =
        since(begin).stream()
            .filter(it -> it.begin - end < 0)
            .map(it -> it.end - it.begin)
            .sorted()
            .toList();
    assertTrue(command + ": " + problem, !took.isEmpty());
    return took.get((took.size() * 99 - 1) / 100);
  }

  @Override
  public void close() {
    isEnded = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
