// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

import io.clowder.api.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one node knows of a group.
 *
 * @param group the group's name
 * @param node whose view this is
 * @param protocol the protocol of the current segment
 * @param segment the current segment's number, from 0
 * @param role {@code leader}, {@code follower}, {@code candidate}, or {@code down} while the
 *     replica cannot run
 * @param leader who leads, as far as this node knows
 * @param term the protocol's epoch
 * @param committed the last position known to be decided
 * @param applied the last position applied here
 * @param snapshot the last position that a local snapshot covers
 * @param syncs how often the journal was synced since the replica was opened
 * @param members the voters
 * @param problems what holds progress up here, a sentence each; empty when all is well
 */
public record GroupStatus(
    String group,
    NodeId node,
    String protocol,
    int segment,
    String role,
    @Nullable NodeId leader,
    long term,
    long committed,
    long applied,
    long snapshot,
    long syncs,
    List<NodeId> members,
    List<String> problems) {
  /** Keeps its own copies. */
  public GroupStatus {
    members = List.copyOf(members);
    problems = List.copyOf(problems);
  }
}
