// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import io.clowder.api.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a core wants done. The order of the actions is the durability contract: see the package. */
public sealed interface Action {
  /**
   * Append the record to the journal and sync it.
   *
   * @param slot the highest slot the record speaks of, 0 if it speaks of none: a {@link Trim} to
   *     that slot or a later one makes the record superfluous. A record of slot 0 may go with the
   *     next trim: what a core must not forget, such as a vote, has the slot after the last one
   *     trimmed
   */
  record Persist(Message message, long slot) implements Action {}

  /** Send a message to a member; to this replica itself too. It may get lost. */
  record Send(NodeId to, Message message) implements Action {}

  /**
   * Slots {@code firstSlot}, {@code firstSlot + 1}, … are decided for ever; a segment's slots begin
   * at 1. An empty command is the protocol's own and is applied as nothing.
   */
  record Decide(long firstSlot, List<byte[]> commands) implements Action {}

  /** Answers {@link Event.Barrier}: read once {@code slot} is applied. */
  record Ready(long ticket, long slot) implements Action {}

  /**
   * Answers {@link Event.Propose} or {@link Event.Barrier}: not here. The commands of the batch
   * were not and will not be proposed by this replica. One that leads refuses only after {@link
   * Event.Resign}, and then stops leading.
   *
   * @param leader who to ask instead, as far as known
   */
  record Refuse(long ticket, @Nullable NodeId leader) implements Action {}

  /**
   * This replica leads now and takes proposals. It proposes an empty command of its own at once, so
   * that something is decided as soon as a quorum is there.
   */
  record Lead(long term) implements Action {}

  /**
   * This replica does not lead (any more). Barriers not yet answered never will be; proposals not
   * yet decided may or may not be.
   */
  record Follow(@Nullable NodeId leader, long term) implements Action {}

  /**
   * {@code peer} needs slots that are not held any more: give it a snapshot. Repeated while it
   * does.
   */
  record NeedSnapshot(NodeId peer) implements Action {}

  /**
   * Records of slots up to {@code slot} are superseded by a record persisted before this action.
   */
  record Trim(long slot) implements Action {}

  /**
   * Step the core by {@link Event.Clock} at {@code nanos} or soon after; replaces the last such
   * wish.
   */
  record WakeAt(long nanos) implements Action {}
}
