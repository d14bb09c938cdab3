// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The time and the thread of a service in one incarnation of a process. */
final class SimulatedTimer implements Timer {
  private final SimulatedProcess process;
  private final Executor thread;
  private boolean closed;

  SimulatedTimer(SimulatedProcess process, Executor thread) {
    this.process = process;
    this.thread = thread;
  }

  @Override
  public long nanoTime() {
    return process.clock().nanoTime();
  }

  @Override
  public long wallMillis() {
    return process.clock().wallMillis();
  }

  @Override
  public void execute(Runnable task) {
    thread.execute(task);
  }

  @Override
  public Runnable after(Duration delay, Runnable task) {
    var timer = new Alarm(nanoTime() + delay.toNanos(), task);
    timer.plan();
    return timer::callOff;
  }

  /** Goes off when the process's own clock says so, though its speed changed meanwhile. */
  private final class Alarm {
    private final long dueNanos;
    private final Runnable task;
    private @Nullable Appointment appointment;

    Alarm(long dueNanos, Runnable task) {
      this.dueNanos = dueNanos;
      this.task = task;
    }

    void plan() {
      appointment = process.afterLocal(dueNanos - nanoTime(), "timer", this::goOff);
    }

    private void goOff() {
      if (dueNanos - nanoTime() > 0) {
        plan();
      } else if (!closed) {
        task.run();
      }
    }

    void callOff() {
      if (appointment != null) {
        appointment.cancel();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
