// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Writes message frames into buffers of any size, large messages piece by piece: a payload is
 * copied once, into the buffer that the socket takes it from.
 */
final class MessageEncoder {
  private static final int HEAD_BYTES_MAX = Frame.HEADER_BYTES + 2 + Frame.TOPIC_BYTES_MAX;

  private final CRC32C crc = new CRC32C();
  private boolean begun;

  /**
   * Puts as much of a message as fits.
   *
   * @param payload its position moves on; to be passed again until the message is complete
   * @return whether the message is complete
   */
  boolean put(String topic, ByteBuffer payload, ByteBuffer out) {
    if (!begun) {
      if (out.remaining() < HEAD_BYTES_MAX) {
        return false;
      }
      putHead(topic, payload, out);
      begun = true;
    }
    int count = Math.min(payload.remaining(), out.remaining());
    out.put(out.position(), payload, payload.position(), count);
    out.position(out.position() + count);
    payload.position(payload.position() + count);
    begun = payload.hasRemaining();
    return !begun;
  }

  /** Whether a message is half written, so that nothing else may come in between. */
  boolean inMessage() {
    return begun;
  }

  private void putHead(String topic, ByteBuffer payload, ByteBuffer out) {
    int start = out.position();
    int length = 2 + topic.length() + payload.remaining();
    out.putInt(length).putInt(0).put((byte) Frame.MESSAGE).put((byte) topic.length());
    for (int i = 0; i < topic.length(); i++) {
      out.put((byte) topic.charAt(i));
    }
    crc.reset();
    crc.update(out.duplicate().flip().position(start + Frame.HEADER_BYTES));
    crc.update(payload.duplicate());
    out.putInt(start + 4, (int) crc.getValue());
  }
}
