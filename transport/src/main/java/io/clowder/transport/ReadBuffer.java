// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * One buffer for all that is read: what came in is copied out of it before the next read. Only TLS
 * keeps it for a while, when it holds half a record; then others get one of their own.
 */
final class ReadBuffer extends DefaultMaxMessagesRecvByteBufAllocator {
  private static final int BYTES = 64 << 10;

  private final ByteBuf shared;

  ReadBuffer(ByteBufAllocator allocator) {
    shared = allocator.directBuffer(BYTES, BYTES);
  }

  @Override
  @SuppressWarnings("deprecation") // Netty's own interface has no other way to make a handle.
  public Handle newHandle() {
    return new MaxMessageHandle() {
      @Override
      public int guess() {
        return BYTES;
      }

      @Override
      public ByteBuf allocate(ByteBufAllocator allocator) {
        return shared.refCnt() == 1 ? shared.clear().retain() : allocator.heapBuffer(BYTES, BYTES);
      }
    };
  }

  /** Gives the memory back, once nothing is read any more. */
  void free() {
    shared.release();
  }
}
