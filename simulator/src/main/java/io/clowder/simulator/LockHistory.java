// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What became of locks, in the order of the log and in true time. Each call throws {@link
 * AssertionError} as soon as what it says cannot be.
 */
public final class LockHistory {
  private final SortedMap<String, Line> locks = new TreeMap<>();
  private int grants;

  private static final class Line {
    final SortedMap<Long, Long> sessions = new TreeMap<>();
    long holder;
    long seenHeld;
    long seenAt;
  }

  /**
   * The log granted a lock: it must be free, and the token larger than all before.
   *
   * @param token the fencing token, more than 0
   */
  public void granted(String lock, long token, long session) {
    var line = line(lock);
    if (line.holder != 0) {
      throw new AssertionError(
          lock + " is granted as " + token + " while " + line.holder + " has it");
    }
    if (token <= 0 || (!line.sessions.isEmpty() && token <= line.sessions.lastKey())) {
      throw new AssertionError(
          lock + ": token " + token + " after those of " + line.sessions.keySet());
    }
    line.sessions.put(token, session);
    line.holder = token;
    grants++;
  }

  /** The log ended a grant: by release, or with its session. */
  public void freed(String lock, long token) {
    var line = line(lock);
    if (line.holder != token) {
      throw new AssertionError(
          lock + ": " + token + " is freed while " + line.holder + " has the lock");
    }
    line.holder = 0;
  }

  /** A client was told that it has the lock: the log must have said so to its session. */
  public void acknowledged(String lock, long token, long session) {
    Long granted = line(lock).sessions.get(token);
    if (granted == null || granted != session) {
      throw new AssertionError(
          lock + ": session " + session + " was told " + token + ", granted to " + granted);
    }
  }

  /**
   * A client that can trust its own clock believes at true time {@code now} that it holds the lock.
   * Nobody with a larger token may have believed so before, nor anybody else now.
   */
  public void believed(String lock, long token, long now) {
    var line = line(lock);
    if (token < line.seenHeld) {
      throw new AssertionError(
          String.format(
              "%s: %d is still believed to be held at %d ns, %d was at %d ns",
              lock, token, now, line.seenHeld, line.seenAt));
    }
    line.seenHeld = token;
    line.seenAt = now;
  }

  /** Grants in the log so far. */
  public int grants() {
    return grants;
  }

  private Line line(String lock) {
    return locks.computeIfAbsent(lock, name -> new Line());
  }
}
