// SPDX-License-Identifier: Apache-2.0
/**
 * A store on a primary and its backups that loses nothing at fail-over.
 *
 * <pre>
 *   users ────► OpenStore ─► Clerk ──┬─────────── Ask, Told ───────────► copies on other nodes
 *   operators ► Steward ────► Clerk  │
 *   listeners ◄ Watches ◄──────────┐ │            the pure core
 *                                  │ ▼        ┌─────────────────────────────────────────┐
 *   ConfiguredStore ─ NodeStore ─ Copy ──────►│ Replica ─► Primary ── Append ──► Backup │
 *        │                         │          │   │        │ Peer  ◄── Ack ──       │    │
 *   Configurations             disk, network  │   │        └ Readers, Roster        │    │
 *        │                                    │   └─ Ledger: OperationLog, Contents ────┘  │
 *   ConfigMachine ◄─ ConfigCommand            └───────────────────────────────────────┘
 *   (in consensus)
 * </pre>
 *
 * <p>After PacificA (Lin, Yang, Zhang and Zhou, 2008): the data goes from the primary to all of the
 * in-sync set in parallel and is committed when each has it on disk; who is in that set, and who is
 * the primary, is decided by consensus and nothing else is. So f + 1 copies survive f failures. Any
 * in-sync replica has all that was ever acknowledged, which is why any of them may be elected.
 *
 * <p>What keeps it right, and where:
 *
 * <ul>
 *   <li>An <em>epoch</em> has one primary in one life of its process ({@code StoreConfig}); a
 *       primary that restarts resigns. So an epoch and a number name one record, and logs are
 *       compared by their epochs alone ({@code OperationLog}).
 *   <li>The primary reckons with the largest in-sync set that may be in force: one that it has
 *       asked to add counts from then on, one that it has asked to remove counts until that is
 *       committed <em>and</em> the lease it was granted has ended ({@code Primary}; Kafka's maximal
 *       ISR).
 *   <li>Leases go both ways. A primary answers reads by itself while every other in-sync replica
 *       has promised not to follow another; it lets backups do so only meanwhile. So whoever is
 *       elected waits twice the lease since it last made that promise, and nobody reads what is
 *       old.
 *   <li>Below {@code min.insync} nothing is committed, and no lease counts; whoever leaves the
 *       in-sync set then is <em>eligible</em> still (KIP-966), and the primary has consensus
 *       confirm each read.
 * </ul>
 *
 * <p>The core is pure: no clock, thread, file or socket; time is a value, and what is to be done
 * goes through an {@code Outlet}. A {@code Copy} gives it threads, a disk and a network; a {@code
 * Clerk} brings what users ask for to the copy that can answer, on whatever node that is, and again
 * to another one when the primary changes. {@code Configurations} is all that meets consensus.
 */
@NullMarked
package io.clowder.replication;

import org.jspecify.annotations.NullMarked;
