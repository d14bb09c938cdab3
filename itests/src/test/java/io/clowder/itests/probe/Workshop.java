// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What handlers of tasks do, and what they wait for: one for all frameworks of this process, which
 * lend it to their bundles, and for the test.
 */
public final class Workshop {
  private static final List<Deed> deeds = new ArrayList<>();
  private static final Set<String> open = new HashSet<>();

  private Workshop() {}

  /**
   * An attempt that a handler was called for.
   *
   * @param instant of which schedule; null if of none
   */
  public record Deed(
      long task,
      String type,
      String payload,
      String node,
      String version,
      int attempt,
      String resource,
      long token,
      @Nullable String instant) {}

  /** A handler was called. */
  public static void begun(Deed deed) {
    synchronized (deeds) {
      deeds.add(deed);
      deeds.notifyAll();
    }
  }

  /** All that there was, in the order in which it began. */
  public static List<Deed> deeds(Predicate<Deed> which) {
    synchronized (deeds) {
      return deeds.stream().filter(which).toList();
    }
  }

  /** Waits until the attempts of a task are so many, and gives the last of them. */
  public static Deed await(long task, int attempts, long millis) throws InterruptedException {
    return await(it -> it.task == task, attempts, millis);
  }

  /** The same of any. */
  public static Deed await(Predicate<Deed> which, int count, long millis)
      throws InterruptedException {
    long end = System.nanoTime() + millis * 1_000_000;
    synchronized (deeds) {
      while (true) {
        List<Deed> found = deeds(which);
        long left = (end - System.nanoTime()) / 1_000_000;
        if (found.size() >= count) {
          return found.get(count - 1);
        } else if (left <= 0) {
          throw new AssertionError(count + " attempts were expected: " + found);
        }
        deeds.wait(left);
      }
    }
  }

  /** Lets those go on who wait at a gate, and who come to it later. */
  public static void open(String gate) {
    synchronized (open) {
      open.add(gate);
      open.notifyAll();
    }
  }

  /** Waits at a gate. */
  public static void pass(String gate) throws InterruptedException {
    synchronized (open) {
      while (!open.contains(gate)) {
        open.wait();
      }
    }
  }
}
