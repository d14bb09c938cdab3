// SPDX-License-Identifier: Apache-2.0
/**
 * Loads the running cluster from inside one of its nodes and says what it gives, beside what the
 * machine would give at most.
 *
 * <pre>
 *   clowder:bench ── BenchCommand ──┬── MachineLimits     one durable write, one round trip
 *                                   └── ClosedLoop ──────── KeyLoad ──── KvStore
 *                                        N outstanding  └── LockLoad ─── LockService
 * </pre>
 *
 * <p>The client shares processors with the nodes it measures, so it does little: an operation that
 * ends starts the next from its own completion, and is recorded in one histogram. What is measured
 * is a closed loop: latencies are those seen by N clients that each wait for their answer, and say
 * nothing about arrivals at a fixed rate.
 */
@NullMarked
package io.clowder.benchmarks;

import org.jspecify.annotations.NullMarked;
