// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.ArrayList;
import java.util.List;

/**
 * A process that can die, be started again and be stopped for a while. Whatever was planned for an
 * earlier incarnation never happens; while it is paused, events wait for it.
 */
public final class SimulatedProcess {
  private final World world;
  private final String name;
  private final int number;
  private final SimulatedClock clock;
  private final List<Appointment> held = new ArrayList<>();
  private final List<Runnable> afterEvent = new ArrayList<>();
  private final Runnable onDeath;
  private int incarnation;
  private boolean up;
  private boolean paused;
  private boolean dying;

  SimulatedProcess(World world, String name, Runnable onDeath) {
    this.world = world;
    this.name = name;
    this.number = world.nextProcess();
    this.onDeath = onDeath;
    // Origins on both sides of 0, some of them close to it, as System.nanoTime has them.
    var random = world.random("clock " + name);
    this.clock =
        new SimulatedClock(
            world, random.nextLong(1L << 50) - (random.nextBoolean() ? 1L << 50 : 0));
  }

  /** The world that it is in. */
  public World world() {
    return world;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Its computer's clocks. */
  public SimulatedClock clock() {
    return clock;
  }

  /** How often it was started or died so far. */
  public int incarnation() {
    return incarnation;
  }

  /** Whether it runs, or is paused. */
  public boolean isUp() {
    return up && !dying;
  }

  /** Whether events wait for {@link #resume}. */
  public boolean isPaused() {
    return paused;
  }

  /** Has {@code action} happen in this incarnation, {@code delayNanos} of true time from now. */
  public Appointment after(long delayNanos, String label, Runnable action) {
    return world.enqueue(this, incarnation, delayNanos, label, action);
  }

  /** As {@link #after}, {@code delayNanos} by this process's own clock at its present rate. */
  public Appointment afterLocal(long delayNanos, String label, Runnable action) {
    return after(clock.trueNanos(delayNanos), label, action);
  }

  /** Runs {@code action} after every event of this incarnation. */
  public void afterEveryEvent(Runnable action) {
    afterEvent.add(action);
  }

  /** Stops it where it is, as SIGSTOP or a long garbage collection does. */
  public void pause() {
    paused = up;
  }

  /** Stops it as {@link #pause} does, and its computer's monotonic clock with it. */
  public void suspend() {
    pause();
    if (paused) {
      clock.suspend();
    }
  }

  /** Has everything happen that waited, in order. */
  public void resume() {
    paused = false;
    clock.resume();
    var waiting = List.copyOf(held);
    held.clear();
    for (var appointment : waiting) {
      after(0, appointment.label(), appointment::actUnlessCancelled);
    }
  }

  /** Starts a new incarnation, whose first event is {@code boot}, now. */
  void start(Runnable boot) {
    if (up) {
      throw new AssertionError(name + " is up already");
    }
    up = true;
    incarnation++;
    after(0, "boot", boot);
  }

  /** Ends the incarnation between two events. */
  void die() {
    if (!up) {
      return;
    }
    up = false;
    paused = false;
    clock.resume();
    dying = false;
    incarnation++;
    held.clear();
    afterEvent.clear();
    onDeath.run();
  }

  /** Ends the incarnation in the middle of the present event: the caller must throw the result. */
  Crash dieHere(String where) {
    dying = true;
    return new Crash(where);
  }

  /** The present event is the last one, and what it still does must not be seen. */
  boolean isDying() {
    return dying;
  }

  int number() {
    return number;
  }

  void live(Appointment appointment) {
    if (paused) {
      held.add(appointment);
      return;
    }
    try {
      appointment.act();
      for (int i = 0; i < afterEvent.size() && !dying; i++) {
        afterEvent.get(i).run();
      }
    } catch (Crash crash) {
      if (!dying) {
        throw new AssertionError("a crash of another process was caught by " + name, crash);
      }
    }
    if (dying) {
      die();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
