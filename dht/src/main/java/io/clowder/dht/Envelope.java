// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * A message, from whom and to whom: what is meant for an earlier life of a node is not for the one
 * that has it now.
 */
record Envelope(Member source, Member target, RingMessage message) {
  byte[] encode() {
    WireWriter out = new WireWriter(192);
    source.write(out);
    target.write(out);
    message.write(out);
    return out.toByteArray();
  }

  /**
   * Reads an envelope.
   *
   * @throws io.clowder.api.wire.WireFormatException if the bytes are none, or over a limit
   */
  static Envelope decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    return new Envelope(Member.read(in), Member.read(in), RingMessage.read(in));
  }
}
