// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

/**
 * A computer's clocks: a monotonic one that runs too fast or too slow, and a wall clock that jumps.
 */
public final class SimulatedClock {
  private static final long YEAR_2026_MILLIS = 1_767_225_600_000L;

  private final World world;
  private long anchorTrue;
  private long anchorLocal;
  private long wallOffsetMillis;
  private long wallMillisMax = Long.MIN_VALUE;
  private double rate = 1;
  private boolean suspended;

  SimulatedClock(World world, long origin) {
    this.world = world;
    this.anchorTrue = world.now();
    this.anchorLocal = origin;
  }

  /** Stands in for {@link System#nanoTime}: from an arbitrary origin, possibly negative. */
  public long nanoTime() {
    return suspended ? anchorLocal : anchorLocal + (long) ((world.now() - anchorTrue) * rate);
  }

  /** Stands in for {@link System#currentTimeMillis}; may fall. */
  public long wallMillis() {
    return YEAR_2026_MILLIS + wallOffsetMillis + world.now() / 1_000_000;
  }

  /** Local nanoseconds per true nanosecond. */
  public double rate() {
    return rate;
  }

  /**
   * Has the monotonic clock run at another speed from now on.
   *
   * @param rate local nanoseconds per true nanosecond, 0.1 to 10
   */
  public void setRate(double rate) {
    if (!(rate >= 0.1 && rate <= 10)) {
      throw new IllegalArgumentException("clock rate " + rate);
    }
    anchorLocal = nanoTime();
    anchorTrue = world.now();
    this.rate = rate;
  }

  /** Moves the wall clock forward or, if negative, back. */
  public void jumpWall(long millis) {
    wallMillisMax = wallMillisMax();
    wallOffsetMillis += millis;
  }

  /** The latest that the wall clock ever showed. */
  public long wallMillisMax() {
    return Math.max(wallMillisMax, wallMillis());
  }

  /**
   * The machine sleeps: the monotonic clock stands still, as Linux has it, the wall clock does not.
   */
  void suspend() {
    anchorLocal = nanoTime();
    suspended = true;
  }

  /** The machine wakes up; nothing if it was awake. */
  void resume() {
    if (suspended) {
      suspended = false;
      anchorTrue = world.now();
    }
  }

  /** True nanoseconds that pass while this clock advances by {@code localNanos}, at least 0. */
  long trueNanos(long localNanos) {
    return localNanos <= 0 ? 0 : (long) Math.ceil(localNanos / rate);
  }
}
