// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;

/** Records as bytes, and back. */
final class Encoded {
  private Encoded() {}

  static byte[] bytes(LogRecord record) {
    WireWriter out = new WireWriter(record.size());
    record.write(out);
    return out.toByteArray();
  }

  /** Not in the beginning of an array, as if it had come in a message. */
  static LogRecord record(byte[] bytes) {
    WireWriter out = new WireWriter(bytes.length + 3).writeByte(1).writeByte(2);
    out.writeRaw(bytes, 0, bytes.length).writeByte(3);
    return LogRecord.decode(ByteBuffer.wrap(out.toByteArray(), 2, bytes.length));
  }
}
