// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Node;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * What all connections of this node share.
 *
 * @param run a random number of this start, by which others know that it is not the last one
 * @param tls null for plain connections on this machine
 */
record LocalEnd(
    Node node,
    long run,
    TcpSettings settings,
    @Nullable TlsIdentity tls,
    LoopThread thread,
    ByteBufAllocator allocator,
    ReadBuffer readBuffer,
    Receivers receivers,
    QuietLog log) {

  /** Puts the handlers of one connection on its channel. */
  void equip(Channel channel, Connection.Side side, boolean opens) {
    channel.config().setAllocator(allocator);
    channel.config().setRecvByteBufAllocator(readBuffer);
    if (tls != null) {
      channel.pipeline().addLast(tls.handler(opens, settings.greetingMillisMax()));
    }
    channel.pipeline().addLast(new Connection(channel, side, settings));
  }
}
