// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import io.clowder.api.NodeId;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * What a core is opened with.
 *
 * @param segment the number of the segment, for people and for those who watch
 * @param self this replica; one of {@code members}
 * @param members the voters of the segment, in ascending order, fixed for the life of the core
 * @param parameters of the segment, the same for all its members; {@link ConsensusProtocol#check}
 *     has seen them
 * @param snapshotSlot the last slot that the local snapshot covers, 0 if there is none: the first
 *     {@code Decide} is of the slot after it
 * @param anchor what {@link ProtocolCore#anchor} gave for {@code snapshotSlot}; empty if there is
 *     no snapshot
 * @param timing how patient the core is
 * @param random the only source of chance
 */
public record CoreSetting(
    int segment,
    NodeId self,
    List<NodeId> members,
    SortedMap<String, String> parameters,
    long snapshotSlot,
    byte[] anchor,
    Timing timing,
    RandomGenerator random) {
  /** Checks what must hold between the parts. */
  public CoreSetting {
    members = List.copyOf(members);
    parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
    if (!members.contains(self)) {
      throw new IllegalArgumentException(self + " is not one of the members " + members);
    }
    if (snapshotSlot < 0) {
      throw new IllegalArgumentException("snapshot at slot " + snapshotSlot);
    }
  }

  /**
   * How patient a core is, in nanoseconds.
   *
   * @param heartbeatNanos a leader is heard from at least this often
   * @param electionNanos a follower waits at least this long, and less than twice this long, before
   *     it doubts its leader; at least three heartbeats
   */
  public record Timing(long heartbeatNanos, long electionNanos) {
    /** Refuses an election time-out of less than three heartbeats. */
    public Timing {
      if (heartbeatNanos < 1 || electionNanos < 3 * heartbeatNanos) {
        throw new IllegalArgumentException(
            "an election time-out of "
                + electionNanos
                + " ns is under three heartbeats of "
                + heartbeatNanos
                + " ns");
      }
    }
  }
}
