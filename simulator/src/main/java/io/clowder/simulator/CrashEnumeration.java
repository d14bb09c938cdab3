// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Tries out what a program that writes to a disk finds there after a crash: at every point before,
 * within and after each of its operations, with every prefix of what was not synced, the last write
 * torn, and random subsets of sectors.
 *
 * <p>In each state the program is opened, opened again, and opened after it crashed while it
 * opened; all must show the same.
 *
 * @param <S> what a program shows when it is opened; compared by {@code equals}
 */
public final class CrashEnumeration<S> {
  private static final int PREFIXES_MAX = 40;

  private final RandomGenerator random;
  private final int subsets;
  private final boolean journaled;
  private final boolean kills;
  private final Recovery<S> recovery;
  private int points;
  private long states;

  /** Uses a disk. What it keeps of its own progress, {@link Recovery} may read at every point. */
  @FunctionalInterface
  public interface Script {
    /** Runs to its end once. */
    void run(Disk disk) throws IOException;
  }

  /** Opens what a script left on a disk. */
  @FunctionalInterface
  public interface Recovery<S> {
    /**
     * Opens it, closes it, and says what was there.
     *
     * @throws AssertionError if that cannot be, after what the script was told so far
     */
    S open(Disk disk) throws IOException;
  }

  /**
   * An enumeration.
   *
   * @param subsets how many random subsets of unsynced sectors are tried at each point
   * @param journaled whether the disk has a journaling file system; see {@link Loss#random}
   * @param kills whether the death of the process alone is tried as well: what the program shows
   *     after it, though never synced, must survive a power failure from then on
   */
  public CrashEnumeration(
      RandomGenerator random, int subsets, boolean journaled, boolean kills, Recovery<S> recovery) {
    this.random = random;
    this.subsets = subsets;
    this.journaled = journaled;
    this.kills = kills;
    this.recovery = recovery;
  }

  /** Runs the script on an empty disk and tries all crashes on the way. */
  public void run(Script script) throws IOException {
    var disk = new SimulatedDisk(random);
    disk.observe(
        operation -> {
          points++;
          tryAll(disk, operation);
        });
    script.run(disk);
    disk.observe(null);
    tryAll(disk, "the end");
  }

  /** Points at which a crash was tried. */
  public int points() {
    return points;
  }

  /** Crash states that were opened. */
  public long states() {
    return states;
  }

  private void tryAll(SimulatedDisk disk, String where) {
    var losses = losses(disk);
    for (int i = 0; i < losses.size(); i++) {
      var crashed = disk.copy();
      crashed.powerFailure(losses.get(i));
      verify(crashed, i, where);
    }
    if (kills) {
      verifyKilled(disk, where);
    }
  }

  private List<Loss> losses(SimulatedDisk disk) {
    List<Loss> losses = new ArrayList<>();
    losses.add(Loss.everything());
    List<long[]> pending = new ArrayList<>();
    disk.pending((operation, first, last) -> pending.add(new long[] {operation, first, last}));
    if (pending.isEmpty()) {
      return losses;
    }
    pending.sort((one, other) -> Long.compare(one[0], other[0]));
    for (long[] operation :
        pending.subList(Math.max(0, pending.size() - PREFIXES_MAX), pending.size())) {
      losses.add(Loss.after(operation[0]));
      if (operation[2] > operation[1]) {
        losses.add(Loss.tornIn(operation[0], random.nextLong(operation[1], operation[2])));
      }
    }
    for (int i = 0; i < subsets; i++) {
      losses.add(Loss.random(random, journaled));
    }
    return losses;
  }

  private void verify(SimulatedDisk crashed, int number, String where) {
    states++;
    String state = "power failed at '" + where + "', state " + number;
    var untouched = crashed.copy();
    List<SimulatedDisk> halfway = new ArrayList<>();
    // Dying halfway through recovery is tried at a few points of it, chosen before we know how
    // many.
    int[] countdown = {random.nextInt(8)};
    crashed.observe(
        operation -> {
          if (countdown[0]-- == 0 && halfway.size() < 3) {
            halfway.add(crashed.copy());
            countdown[0] = random.nextInt(12);
          }
        });
    S first = open(crashed, state);
    crashed.observe(null);
    requireSame(first, open(crashed, state + ", opened again"), state + ", opened again");
    crashed.powerFailure(Loss.everything());
    requireSame(first, open(crashed, state), state + ", opened, power failed again");
    for (var half : halfway) {
      half.powerFailure(Loss.random(random, journaled));
      states++;
      String crash = state + ", power failed during recovery";
      requireSame(first, open(half, crash), crash);
    }
    requireSame(first, open(untouched, state), state + ", opened on a copy");
  }

  /**
   * After {@code kill -9} the program sees what was never synced. What it has shown then, it must
   * still show after a power failure.
   */
  private void verifyKilled(SimulatedDisk disk, String where) {
    states++;
    var killed = disk.copy();
    String state = "killed at '" + where + "'";
    S first = open(killed, state);
    killed.powerFailure(Loss.random(random, journaled));
    String then = state + ", opened, power failed";
    requireSame(first, open(killed, then), then);
  }

  private S open(SimulatedDisk disk, String state) {
    try {
      return recovery.open(disk);
    } catch (IOException | RuntimeException | AssertionError e) {
      throw new AssertionError(state + ": " + e.getMessage() + "; files " + disk.files(), e);
    }
  }

  private void requireSame(S expected, S found, String state) {
    if (!expected.equals(found)) {
      throw new AssertionError(state + ": first showed " + expected + ", now " + found);
    }
  }
}
