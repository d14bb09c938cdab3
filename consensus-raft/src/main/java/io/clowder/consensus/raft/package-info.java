// SPDX-License-Identifier: Apache-2.0
/**
 * Raft as a pure state machine.
 *
 * <pre>
 *   Event ──► RaftCore ──┬─ Election     who leads: pre-vote, votes, time-outs     (any role)
 *                        ├─ Follower     what a leader sends, snapshots            (any role)
 *                        └─ Leadership   one term of leading: Progress per peer,
 *                             │          commit, hand-over
 *                             └─ ReadRounds   barriers
 *                  Replica: term, vote, commit and RaftLog, shared by all; Recovery builds it
 * </pre>
 *
 * <p>The paper is Ongaro's dissertation, "Consensus: Bridging Theory and Practice", and its short
 * form, "In Search of an Understandable Consensus Algorithm"; section numbers in comments are of
 * the short form unless they say otherwise. Index and slot are the same number.
 *
 * <p>How the laws of {@code io.clowder.api.protocol} carry the proof: {@link
 * io.clowder.consensus.raft.Replica#send} lists an unsaved term or vote before any message, so
 * nobody hears of a term that a crash could undo. An acknowledgement, also a leader's own, is
 * listed after the entries it speaks of. It carries the term, so the completion of a write that a
 * later leader has overwritten counts for nothing. A {@code Decide} is listed before the entries'
 * own record, because what a quorum holds need not wait for this disk; a snapshot may therefore be
 * newer than the log it is found with.
 *
 * <p>Beyond the paper: pre-vote (dissertation 9.6), a leader that does not hear from a quorum steps
 * down, and members that hear from a leader ignore candidates (dissertation 4.2.3), unless that
 * leader itself hands over (3.10). Leases are not used: a read costs one round of heartbeats (6.4).
 */
@NullMarked
package io.clowder.consensus.raft;

import org.jspecify.annotations.NullMarked;
