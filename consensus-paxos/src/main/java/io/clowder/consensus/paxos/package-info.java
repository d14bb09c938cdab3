// SPDX-License-Identifier: Apache-2.0
/**
 * Multi-Paxos as a pure state machine.
 *
 * <pre>
 *   Event ──► PaxosCore ─┬─ Election      who prepares a ballot, and when
 *                        ├─ Preparation   phase 1 of one ballot: pages of votes  ┐ the proposer
 *                        ├─ Proposer      phase 2 of one ballot: Progress per    │ of a ballot
 *                        │    │           peer, what is chosen, hand-over        ┘ of its own
 *                        │    └─ ReadRounds   barriers
 *                        ├─ Acceptor      one promise, a vote per slot, snapshots
 *                        └─ Learner       the contiguous part of what is chosen
 *                  Replica: promise, leader and SlotLog, shared by all; Recovery builds it
 *
 *   candidate  ── Canvass ──► all   would you?          ◄── Support ── changes nothing
 *              ── Prepare ──► all   phase 1a, once for  ◄── Promise ── phase 1b, page by page
 *                                   all open slots      ◄── Trimmed ── "chosen, and forgotten"
 *   leader     ── Accept  ──► all   phase 2a, batches   ◄── Accepted ─ phase 2b, cumulative
 *              ── Heartbeat ► all   what is chosen      ◄── HeartbeatReply
 * </pre>
 *
 * <p>The papers: Lamport, "The Part-Time Parliament" (1998) and "Paxos Made Simple" (2001); van
 * Renesse and Altinbuken, "Paxos Made Moderately Complex" (2015); Chandra, Griesemer and Redstone,
 * "Paxos Made Live" (2007); Howard, Malkhi and Spiegelman, "Flexible Paxos: Quorum Intersection
 * Revisited" (2016).
 *
 * <p>How the laws of {@code io.clowder.api.protocol} carry the proof: {@link
 * io.clowder.consensus.paxos.Replica#send} lists an unsaved promise before any message, so nobody
 * hears of a ballot that a crash could undo, and no ballot is ever used twice. A promise and an
 * acceptance, also a proposer's own, are listed after the votes they speak of. Both carry the
 * ballot, and are counted in that ballot only. A {@code Decide} is listed before the votes' own
 * record, because what a quorum has accepted need not wait for this disk; a snapshot may therefore
 * be newer than the journal it is found with.
 *
 * <p>Unlike Raft: slots are accepted in any order, and a hole that a dead leader left is filled by
 * nothing. A new leader proposes all again, in its own ballot, that it finds and does not know to
 * be chosen, so any member may lead, not only one with the longest log; what it lacks it is told in
 * phase 1. If it finds nothing, a read need not wait until anything is chosen. And quorums need not
 * be majorities.
 *
 * <p>One number is all that an acceptor acknowledges: up to there each slot is accepted in this
 * very ballot, or known to be chosen. The second is as good as the first, because whatever is
 * chosen in this or an earlier ballot is what this ballot proposes. It needs care where an acceptor
 * may know what a later ballot has chosen, which a snapshot may tell it: see {@link
 * io.clowder.consensus.paxos.Learner}. A snapshot has no anchor: a slot is chosen or it is not.
 *
 * <p>Beyond the papers, as in Raft here: a canvass before phase 1, so that a member that is cut off
 * raises no ballot; members that hear a leader ignore others; a leader that hears too few to choose
 * anything steps down; it hands over when it must go. Leases are not used: a read costs one round
 * of heartbeats.
 */
@NullMarked
package io.clowder.consensus.paxos;

import org.jspecify.annotations.NullMarked;
