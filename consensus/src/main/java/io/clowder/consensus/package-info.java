// SPDX-License-Identifier: Apache-2.0
/**
 * Runs any consensus protocol: the only driver in the house.
 *
 * <pre>
 *  any thread          the group's thread (one loop: Group.doWork)              disk thread
 *  ──────────          ────────────────────────────────────────────             ───────────
 *  submit ───► inbox ─► Requests ─► Propose ─┐
 *  query                (sessions, reads)     ▼
 *  transport ─► inbox ───────────────────► ProtocolCore
 *                                             │ actions, in order
 *                              Persist ◄──────┼──► Send (waits for every Persist before it)
 *                                 │           └──► Decide, Ready, Lead …
 *                                 ▼                    │
 *                            JournalWriter ────────────┼──────────────────► append, one sync
 *                                 ▲                    ▼                          │
 *                                 └──── durable ◄── inbox ◄───────────────────────┘
 *                                                   ReplicatedState
 *                                       (sessions, machines, history, snapshots)
 * </pre>
 *
 * <p>A {@link io.clowder.consensus.Group} is a sequence of segments; each segment is one core of
 * one protocol in a {@link io.clowder.consensus.Replica}, with a journal of its own. The group
 * takes many events in a round, gathers their records and syncs once; while that sync runs the next
 * round gathers.
 *
 * <p>Commands travel in {@link io.clowder.consensus.Envelope envelopes} that name a session and a
 * sequence number. The {@link io.clowder.consensus.Sessions} table is replicated, so a command that
 * is sent again after a lost answer, a leader change or a restart is applied once (Ongaro,
 * Consensus: Bridging Theory and Practice, section 6.3).
 */
@NullMarked
package io.clowder.consensus;

import org.jspecify.annotations.NullMarked;
