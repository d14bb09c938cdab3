// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What a group sends: messages of cores under the header of their segment, its own under that of
 * the segment that the state is in; nothing while it is closed.
 */
final class Postbox {
  private final Transport transport;
  private final String topic;
  private volatile GroupMessage.@Nullable Header header;

  Postbox(Transport transport, String topic) {
    this.transport = transport;
    this.topic = topic;
  }

  /** Messages of the driver go under this header from now on. */
  void open(GroupMessage.Header current) {
    header = current;
  }

  void close() {
    header = null;
  }

  /** Sends a message of a core. */
  void send(NodeId to, GroupMessage.Header segment, Codec<Message> codec, Message message) {
    if (header != null) {
      WireWriter out = begin(segment);
      out.writeByte(GroupMessage.PROTOCOL);
      codec.write(message, out);
      transport.send(to, topic, out.toBuffer());
    }
  }

  /** Sends a message of the driver; any thread. */
  void send(NodeId to, GroupMessage message) {
    GroupMessage.Header from = header;
    if (from != null) {
      WireWriter out = begin(from);
      message.write(out);
      transport.send(to, topic, out.toBuffer());
    }
  }

  private static WireWriter begin(GroupMessage.Header from) {
    WireWriter out = new WireWriter(256);
    from.write(out);
    return out;
  }
}
