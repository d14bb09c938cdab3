// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Limits;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The frame on the wire: its types, its bounds, and whole frames made in one piece. */
final class Frame {
  static final int HELLO = 1;
  static final int WELCOME = 2;
  static final int REFUSED = 3;
  static final int MESSAGE = 4;
  static final int PING = 5;
  static final int PONG = 6;

  /** Length and checksum of the body. */
  static final int HEADER_BYTES = 8;

  /** Longest topic, in characters of ASCII. */
  static final int TOPIC_BYTES_MAX = 64;

  /** Longest body before the other side has said who it is. */
  static final int GREETING_BODY_BYTES_MAX = 16 << 10;

  /** Longest body at all: type, topic and a payload of the largest size. */
  static final int BODY_BYTES_MAX = 2 + TOPIC_BYTES_MAX + Limits.FRAME_BYTES;

  private Frame() {}

  /** A whole frame around {@code content}, ready to be read. */
  static ByteBuffer of(int type, byte[] content) {
    ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + 1 + content.length);
    frame.putInt(1 + content.length).putInt(0).put((byte) type).put(content);
    CRC32C crc = new CRC32C();
    crc.update(frame.array(), HEADER_BYTES, 1 + content.length);
    return frame.putInt(4, (int) crc.getValue()).flip();
  }
}
