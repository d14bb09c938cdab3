// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * What members of a ring of mode {@code peer} have in common, as nobody decides it for all: whoever
 * has something else is kept off.
 *
 * @param successors how long successor lists are
 * @param replicas how many nodes keep a value
 * @param hash the function that places keys and nodes
 */
record Charter(int successors, int replicas, String hash) {
  /** What is set on a node. */
  static Charter of(DhtSetting setting) {
    int replicas = setting.keeper().replicas();
    int least = Math.max(1, replicas - 1);
    int successors = setting.successors() == 0 ? least : setting.successors();
    return new Charter(successors, replicas, setting.table().hash());
  }

  /** How many found a ring at least. */
  int foundersMin() {
    return successors + 1;
  }

  void write(WireWriter out) {
    out.writeByte(successors).writeByte(replicas).writeString(hash);
  }

  static Charter read(WireReader in) {
    return new Charter(in.readByte(), in.readByte(), in.readString(TableSettings.HASH_BYTES));
  }

  @Override
  public String toString() {
    return "mode peer, successors %d, replicas %d, hash %s".formatted(successors, replicas, hash);
  }
}
