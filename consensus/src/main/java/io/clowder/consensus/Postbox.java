// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/** What a group sends, under the header of the segment that is open; nothing while none is. */
final class Postbox {
  private final Transport transport;
  private final String topic;
  private volatile @Nullable Sender sender;

  private record Sender(GroupMessage.Header header, Codec<Message> codec) {}

  Postbox(Transport transport, String topic) {
    this.transport = transport;
    this.topic = topic;
  }

  void open(GroupMessage.Header header, Codec<Message> codec) {
    sender = new Sender(header, codec);
  }

  void close() {
    sender = null;
  }

  /** Sends a message of the core. */
  void send(NodeId to, Message message) {
    Sender from = sender;
    if (from != null) {
      WireWriter out = begin(from);
      out.writeByte(GroupMessage.PROTOCOL);
      from.codec.write(message, out);
      transport.send(to, topic, out.toBuffer());
    }
  }

  /** Sends a message of the driver; any thread. */
  void send(NodeId to, GroupMessage message) {
    Sender from = sender;
    if (from != null) {
      WireWriter out = begin(from);
      message.write(out);
      transport.send(to, topic, out.toBuffer());
    }
  }

  private static WireWriter begin(Sender from) {
    WireWriter out = new WireWriter(256);
    from.header.write(out);
    return out;
  }
}
