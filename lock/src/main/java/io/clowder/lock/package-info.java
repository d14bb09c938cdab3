// SPDX-License-Identifier: Apache-2.0
/**
 * Locks as a replicated state machine: sessions of bundles, queues, fencing tokens.
 *
 * <pre>
 *   lock:acquire job ─► LockCommands ─► BundleLocks ─► LockClient ─ submit ─► ConsensusService
 *                         (shell)      (LockService,    ▲   ▲                      │
 *                                       one a bundle)   │   │ touched, ended       ▼
 *                                                result │   └──────────────── LockTable.apply
 *                                                       └─────────────────────  on every node
 * </pre>
 *
 * <p>Acquiring is one entry of the log and releasing is one; handing over to the next in line is
 * none, for {@link io.clowder.lock.LockTable} does it while it applies the release. A waiter is
 * told by the table of its own node, so nobody polls and no message is sent.
 *
 * <p><b>Kinds.</b> A lock has room for so much weight. A semaphore has room for its permits; any
 * other lock for {@link io.clowder.api.Limits#LOCK_HOLDERS}, all of which one takes who wants it
 * alone, and one of which each takes who shares it. The first in line gets the lock as soon as
 * there is room for it, and nobody passes it, so that a stream of sharers starves nobody.
 *
 * <p><b>Tokens.</b> A token is the position of the entry that granted the lock; what one entry
 * grants beyond the first of a lock gets the next numbers. Those of one lock strictly rise, also
 * across sessions, restarts and changes of the protocol. Locks that one entry hands over together,
 * at the end of a session, share a token: compare tokens of one lock only.
 *
 * <p><b>Releasing</b> is by name and token, and never touches another acquisition:
 *
 * <ul>
 *   <li>held with this token: it is released;
 *   <li>held by one alone with another: {@code CONFLICT}, whether the token is an older one or was
 *       never given;
 *   <li>else, and the token is at most the last one given: nothing to do, success;
 *   <li>else, and the token is larger: it was never given, {@code CONFLICT}.
 * </ul>
 *
 * The last tokens of 10,000 free locks are remembered. For names freed longer ago, and names never
 * locked, success means only that the token is not larger than the tokens forgotten so far.
 *
 * <p>Whoever knows a token may release the lock, from any node. If it is not the holder's, the
 * holder learns of it only when its own node applies the release: until then its {@code isHeld()}
 * is true, and somebody else may have the lock already.
 *
 * <p><b>Sessions.</b> Only the node's session in {@code consensus} is kept alive, whatever number
 * of bundles and locks is in it. Within it each bundle has a number; when it stops, one entry ends
 * all that it has. An owner that claims again what it holds is answered without the group.
 *
 * <p><b>Time.</b> A session's end is an entry that the leader proposes; the client gives its locks
 * up before, counting from when it sent the last renewal that was confirmed, by the monotonic and
 * by the wall clock, of which one goes on while a machine is suspended. The longest time to hold a
 * lock is the client's own business, too. A lock's delay after a crash goes by the log's clock: the
 * node of the first in line proposes to go on when it is over, and any entry may find that it is.
 *
 * <p><b>Nothing is held by accident.</b> A request whose answer was lost is cancelled until the
 * group confirms it, and the table remembers a cancelled request that it has not heard of, so that
 * it cannot take the lock when it arrives late. A bundle that stops lets go of everything. What the
 * lock service could not let go of when it stopped, and what a killed process left in its session,
 * is let go when it next starts there; see {@link io.clowder.lock.LockRequest}.
 *
 * <p>No lock can stop a holder that was paused for longer than its session lives. {@code
 * Grant.isHeld()} turns false in time on the holder's own clock, and whatever is protected must
 * refuse tokens smaller than the largest it has seen: as {@code kv} does with a {@link
 * io.clowder.api.lock.Fence}, or by the {@link io.clowder.api.lock.FenceGate}.
 */
@NullMarked
package io.clowder.lock;

import org.jspecify.annotations.NullMarked;
