// SPDX-License-Identifier: Apache-2.0
/**
 * A deterministic world for distributed programs, and the judges of what they did in it.
 *
 * <pre>
 *              seed
 *                │
 *   ┌─────────── World ────────────┐      one thread, one queue of events, virtual nanoseconds
 *   │  Computer   Computer   …     │      a process with incarnations, a drifting clock, a disk
 *   │   │ disk     │ disk          │      unsynced bytes are lost or torn when the power fails
 *   │   └── SimulatedNetwork ──────│      delay, loss, partitions, connections that break
 *   │  Nemesis  → faults by seed   │      then heals everything
 *   └──────────────────────────────┘
 *        │ History, LockHistory           what clients saw
 *        ▼
 *   Linearizability, Invariant            what must be true of it
 * </pre>
 *
 * <p>The production code runs unchanged: its {@code Disk}, {@code Transport}, executors, clock and
 * chance are this package's. The same seed gives the same run, event for event; {@link
 * io.clowder.simulator.World#eventHash} says so. Nothing here may depend on the order of an
 * unordered collection, on identity hash codes, or on real time.
 */
@NullMarked
package io.clowder.simulator;

import org.jspecify.annotations.NullMarked;
