// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** What the cluster is loaded with, and what that needs before and leaves behind. */
interface Load extends ClosedLoop.Operation {
  /** How long {@link #cleanUp} may take. */
  long CLEAN_UP_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Begins the name of everything that a load makes. */
  String PREFIX = "bench/";

  /** Fails with a sentence if the service that would be loaded is not there. */
  void requireService();

  /** Makes what the operations need; bounded. */
  void prepare(ScheduledExecutorService executor) throws InterruptedException;

  /**
   * Removes what preparation and operations have left; gives up in time and with an exception that
   * says what is left.
   */
  void cleanUp(ScheduledExecutorService executor) throws Exception;
}
