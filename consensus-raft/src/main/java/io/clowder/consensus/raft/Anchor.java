// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/** What a snapshot says of its last slot beside the state: the term of its entry (§7). */
final class Anchor {
  private Anchor() {}

  static byte[] of(long term) {
    return new WireWriter(8).writeLong(term).toByteArray();
  }

  /**
   * The term, 0 where there is no snapshot.
   *
   * @throws IllegalStateException if the bytes are no anchor
   */
  static long term(CoreSetting setting) {
    if (setting.snapshotSlot() == 0) {
      return 0;
    }
    try {
      return term(setting.anchor());
    } catch (WireFormatException e) {
      throw new IllegalStateException(
          "the anchor of snapshot " + setting.snapshotSlot() + ": " + e.getMessage(), e);
    }
  }

  /**
   * The term, at least 1.
   *
   * @throws WireFormatException if the bytes are no anchor
   */
  static long term(byte[] anchor) {
    WireReader in = new WireReader(anchor);
    long term = in.readLong();
    in.expectEnd();
    if (term < 1 || term > RaftMessage.NUMBER_MAX) {
      throw new WireFormatException("no term: " + term);
    }
    return term;
  }
}
