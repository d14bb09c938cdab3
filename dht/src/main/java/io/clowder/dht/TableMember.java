// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy.Candidate;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.charset.StandardCharsets;

/**
 * A node of a ring's table.
 *
 * @param life names what it has: another life of a node has nothing of what this one had
 * @param domain what fails with it, such as a rack; empty for nothing but itself
 * @param weight how much of the whole it is to have against others
 */
record TableMember(NodeId node, long life, String domain, int weight, State state) {
  /** Longest name of a domain, in bytes. */
  static final int DOMAIN_BYTES = 64;

  /** The largest weight. */
  static final int WEIGHT_MAX = 100;

  /** What a member is about. */
  enum State {
    /** Keeps what it has, and may get more. */
    MEMBER(0),
    /** Serves what it has until others have it. */
    LEAVING(1),
    /** Was silent for too long: is waited for where it has the only copy. */
    FAILED(2);

    private final int code;

    State(int code) {
      this.code = code;
    }

    private static State of(int code) {
      for (State state : values()) {
        if (state.code == code) {
          return state;
        }
      }
      throw new WireFormatException("a member in state " + code);
    }
  }

  TableMember {
    checkDomain(domain);
    checkWeight(weight);
  }

  static void checkDomain(String domain) {
    int length = domain.getBytes(StandardCharsets.UTF_8).length;
    if (length > DOMAIN_BYTES) {
      throw new IllegalArgumentException("a domain of " + length + " bytes");
    }
  }

  static void checkWeight(int weight) {
    if (weight < 1 || weight > WEIGHT_MAX) {
      throw new IllegalArgumentException("weight " + weight + " is not 1 to " + WEIGHT_MAX);
    }
  }

  TableMember with(State next) {
    return new TableMember(node, life, domain, weight, next);
  }

  /** Whether it may be given partitions. */
  boolean isCandidate() {
    return state == State.MEMBER;
  }

  /** As a policy sees it. */
  Candidate candidate() {
    return new Candidate(node, domain.isEmpty() ? node.value() : domain, weight);
  }

  void write(WireWriter out) {
    out.writeString(node.value()).writeLong(life).writeString(domain).writeByte(weight);
    out.writeByte(state.code);
  }

  static TableMember read(WireReader in) {
    try {
      return new TableMember(
          in.readNode(),
          in.readLong(),
          in.readString(DOMAIN_BYTES),
          in.readByte(),
          State.of(in.readByte()));
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }
}
