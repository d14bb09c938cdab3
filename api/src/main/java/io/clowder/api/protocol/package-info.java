// SPDX-License-Identifier: Apache-2.0
/**
 * What a consensus protocol is to this runtime: a pure state machine.
 *
 * <pre>
 *   Event ──► ProtocolCore.step ──► Actions
 *
 *   Clock, Receive, Propose,        Persist, Send, Decide, Ready, Refuse,
 *   Barrier, Compacted, Installed,  Lead, Follow, NeedSnapshot, Trim, WakeAt
 *   Resign, Campaign
 * </pre>
 *
 * <p>A core has no thread, clock, lock, file or socket. The driver in {@code io.clowder.consensus}
 * feeds it events and carries out its actions, and the simulator does the same with virtual time,
 * so the code that is tested is the code that runs. The laws, each checked by the driver or the
 * simulator:
 *
 * <ol>
 *   <li><b>Order binds.</b> A {@code Send} happens only when every record persisted before it, in
 *       this step or an earlier one, is on disk. Any other action waits for the records persisted
 *       before it in the same step. A {@code Send} listed before a {@code Persist} of its step does
 *       not wait for it: a leader replicates while it writes.
 *   <li><b>A protocol speaks to itself by {@code Send(self, …)}.</b> Its own vote or
 *       acknowledgement counts when it comes back, and so, by law 1, when it is durable.
 *   <li><b>{@code Decide} has no gaps</b> and never repeats a slot; it is the only door to the
 *       state machines, and names only what the protocol will never take back.
 *   <li><b>Recovery is replay.</b> A core is built from its own records; there is no other way to
 *       start.
 *   <li><b>No hidden time, no hidden chance.</b> Time comes in by {@code Clock}; chance from the
 *       one generator it was opened with.
 *   <li><b>A failed sync ends the replica.</b> The core never hears of it.
 * </ol>
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.protocol;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
