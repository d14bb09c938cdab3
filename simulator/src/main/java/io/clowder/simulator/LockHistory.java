// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.HashSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What clients were told of locks, in true time. Each call throws {@link AssertionError} as soon as
 * what it says cannot be.
 */
public final class LockHistory {
  private final SortedMap<String, Line> locks = new TreeMap<>();
  private int grants;

  private static final class Line {
    final Set<Long> given = new HashSet<>();
    long highest;
    long believed;
    long believedAt;
  }

  /** A client asks for a lock; what it is given must be larger than the result. */
  public long asked(String lock) {
    return line(lock).highest;
  }

  /**
   * A client was told that it has the lock.
   *
   * @param token the fencing token, more than 0
   * @param before what {@link #asked} returned
   */
  public void granted(String lock, long token, long before) {
    var line = line(lock);
    if (token <= before) {
      throw new AssertionError(lock + ": token " + token + " after " + before);
    }
    if (!line.given.add(token)) {
      throw new AssertionError(lock + ": token " + token + " was given twice");
    }
    line.highest = Math.max(line.highest, token);
    grants++;
  }

  /**
   * A client that can trust its own clock believes at true time {@code now} that it holds the lock.
   * Nobody with a larger token may have believed so before, nor anybody else now.
   */
  public void believed(String lock, long token, long now) {
    var line = line(lock);
    if (token < line.believed) {
      throw new AssertionError(
          String.format(
              "%s: %d is still believed to be held at %d ns, %d was at %d ns",
              lock, token, now, line.believed, line.believedAt));
    }
    line.believed = token;
    line.believedAt = now;
  }

  /**
   * A client that believed all the time to hold the lock asked the group who does.
   *
   * @param shown the token that the group showed; 0 if the lock is free
   */
  public void shown(String lock, long token, long shown) {
    if (shown != token) {
      throw new AssertionError(
          lock + ": " + token + " is believed to be held, the group says " + shown);
    }
  }

  /** Grants so far. */
  public int grants() {
    return grants;
  }

  private Line line(String lock) {
    return locks.computeIfAbsent(lock, name -> new Line());
  }
}
