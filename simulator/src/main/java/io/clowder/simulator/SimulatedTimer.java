// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.lock.Timer;
import java.time.Duration;
import java.util.concurrent.Executor;

/** The time and the thread of the lock service in one incarnation of a process. */
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
    var appointment =
        process.afterLocal(
            delay.toNanos(),
            "timer",
            () -> {
              if (!closed) {
                task.run();
              }
            });
    return appointment::cancel;
  }

  @Override
  public void close() {
    closed = true;
  }
}
