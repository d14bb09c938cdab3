// SPDX-License-Identifier: Apache-2.0
/**
 * Keys on a ring of members, each with an owner and replicas: who owns what is agreed on in one of
 * two modes, and above them values are kept in one way.
 *
 * <pre>
 *   Dht, DhtAdmin (OpenDht, OpenDhtAdmin)          ConfiguredDht: one for each configuration
 *        │                                              │ opens, closes, tells listeners
 *   ┌────▼──────────── NodeRing: one life of this node on a ring: thread, disk, network ────────┐
 *   │  Keeper                                                                                   │
 *   │    Requests ────────► Coordination ───► KeeperPort (messages, ValueJournal)               │
 *   │    (users' side)      (owner's side)                                                      │
 *   │         │                  │             Reconciliation: two nodes compare an interval by │
 *   │         ▼                  ▼             a hash tree, and send what differs               │
 *   │  Placement: who keeps a key, and what its owner has to do                                 │
 *   │    ├ TablePlacement, Steering: mode consistent, by a Table that consensus commits         │
 *   │    └ RingPlacement, Tending:   mode peer, by a RingNode                                   │
 *   └───────────────────────────────────────────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p><b>Values.</b> A {@code Value} carries its version; of two the larger one stays, so whatever
 * comes late, twice or in another order does no harm. The owner of a key does one thing after the
 * other with it ({@code Coordination}); a read that may see what is not on enough nodes puts it
 * there before it tells (Attiya, Bar-Noy and Dolev, 1995). Removals are values, too, until nobody
 * can have an older one. A user's write that may have happened is not sent again: it is looked for
 * by its {@code RequestKey}.
 *
 * <p><b>Mode consistent.</b> The ring is cut into equal partitions. Their {@code Table} is a state
 * machine in consensus ({@code TableMachine}, {@code TableChange}); {@code BoundedLoads}
 * distributes them. A write is acknowledged when all holders of its partition have it, each of
 * which refuses what was decided by an older assignment; so any holder may own it next. A node
 * becomes a holder when it has everything, while writes wait for it already ({@code Steering}).
 * Reads take a lease from consensus, for as long as the next owner waits. An owner that consensus
 * does not answer, though all others see it alive, is not replaced: what it owns is not read.
 *
 * <p><b>Mode peer.</b> After Stoica, Morris, Liben-Nowell, Karger, Kaashoek, Dabek and
 * Balakrishnan, "Chord: a scalable peer-to-peer lookup protocol for Internet applications" (SIGCOMM
 * 2001, ToN 2003), for what a ring is and how lookups cross it; and after Zave, "Reasoning about
 * identifier spaces: how to make Chord correct" (TSE 2017), for how it is kept, since no published
 * Chord keeps it. What keeps it right, and where:
 *
 * <ul>
 *   <li>A ring is founded by at least r + 1 members, where r is the length of successor lists
 *       ({@code Founders}). Lists are always full ({@code Successors}).
 *   <li>A pointer is taken over only from who has answered, and with its whole list; a member that
 *       waits for an answer shows nobody what it has ({@code Stabilization}, {@code Joining}).
 *   <li>The owner of a key is who says so by its own predecessor; who denies it names who is
 *       nearer, or finds that its predecessor is dead ({@code Routing}).
 *   <li>Who does not answer is taken for dead, which the proof relies on and networks do not grant.
 *       So the silent are remembered and asked again, and when one is back each is brought to its
 *       place on the other's ring: two rings become one ({@code Reunion}).
 * </ul>
 *
 * <p>All of it but {@code NodeRing} and what is above is pure: no clock, thread or socket; time is
 * a value, and what is to be done goes through a port. Each wait has a limit.
 */
@NullMarked
package io.clowder.dht;

import org.jspecify.annotations.NullMarked;
