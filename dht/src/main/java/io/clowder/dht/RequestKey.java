// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * What a write is known by, for as long as its value is there: whoever does not know whether it
 * happened can ask.
 *
 * @param client by chance, another one for each life of each node
 * @param number one more each time
 */
record RequestKey(long client, long number) {
  void write(WireWriter out) {
    out.writeLong(client).writeVarLong(number);
  }

  static RequestKey read(WireReader in) {
    return new RequestKey(in.readLong(), in.readVarLong());
  }
}
