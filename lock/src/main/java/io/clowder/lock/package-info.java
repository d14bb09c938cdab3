// SPDX-License-Identifier: Apache-2.0
/**
 * Locks as a replicated state machine: sessions, queues that are first come first served, fencing
 * tokens.
 *
 * <pre>
 *   lock:acquire job ─► LockCommands ─► ReplicatedLocks ─► LockClient ─ submit ─► ConsensusService
 *                         (shell)        (LockService)      ▲   ▲                       │
 *                                                    result │   │ touched, ended        ▼
 *                                                           │   └──────────────── LockTable.apply
 *                                                           └────────────────────── on every node
 * </pre>
 *
 * <p>Acquiring is one entry of the log and releasing is one; handing over to the next in line is
 * none, for {@link io.clowder.lock.LockTable} does it while it applies the release. A waiter is
 * told by the table of its own node, so nobody polls and no message is sent.
 *
 * <p><b>Tokens.</b> A token is the position of the entry that granted the lock. Those of one lock
 * strictly rise, also across sessions, restarts and changes of the protocol. Locks that one entry
 * hands over together, at the end of a session, share a token: compare tokens of one lock only.
 *
 * <p><b>Releasing</b> is by name and token, and never touches another acquisition:
 *
 * <ul>
 *   <li>held with this token: it is released;
 *   <li>held with another: {@code CONFLICT}, whether the token is an older one or was never given;
 *   <li>free, and the token is at most the last one given: nothing to do, success;
 *   <li>free, and the token is larger: it was never given, {@code CONFLICT}.
 * </ul>
 *
 * The last tokens of 10,000 free locks are remembered. For names freed longer ago, and names never
 * locked, success means only that the token is not larger than the tokens forgotten so far.
 *
 * <p>Whoever knows a token may release the lock, from any node. If it is not the holder's, the
 * holder learns of it only when its own node applies the release: until then its {@code isHeld()}
 * is true, and somebody else may have the lock already.
 *
 * <p><b>Nothing is held by accident.</b> A request whose answer was lost is cancelled until the
 * group confirms it, and the table remembers a cancelled request that it has not heard of, so that
 * it cannot take the lock when it arrives late. A bundle that stops lets go of everything, and
 * waits a moment until the group has heard of it. What it could not, and what a killed process left
 * in its session, is let go when the lock service next starts there; see {@link
 * io.clowder.lock.LockRequest}.
 *
 * <p>No lock can stop a holder that was paused for longer than its session lives. {@code
 * Grant.isHeld()} turns false in time on the holder's own clock, and whatever is protected must
 * refuse tokens smaller than the largest it has seen.
 */
@NullMarked
package io.clowder.lock;

import org.jspecify.annotations.NullMarked;
