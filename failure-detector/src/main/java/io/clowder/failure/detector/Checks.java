// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.Liveness;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the parts of this node whether they are alive. One thread runs {@link #round}; another one
 * asks again and again for what came of it, and sees a call that hangs by the time it takes. Time
 * for which the asking thread itself did not run counts for no call.
 */
final class Checks {
  /** A call that takes longer says no. */
  static final long CALL_NANOS_MAX = 1_000_000_000;

  /** Who asks more seldom did not run. */
  private static final long ASKED_NANOS_MAX = 200_000_000;

  private record Check(String name, Liveness liveness) {}

  private record Call(Object key, String name, long sinceNanos, Thread thread) {}

  private final LongSupplier clock;
  private final Map<Object, Check> checks = new ConcurrentHashMap<>();
  private volatile List<String> unwell = List.of();
  private volatile @Nullable Call call;
  private long askedNanos;
  private long excusedNanos;

  /** Asks nobody yet. */
  Checks(LongSupplier clock) {
    this.clock = clock;
    this.askedNanos = clock.getAsLong();
  }

  /** Asks this part, too; a name that is too long for a heartbeat is cut. */
  void add(Object key, String name, Liveness liveness) {
    String cut = name;
    while (cut.getBytes(StandardCharsets.UTF_8).length > Signal.NAME_BYTES) {
      cut = cut.substring(0, cut.offsetByCodePoints(cut.length(), -1));
    }
    checks.put(key, new Check(cut, liveness));
  }

  /** Asks it no more; a call to it that hangs is interrupted. */
  void remove(Object key) {
    checks.remove(key);
    Call under = call;
    if (under != null && under.key.equals(key)) {
      under.thread.interrupt();
    }
  }

  /** Asks all of them, one after the other. */
  void round() {
    TreeSet<String> no = new TreeSet<>();
    for (Map.Entry<Object, Check> entry : checks.entrySet()) {
      Check check = entry.getValue();
      call = new Call(entry.getKey(), check.name, clock.getAsLong(), Thread.currentThread());
      boolean alive;
      try {
        alive = check.liveness.isAlive();
      } catch (RuntimeException | Error e) {
        alive = false;
      }
      if (!alive && checks.containsKey(entry.getKey())) {
        no.add(check.name);
      }
    }
    call = null;
    unwell = List.copyOf(no);
  }

  /** The parts that said no last time, or have not answered yet; for one thread. */
  List<String> unwell() {
    long now = clock.getAsLong();
    excusedNanos += Math.max(0, now - askedNanos - ASKED_NANOS_MAX);
    askedNanos = now;
    Call under = call;
    if (under == null || !checks.containsKey(under.key)) {
      excusedNanos = 0;
      return unwell;
    }
    if (now - under.sinceNanos - excusedNanos < CALL_NANOS_MAX) {
      return unwell;
    }
    TreeSet<String> no = new TreeSet<>(unwell);
    no.add(under.name);
    return List.copyOf(no);
  }
}
