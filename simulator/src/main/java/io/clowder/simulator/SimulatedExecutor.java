// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;

/**
 * One thread of one incarnation of a process: runs tasks in order, each of which takes the time
 * that a {@link Pace} draws and has its effect at the end of it.
 */
public final class SimulatedExecutor implements Executor {
  private final SimulatedProcess process;
  private final String label;
  private final Pace pace;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private boolean busy;

  /** A thread of the present incarnation of {@code process}. */
  public SimulatedExecutor(SimulatedProcess process, String label, Pace pace) {
    this.process = process;
    this.label = label;
    this.pace = pace;
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (!busy) {
      begin();
    }
  }

  private void begin() {
    busy = true;
    process.after(pace.draw(), label, this::end);
  }

  private void end() {
    if (pace.isHung()) {
      int incarnation = process.incarnation();
      pace.onRecovery(
          () -> {
            if (process.incarnation() == incarnation) {
              process.after(0, label, this::end);
            }
          });
      return;
    }
    tasks.remove().run();
    if (tasks.isEmpty()) {
      busy = false;
    } else {
      begin();
    }
  }
}
