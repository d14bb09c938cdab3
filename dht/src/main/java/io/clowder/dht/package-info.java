// SPDX-License-Identifier: Apache-2.0
/**
 * A ring of members on which every key has an owner: Chord, with the corrections that make it
 * right. So far the core alone; values and the service are to come.
 *
 * <pre>
 *               ┌──────────────────────── RingNode ─────────────────────────┐
 *   lookup ────►│ Lookups ──► Routing ──► Fingers                           │
 *               │    ▲           │ claim                                    │──► Outlet
 *   join ──────►│ Joining        ▼                                          │    (messages, answers)
 *   tick ──────►│            Stabilization ──► Ring: predecessor, Successors│
 *   received ──►│            Reunion ────────► Ring: Absentees              │
 *               └───────────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>After Stoica, Morris, Liben-Nowell, Karger, Kaashoek, Dabek and Balakrishnan, "Chord: a
 * scalable peer-to-peer lookup protocol for Internet applications" (SIGCOMM 2001, ToN 2003), for
 * what a ring is and how lookups cross it; and after Zave, "Reasoning about identifier spaces: how
 * to make Chord correct" (TSE 2017), for how it is kept, since no published Chord keeps it. What
 * keeps it right, and where:
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
 * <p>Each wait has a limit: an answer, a lookup, its attempts, its hops, all in {@code
 * RingSettings}. The core is pure: no clock, thread or socket; time is a value, and what is to be
 * done goes through an {@code Outlet}.
 */
@NullMarked
package io.clowder.dht;

import org.jspecify.annotations.NullMarked;
