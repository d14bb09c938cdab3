// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * One life of a node as a keeper of values: what was said to an earlier one, which may have lost
 * what it had, is not for the one that has the node now.
 */
record Seat(NodeId node, long life) {
  void write(WireWriter out) {
    out.writeString(node.value()).writeLong(life);
  }

  static Seat read(WireReader in) {
    return new Seat(in.readNode(), in.readLong());
  }

  @Override
  public String toString() {
    return node + "/" + Long.toHexString(life);
  }
}
