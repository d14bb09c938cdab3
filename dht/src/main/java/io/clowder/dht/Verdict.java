// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * What became of a {@link TableCommand}.
 *
 * @param epoch of the ring's table after it; 0 if there is none
 * @param reason why not, for people; empty if it is accepted
 */
record Verdict(boolean isAccepted, long epoch, String reason) {
  private static final int REASON_BYTES = 1_024;

  static Verdict accepted(long epoch) {
    return new Verdict(true, epoch, "");
  }

  static Verdict refused(long epoch, String reason) {
    return new Verdict(false, epoch, reason);
  }

  byte[] encode() {
    return new WireWriter(16 + reason.length())
        .writeBoolean(isAccepted)
        .writeVarLong(epoch)
        .writeString(reason.substring(0, Math.min(reason.length(), REASON_BYTES / 4)))
        .toByteArray();
  }

  static Verdict decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    Verdict verdict = new Verdict(in.readBoolean(), in.readVarLong(), in.readString(REASON_BYTES));
    in.expectEnd();
    return verdict;
  }
}
