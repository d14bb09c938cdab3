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

  Segment {
    parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
    members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    if (number < 0 || base < UNKNOWN || parameters.size() > PARAMETERS_MAX) {
      throw new IllegalArgumentException("segment " + number + " after " + base);
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

  boolean has(NodeId node) {
    return members.containsKey(node);
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
    String protocol = in.readString(64);
    SortedMap<String, String> parameters = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      parameters.put(in.readString(64), in.readString(256));
    }
    SortedMap<NodeId, Address> members = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      members.put(new NodeId(in.readString(64)), Address.parse(in.readString(300)));
    }
    long base = in.readVarLong() - 1;
    return new Segment(number, incarnation, protocol, parameters, members, base);
  }
}
