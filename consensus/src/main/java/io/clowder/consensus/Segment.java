// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One link of a group's chain: one protocol with fixed parameters and members over a contiguous
 * range of positions. Its core counts slots from 1; slot {@code s} is position {@code base + s}.
 *
 * @param number from 0, rising; one that was prepared and abandoned is not used again
 * @param incarnation tells it from any other segment of the same number; in every message and file
 * @param protocol the name of its protocol
 * @param parameters of the protocol
 * @param members its voters and where they listen
 * @param base the last position before it; {@link #UNKNOWN} until the segment before is sealed
 */
record Segment(
    int number,
    long incarnation,
    String protocol,
    SortedMap<String, String> parameters,
    SortedMap<NodeId, Address> members,
    long base) {
  /** The base of a segment that is only prepared. */
  static final long UNKNOWN = -1;

  private static final int PARAMETERS_MAX = 64;
  private static final int MEMBERS_MAX = 64;
  private static final int NAME_MAX = 64;
  private static final int VALUE_MAX = 256;
  private static final int HOST_MAX = 253;

  Segment {
    parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
    members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    if (number < 0 || base < UNKNOWN || parameters.size() > PARAMETERS_MAX) {
      throw new IllegalArgumentException("segment " + number + " after " + base);
    }
    if (protocol.length() > NAME_MAX
        || parameters.keySet().stream().anyMatch(name -> name.length() > NAME_MAX)
        || parameters.values().stream().anyMatch(value -> value.length() > VALUE_MAX)
        || members.values().stream().anyMatch(address -> address.host().length() > HOST_MAX)) {
      throw new IllegalArgumentException(
          "protocol "
              + protocol
              + ": names of up to "
              + NAME_MAX
              + " characters, values of up to "
              + VALUE_MAX
              + ", hosts of up to "
              + HOST_MAX
              + " are possible");
    }
    if (members.isEmpty() || members.size() > MEMBERS_MAX) {
      throw new IllegalArgumentException(
          members.size() + " members: use 1 to " + MEMBERS_MAX + " of them");
    }
  }

  /** The same, once it is known where it begins. */
  Segment after(long position) {
    return new Segment(number, incarnation, protocol, parameters, members, position);
  }

  boolean is(int itsNumber, long itsIncarnation) {
    return number == itsNumber && incarnation == itsIncarnation;
  }

  boolean is(Segment other) {
    return is(other.number, other.incarnation);
  }

  /** Whether it has the number of the other one and is not the same. */
  boolean isAnother(Segment other) {
    return number == other.number && incarnation != other.incarnation;
  }

  boolean has(NodeId node) {
    return members.containsKey(node);
  }

  /**
   * Whether a member of this segment has the state when it is in {@code before}, so that it may
   * lead from there on; anybody may if none of them has.
   */
  boolean isLedWell(NodeId leader, Segment before) {
    return before.has(leader) || members.keySet().stream().noneMatch(before::has);
  }

  /** How many members are a majority. */
  int majority() {
    return members.size() / 2 + 1;
  }

  /** For people. */
  String title() {
    return protocol + " (segment " + number + ")";
  }

  void write(WireWriter out) {
    out.writeVarLong(number).writeLong(incarnation).writeString(protocol);
    out.writeVarLong(parameters.size());
    parameters.forEach((name, value) -> out.writeString(name).writeString(value));
    out.writeVarLong(members.size());
    members.forEach(
        (member, address) -> out.writeString(member.value()).writeString(address.toString()));
    out.writeVarLong(base + 1);
  }

  static Segment read(WireReader in) {
    try {
      return readFields(in);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("a segment: " + e.getMessage());
    }
  }

  private static Segment readFields(WireReader in) {
    int number = (int) in.readVarLong();
    long incarnation = in.readLong();
    String protocol = in.readString(4 * NAME_MAX);
    SortedMap<String, String> parameters = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      parameters.put(in.readString(4 * NAME_MAX), in.readString(4 * VALUE_MAX));
    }
    SortedMap<NodeId, Address> members = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      members.put(new NodeId(in.readString(64)), Address.parse(in.readString(4 * HOST_MAX + 16)));
    }
    long base = in.readVarLong() - 1;
    return new Segment(number, incarnation, protocol, parameters, members, base);
  }
}
