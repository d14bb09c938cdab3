// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one node knows of a group.
 *
 * @param group the group's name
 * @param node whose view this is
 * @param protocol the protocol of the current segment
 * @param segment the current segment's number, from 0
 * @param role {@code leader}, {@code follower}, {@code candidate}; {@code opening} while the
 *     journal is read, {@code down} while the replica cannot run, {@code joining} while this node
 *     waits to be made a member, {@code removed} when it is none any more
 * @param leader who leads, as far as this node knows
 * @param term the protocol's epoch
 * @param committed the last position known to be decided
 * @param applied the last position applied here
 * @param snapshot the last position that a local snapshot covers
 * @param syncs how often the journal was synced since the replica was opened
 * @param members the voters and where they listen
 * @param transition how far the group is on its way to a next segment, for people; empty if it is
 *     not
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
    SortedMap<NodeId, Address> members,
    String transition,
    List<String> problems) {
  /** Keeps its own copies. */
  public GroupStatus {
    members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    problems = List.copyOf(problems);
  }
}
