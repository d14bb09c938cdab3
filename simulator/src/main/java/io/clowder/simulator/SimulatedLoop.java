// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The thread of one incarnation that calls a loop's {@code doWork}: soon after it is woken, and
 * when the last call asked for it.
 */
public final class SimulatedLoop {
  private final SimulatedProcess process;
  private final String label;
  private final Pace pace;
  private @Nullable LongUnaryOperator doWork;
  private @Nullable Appointment timer;
  private boolean signalled;

  /** A loop that has not begun; {@code pace} is how long it takes to wake up. */
  public SimulatedLoop(SimulatedProcess process, String label, Pace pace) {
    this.process = process;
    this.label = label;
    this.pace = pace;
  }

  /**
   * Begins.
   *
   * @param work takes the time of the process's monotonic clock, and returns when to call it again
   */
  public void begin(LongUnaryOperator work) {
    doWork = work;
    wakeup();
  }

  /** Calls the loop soon, once for all that happens until then. */
  public void wakeup() {
    if (!signalled && doWork != null) {
      signalled = true;
      process.after(pace.draw(), label, this::run);
    }
  }

  private void run() {
    var work = doWork;
    if (work == null) {
      return;
    }
    var planned = timer;
    if (planned != null) {
      planned.cancel();
      timer = null;
    }
    signalled = false;
    long now = process.clock().nanoTime();
    long wait = work.applyAsLong(now) - now;
    if (wait <= 0) {
      wakeup();
    } else if (!signalled) {
      timer = process.afterLocal(wait, label, this::onTimer);
    }
  }

  private void onTimer() {
    timer = null;
    if (!signalled) {
      run();
    }
  }
}
