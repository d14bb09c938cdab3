// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * One link of a group's chain: one protocol with fixed members over a contiguous range of
 * positions.
 *
 * @param number from 0
 * @param incarnation tells it from any other segment of the same number; in every message and file
 * @param protocol the name of its protocol
 * @param firstPosition the first position it may decide
 * @param members its voters, in ascending order
 */
record Segment(
    int number, long incarnation, String protocol, long firstPosition, List<NodeId> members) {
  Segment {
    members = List.copyOf(members);
  }

  void write(WireWriter out) {
    out.writeVarLong(number)
        .writeLong(incarnation)
        .writeString(protocol)
        .writeVarLong(firstPosition);
    out.writeVarLong(members.size());
    members.forEach(member -> out.writeString(member.value()));
  }

  static Segment read(WireReader in) {
    int number = (int) in.readVarLong();
    long incarnation = in.readLong();
    String protocol = in.readString(64);
    long firstPosition = in.readVarLong();
    List<NodeId> members = new ArrayList<>();
    for (int i = in.readCount(); i > 0; i--) {
      members.add(new NodeId(in.readString(64)));
    }
    return new Segment(number, incarnation, protocol, firstPosition, members);
  }
}
