// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Time, chance and threads of a group; the simulator has its own.
 *
 * @param disk runs one task at a time, in order: writes and syncs of the journal
 * @param background runs one task at a time, in order: snapshot files
 * @param completions where callers' stages complete
 * @param nanoClock a monotonic clock, the one that {@code Group.doWork} is given the time of
 * @param wallMillis milliseconds since 1970, for people and for entries; need not be monotonic
 * @param random the only source of chance
 * @param wakeup makes the loop call {@code doWork} soon; any thread
 */
public record Environment(
    Executor disk,
    Executor background,
    Executor completions,
    LongSupplier nanoClock,
    LongSupplier wallMillis,
    RandomGenerator random,
    Runnable wakeup) {}
