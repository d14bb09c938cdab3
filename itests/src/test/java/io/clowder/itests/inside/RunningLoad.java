// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import io.clowder.itests.probe.Load;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The threads of a {@link Load}, and what they were told. */
final class RunningLoad implements Load {
  /** Keys of a writer, so few that each is written often. */
  static final int FEW_KEYS = 8;

  private static final int WRITERS = 2;

  private final String name;
  private final int keys;
  private final Writing writing;
  private final @Nullable Locking locking;
  private final List<Thread> threads = new ArrayList<>();
  private final Map<String, Set<String>> values = new HashMap<>();
  private final List<Long> tokens = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private volatile boolean ended;
  private long writes;
  private long lastWrite = System.nanoTime();
  private long gapNanos;

  /** Sets a key to a value, and waits. */
  interface Writing {
    void put(String key, String value) throws Exception;
  }

  /** Takes a lock and gives it back; its token. */
  interface Locking {
    long lockOnce() throws Exception;
  }

  /** Starts it; {@code locking} is null if it uses no lock. */
  RunningLoad(String name, int keys, Writing writing, @Nullable Locking locking) {
    this.name = name;
    this.keys = keys;
    this.writing = writing;
    this.locking = locking;
    for (int writer = 0; writer < WRITERS; writer++) {
      int number = writer;
      threads.add(new Thread(() -> write(number), "load-" + name + "-" + writer));
    }
    if (locking != null) {
      threads.add(new Thread(() -> lock(locking), "load-" + name + "-lock"));
    }
    threads.forEach(Thread::start);
  }

  @Override
  public synchronized void awaitProgress(int more, long millis) throws InterruptedException {
    long end = System.nanoTime() + millis * 1_000_000;
    long wanted = writes + more;
    int locked = tokens.size();
    while (writes < wanted || (locking != null && tokens.size() == locked)) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError(
            "%s: %d of %d writes and %d locks in %d ms; failures: %s"
                .formatted(
                    name, writes - wanted + more, more, tokens.size() - locked, millis, failures));
      }
      wait(left);
    }
  }

  @Override
  public Outcome stop() throws InterruptedException {
    ended = true;
    for (Thread thread : threads) {
      thread.join();
    }
    synchronized (this) {
      return new Outcome(values, tokens, failures, gapNanos / 1_000_000);
    }
  }

  private void write(int writer) {
    for (int i = 0; !ended; i++) {
      String key = name + "-" + writer + "-" + i % keys;
      String value = key + "=" + i;
      tried(key, value);
      try {
        writing.put(key, value);
        acknowledged(key, value);
      } catch (ExecutionException e) {
        failed("put: " + e.getCause());
      } catch (Exception e) {
        failed("put: " + e);
      }
    }
  }

  private void lock(Locking wanted) {
    while (!ended) {
      try {
        long token = wanted.lockOnce();
        synchronized (this) {
          tokens.add(token);
          notifyAll();
        }
      } catch (ExecutionException e) {
        failed("lock: " + e.getCause());
      } catch (Exception e) {
        failed("lock: " + e);
      }
    }
  }

  private synchronized void tried(String key, String value) {
    values.computeIfAbsent(key, k -> new LinkedHashSet<>()).add(value);
  }

  private synchronized void acknowledged(String key, String value) {
    values.put(key, new LinkedHashSet<>(Set.of(value)));
    long now = System.nanoTime();
    gapNanos = Math.max(gapNanos, now - lastWrite);
    lastWrite = now;
    writes++;
    notifyAll();
  }

  private synchronized void failed(String what) {
    failures.add(what);
    if (failures.size() > 50) {
      ended = true;
    }
  }
}
