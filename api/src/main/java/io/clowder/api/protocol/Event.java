// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import io.clowder.api.NodeId;
import java.util.List;

/** What may happen to a core. */
public sealed interface Event {
  /**
   * Time has come to {@code now}. Sent before the events of every round, so that all of them happen
   * at that time, and when the time of the last {@link Action.WakeAt} has come.
   *
   * @param now nanoseconds of a monotonic clock; never falls
   */
  record Clock(long now) implements Event {}

  /**
   * A message came in.
   *
   * @param from a member of the segment, this replica too (law 2)
   */
  record Receive(NodeId from, Message message) implements Event {}

  /**
   * Decide these commands, in this order. Answered by {@link Action.Refuse} if this replica is not
   * the leader; otherwise by nothing: the commands may come back by {@link Action.Decide}, here and
   * elsewhere.
   *
   * @param ticket names the batch
   * @param commands not empty
   */
  record Propose(long ticket, List<byte[]> commands) implements Event {}

  /**
   * Which slot must be applied before a read that starts now is linearizable? Answered by {@link
   * Action.Ready} or {@link Action.Refuse}.
   */
  record Barrier(long ticket) implements Event {}

  /** A local snapshot now covers all slots up to {@code slot}, which was decided here. */
  record Compacted(long slot) implements Event {}

  /**
   * A snapshot from another replica was installed and is durable: all slots up to {@code slot} are
   * covered, none of them will be decided here again.
   *
   * @param anchor what {@link ProtocolCore#anchor} of that replica gave for the slot
   */
  record Installed(long slot, byte[] anchor) implements Event {}

  /**
   * Stop leading, if this replica does: hand over to the best successor and refuse proposals
   * meanwhile. The node is about to stop, or its disk hangs.
   */
  record Resign() implements Event {}

  /**
   * Stand for leadership now instead of waiting, unless somebody is known to lead. Only a wish: the
   * others need not agree.
   */
  record Campaign() implements Event {}

  /**
   * Nobody listens at a member's address: its process is gone, or not there yet. If it led, the
   * others need not wait until it has been silent for long. Only a hint, which may be wrong:
   * nothing may depend on it but who stands for leadership, and when.
   */
  record Gone(NodeId member) implements Event {}
}
