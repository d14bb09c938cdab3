// SPDX-License-Identifier: Apache-2.0
/**
 * Loads the running cluster from inside one of its nodes and says what it gives, beside what the
 * machine would give at most.
 *
 * <pre>
 *   clowder:bench ── BenchCommand ──┬── MachineLimits     one durable write, one round trip
 *                                   └── ClosedLoop ──┬─ KeyLoad ──── KvStore, ReplicatedStore
 *                                   │   N outstanding  ├─ LockLoad ─── LockService
 *                                   │                  └─ TaskLoad ─── TaskScheduler
 *                                   └── Arrivals      tasks at a fixed rate
 * </pre>
 *
 * <p>The client shares processors with the nodes it measures, so it does little: an operation that
 * ends starts the next from its own completion, and is recorded in one histogram. The longest time
 * in which nothing succeeded is kept beside it: that is what a fail-over or a swap under load
 * costs, and percentiles of a closed loop hide it, for while nothing is answered nothing is asked.
 * What is measured is a closed loop: latencies are those seen by N clients that each wait for their
 * answer, and say nothing about arrivals at a fixed rate; of tasks these are measured, too.
 */
@NullMarked
package io.clowder.benchmarks;

import org.jspecify.annotations.NullMarked;
