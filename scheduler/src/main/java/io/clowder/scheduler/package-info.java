// SPDX-License-Identifier: Apache-2.0
/**
 * The task scheduler: one queue in the replicated log, and nodes that draw from it.
 *
 * <pre>
 *   users                      every node's replica                     this node as a worker
 *   ─────                      ────────────────────                     ─────────────────────
 *   ReplicatedScheduler        TaskMachine ── entries ──► Board         Station ──► Run ──► handler
 *     Submissions ── Submit ──►   │                        │ Floor        ▲  ▲                │
 *     Ends  ◄───── ended ─────────┤                        │ Plans        │  └── given ──┐    │
 *                                 └── Events ◄─────────────┘              │             │    │
 *   Steward ── Tick, Fire, Evict ──►                                      └── Reports ◄─┼────┘
 *   (of the node that leads)                                                            │
 *                                             Events ───────────────────────────────────┘
 * </pre>
 *
 * <p>{@code Board} is pure, and all that is decided is decided there: which task is next, who runs
 * it, what a report means, when one has failed too often. {@code Floor} brings tasks and free slots
 * together as the last step of every entry, so there is no state in which a task waits though a
 * slot is free for it, and nothing about assignment is ever in flight but what the log says. The
 * rest brings entries to the log and acts on what they made.
 *
 * <p>Two rules keep it honest. A slot is free when its worker has said so, not when the cluster has
 * lost interest in what runs there. And an attempt is known by its token alone: whatever comes of
 * one that its task does not have any more changes nothing but the slot.
 */
@NullMarked
package io.clowder.scheduler;

import org.jspecify.annotations.NullMarked;
