// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.netty.channel.WriteBufferWaterMark;

/**
 * The two connections that a node may have to a peer. They share nothing but the loop's thread, so
 * that what waits on the one is never in the way of the other.
 */
enum Lane {
  /** For everything; receivers hear when it comes and goes. */
  MAIN(0, Limits.PEER_QUEUE_BYTES, 4 * Outbox.PACKET_BYTES),

  /** For small messages that must not wait; there from the first of them on. */
  URGENT(1, Limits.URGENT_QUEUE_BYTES, Outbox.PACKET_BYTES);

  private final int code;
  private final int queueBytesMax;
  private final int socketBytesMax;

  Lane(int code, int queueBytesMax, int socketBytesMax) {
    this.code = code;
    this.queueBytesMax = queueBytesMax;
    this.socketBytesMax = socketBytesMax;
  }

  /** What stands for it in a hello. */
  int code() {
    return code;
  }

  /**
   * The lane that {@code code} stands for.
   *
   * @throws WireFormatException if it stands for none
   */
  static Lane of(int code) {
    return switch (code) {
      case 0 -> MAIN;
      case 1 -> URGENT;
      default -> throw new WireFormatException("no such lane: " + code);
    };
  }

  /** Bytes that may wait on this side. */
  int queueBytesMax() {
    return queueBytesMax;
  }

  /** How much is with the socket before the rest waits. */
  WriteBufferWaterMark waterMark() {
    return new WriteBufferWaterMark(socketBytesMax / 4, socketBytesMax);
  }
}
