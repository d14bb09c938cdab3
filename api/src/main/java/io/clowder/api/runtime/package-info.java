// SPDX-License-Identifier: Apache-2.0
/**
 * Threads and disk for a bundle that owns a pure state machine: one thread runs it, and nothing
 * that may wait runs there.
 *
 * <pre>
 *  any thread       the loop's thread (doWork)                disk            completions
 *  ──────────       ──────────────────────────                ────            ───────────
 *  inbox, wakeup ─► state machine ─► records: begin, end
 *                                       │ gather
 *                                     flush ────────────────► append, one sync
 *                                       ▲                          │
 *                   what waited ◄── durable ◄── inbox, wakeup ◄────┘
 *                        └────────────────────────────────────────────────► callers' stages
 * </pre>
 *
 * <p>{@link io.clowder.api.runtime.Loop} has the threads. {@link io.clowder.api.runtime.Inbox}
 * brings what others want to the loop's thread. {@link io.clowder.api.runtime.GatheringJournal}
 * writes records in batches: while one is being synced the next one gathers, so the slower the
 * disk, the more records share a sync. {@link io.clowder.api.runtime.Completions} has callers' code
 * run where it delays nobody. {@link io.clowder.api.runtime.Timer} is for a service that waits for
 * nothing but time and answers, {@link io.clowder.api.runtime.StringPlus} for what whiteboard
 * services say of themselves. GatheringJournal and Completions know executors alone, so a test or a
 * simulator runs the whole by hand, on one thread.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.runtime;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
