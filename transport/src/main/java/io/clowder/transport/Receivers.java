// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Receiver;
import io.clowder.api.transport.Transport.Registration;
import io.clowder.api.wire.WireFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who listens to what. Registrations come and go on any thread; every call to a receiver is made on
 * the loop's.
 */
final class Receivers {
  private static final Logger LOG = LoggerFactory.getLogger(Receivers.class);
  private static final long CLOSE_SECONDS_MAX = 10;

  private final class Listener implements Registration {
    private final String topic;
    private final Receiver receiver;
    private volatile boolean closed;

    /** Whether it was told who is connected already; the loop's thread alone uses it. */
    private boolean introduced;

    Listener(String topic, Receiver receiver) {
      this.topic = topic;
      this.receiver = receiver;
    }

    void call(Consumer<Receiver> what) {
      if (closed) {
        return;
      }
      try {
        what.accept(receiver);
      } catch (Throwable e) { // Whatever a receiver does, the others' connections live on.
        log.warn("receiver " + topic, "the receiver of topic '" + topic + "' failed", e);
      }
    }

    @Override
    public void close() {
      closed = true;
      byTopic.remove(topic, this);
      // Whoever runs on the loop after this has seen that it is closed.
      if (!thread.executeAndWait(() -> {}, CLOSE_SECONDS_MAX)) {
        LOG.error("the receiver of topic '{}' was closed, but a call to it does not end", topic);
      }
    }
  }

  private final LoopThread thread;
  private final QuietLog log;
  private final Map<String, Listener> byTopic = new ConcurrentHashMap<>();
  private final TreeSet<NodeId> connected = new TreeSet<>();

  Receivers(LoopThread thread, QuietLog log) {
    this.thread = thread;
    this.log = log;
  }

  /** Adds a receiver, which hears first who is connected already. */
  Registration listen(String topic, Receiver receiver) {
    Listener listener = new Listener(topic, receiver);
    if (byTopic.putIfAbsent(topic, listener) != null) {
      throw new IllegalStateException("somebody listens to topic '" + topic + "' already");
    }
    thread.execute(
        () -> {
          listener.introduced = true;
          connected.forEach(peer -> listener.call(it -> it.connected(peer)));
        });
    return listener;
  }

  /** Tells all that a connection came up. */
  void connected(NodeId peer) {
    connected.add(peer);
    tell(it -> it.connected(peer));
  }

  /** Tells all that a connection went down. */
  void disconnected(NodeId peer) {
    connected.remove(peer);
    tell(it -> it.disconnected(peer));
  }

  /** Tells all that the peer's machine says that nobody listens. */
  void refused(NodeId peer) {
    tell(it -> it.refused(peer));
  }

  /**
   * Hands over what came in a MESSAGE frame.
   *
   * @throws WireFormatException if there is no topic in it
   */
  void deliver(NodeId from, ByteBuffer content) {
    int length = content.hasRemaining() ? content.get() : 0;
    if (length < 1 || length > Frame.TOPIC_BYTES_MAX || length > content.remaining()) {
      throw new WireFormatException("a message without a topic");
    }
    String topic =
        new String(
            content.array(),
            content.arrayOffset() + content.position(),
            length,
            StandardCharsets.ISO_8859_1);
    content.position(content.position() + length);
    deliver(from, topic, content.slice());
  }

  void deliver(NodeId from, String topic, ByteBuffer payload) {
    Listener listener = byTopic.get(topic);
    if (listener == null) {
      // One kind for all topics: a peer could make up any number of them.
      log.warn(
          "unheard",
          Problem.line("dropped a message from " + from + ": nobody listens to '" + topic + "'"),
          null);
      return;
    }
    listener.call(it -> it.receive(from, payload));
  }

  private void tell(Consumer<Receiver> what) {
    for (Listener listener : byTopic.values()) {
      if (listener.introduced) {
        listener.call(what);
      }
    }
  }
}
