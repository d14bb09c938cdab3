// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.wire.WireFormatException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into frames, whatever pieces it comes in. A body is allocated once its
 * length is known and found to be within the limit, and filled in place: it is never copied again.
 */
final class FrameDecoder {
  /** Takes the frames. */
  interface Sink {
    /**
     * One frame, its checksum verified.
     *
     * @param content the body after its type, in a heap buffer of its own
     * @return whether to go on
     */
    boolean frame(int type, ByteBuffer content);
  }

  private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER_BYTES);
  private final CRC32C crc = new CRC32C();
  private int bodyBytesMax = Frame.GREETING_BODY_BYTES_MAX;
  private @Nullable ByteBuffer body;

  /** Lets bodies be as large as those of messages, from the next frame on. */
  void allowMessages() {
    bodyBytesMax = Frame.BODY_BYTES_MAX;
  }

  /**
   * Takes all of {@code in}, unless the sink stops it.
   *
   * @throws WireFormatException for a length out of bounds or a wrong checksum; the stream is lost
   */
  void decode(ByteBuffer in, Sink sink) {
    boolean more = true;
    while (more && in.hasRemaining()) {
      ByteBuffer filling = body;
      if (filling == null) {
        move(in, header);
        if (!header.hasRemaining()) {
          body = allocate(header.getInt(0));
        }
      } else {
        move(in, filling);
        if (!filling.hasRemaining()) {
          more = finish(filling, sink);
        }
      }
    }
  }

  private ByteBuffer allocate(int length) {
    if (length < 1 || length > bodyBytesMax) {
      throw new WireFormatException(
          "a frame of " + length + " bytes where 1 to " + bodyBytesMax + " may be");
    }
    return ByteBuffer.allocate(length);
  }

  private boolean finish(ByteBuffer filled, Sink sink) {
    filled.flip();
    crc.reset();
    crc.update(filled.duplicate());
    if ((int) crc.getValue() != header.getInt(4)) {
      throw new WireFormatException("a frame with a wrong checksum");
    }
    header.clear();
    body = null;
    return sink.frame(filled.get(), filled.slice());
  }

  private static void move(ByteBuffer from, ByteBuffer to) {
    int count = Math.min(from.remaining(), to.remaining());
    to.put(to.position(), from, from.position(), count);
    to.position(to.position() + count);
    from.position(from.position() + count);
  }
}
