// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.Liveness;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Asks the parts of this node whether they are alive. One thread runs {@link #round}; any may ask
 * for what came of it, and sees a call that hangs by the time it takes.
 */
final class Checks {
  /** A call that takes longer says no. */
  static final long CALL_NANOS_MAX = 1_000_000_000;

  private record Check(String name, Liveness liveness) {}

  private record Call(String name, long sinceNanos) {}

  private final Map<Object, Check> checks = new ConcurrentHashMap<>();
  private volatile List<String> unwell = List.of();
  private volatile @Nullable Call call;

  void add(Object key, String name, Liveness liveness) {
    checks.put(key, new Check(name, liveness));
  }

  void remove(Object key) {
    checks.remove(key);
  }

  /** Asks all of them, one after the other. */
  void round(long nanos) {
    TreeSet<String> no = new TreeSet<>();
    for (Check check : checks.values()) {
      call = new Call(check.name, nanos);
      boolean alive;
      try {
        alive = check.liveness.isAlive();
      } catch (RuntimeException | Error e) {
        alive = false;
      }
      if (!alive) {
        no.add(check.name);
      }
    }
    call = null;
    unwell = List.copyOf(no);
  }

  /** The parts that said no last time, or have not answered yet. */
  List<String> unwell(long nanos) {
    Call under = call;
    if (under == null || nanos - under.sinceNanos < CALL_NANOS_MAX) {
      return unwell;
    }
    TreeSet<String> no = new TreeSet<>(unwell);
    no.add(under.name);
    return List.copyOf(no);
  }
}
