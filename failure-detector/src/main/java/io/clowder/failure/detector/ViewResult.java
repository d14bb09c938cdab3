// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.ClusterView;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/** What {@link ViewMachine} answers: a byte of kind, a byte of version, the fields. */
sealed interface ViewResult {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The change was applied, whatever it changed; {@code number} is the view that is current. */
  record Applied(long number) implements ViewResult {}

  /** The view that is current; of number 0, and without members, if there is none yet. */
  record View(ClusterView view) implements ViewResult {}

  /** The bytes of this result. */
  default byte[] encode() {
    WireWriter out = new WireWriter(128);
    if (this instanceof Applied it) {
      out.writeByte(1).writeByte(VERSION).writeVarLong(it.number);
    } else if (this instanceof View it) {
      out.writeByte(2).writeByte(VERSION);
      out.writeVarLong(it.view.number()).writeVarLong(it.view.position());
      NodeCodec.writeNodes(out, it.view.members());
      NodeCodec.writeNodes(out, it.view.removed());
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a result.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static ViewResult decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("view result of kind " + kind + " in version " + version);
    }
    ViewResult result =
        switch (kind) {
          case 1 -> new Applied(readNumber(in));
          case 2 ->
              new View(
                  new ClusterView(
                      readNumber(in),
                      readNumber(in),
                      NodeCodec.readNodes(in),
                      NodeCodec.readNodes(in),
                      true));
          default -> throw new WireFormatException("view result of unknown kind " + kind);
        };
    in.expectEnd();
    return result;
  }

  private static long readNumber(WireReader in) {
    long number = in.readVarLong();
    if (number < 0) {
      throw new WireFormatException("number or position " + number);
    }
    return number;
  }
}
