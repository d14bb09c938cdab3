// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The time and the threads of a service on one node; a simulator has its own. Belongs to one
 * instance of the service, which closes it. {@link #execute} returns before the task runs.
 */
public interface Timer extends Executor, AutoCloseable {
  /** Now, in nanoseconds, on the clock of {@code ConsensusService.Session.validUntilNanos}. */
  long nanoTime();

  /** Now, in milliseconds since 1970: this clock goes on while the machine is suspended. */
  long wallMillis();

  /**
   * Has a task run once, after a delay.
   *
   * @return calls it off, if it has not run by then
   */
  Runnable after(Duration delay, Runnable task);

  /** No delayed task runs any more. */
  @Override
  void close();
}
