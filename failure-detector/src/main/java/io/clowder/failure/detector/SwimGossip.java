// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * What one SWIM node adds to a message for another: a byte that tells it from the gossip of other
 * algorithms, a byte of version, the sender's own incarnation, rumours. That the sender is alive
 * needs no rumour then, and a refutation is on its way with the very answer to the question that
 * brought the suspicion.
 *
 * @param sender incarnation of the node that sent it
 */
record SwimGossip(SwimIncarnation sender, List<SwimClaim> claims) {
  /** Most rumours in a message. */
  static final int CLAIMS = 64;

  /** Most bytes, so that it would fit into one packet of an Ethernet beside its frame. */
  static final int BYTES = 1_200;

  /** Bytes that the fields before the rumours may take. */
  static final int HEADER_BYTES = 24;

  private static final int MARK = 'S';
  private static final int VERSION = 1;

  /** Keeps its own copy. */
  SwimGossip {
    claims = List.copyOf(claims);
    if (claims.size() > CLAIMS) {
      throw new AssertionError(claims.size() + " claims");
    }
  }

  byte[] encode() {
    WireWriter out = new WireWriter(64);
    out.writeByte(MARK).writeByte(VERSION);
    SwimClaim.writeIncarnation(out, sender);
    out.writeVarLong(claims.size());
    for (SwimClaim claim : claims) {
      claim.write(out);
    }
    if (out.size() > BYTES) {
      throw new AssertionError(out.size() + " bytes of gossip");
    }
    return out.toByteArray();
  }

  /**
   * Reads gossip.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static SwimGossip decode(byte[] bytes) {
    if (bytes.length > BYTES) {
      throw new WireFormatException(bytes.length + " bytes of gossip");
    }
    WireReader in = new WireReader(bytes);
    int mark = in.readByte();
    int version = in.readByte();
    if (mark != MARK || version != VERSION) {
      throw new WireFormatException("gossip that begins with " + mark + ", " + version);
    }
    SwimIncarnation sender = SwimClaim.readIncarnation(in);
    int count = in.readCount();
    if (count > CLAIMS) {
      throw new WireFormatException(count + " claims where at most " + CLAIMS + " may be");
    }
    List<SwimClaim> claims = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      claims.add(SwimClaim.read(in));
    }
    in.expectEnd();
    return new SwimGossip(sender, claims);
  }
}
