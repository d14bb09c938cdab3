// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Receiver;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what a receiver is told, for a test to take it out. */
final class Inbox implements Receiver {
  private static final long SECONDS_MAX = 20;

  record Received(NodeId from, ByteBuffer payload) {}

  private final BlockingQueue<Received> messages = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> changes = new LinkedBlockingQueue<>();
  private final BlockingQueue<NodeId> refusals = new LinkedBlockingQueue<>();

  @Override
  public void receive(NodeId from, ByteBuffer payload) {
    messages.add(new Received(from, payload));
  }

  @Override
  public void connected(NodeId peer) {
    changes.add("+" + peer);
  }

  @Override
  public void refused(NodeId peer) {
    refusals.add(peer);
  }

  @Override
  public void disconnected(NodeId peer) {
    changes.add("-" + peer);
  }

  /** Waits until it is told that {@code peer} refused. */
  void expectRefusal(NodeId peer) throws InterruptedException {
    assertEquals(peer, refusals.poll(SECONDS_MAX, TimeUnit.SECONDS));
  }

  /** How often it was told that a peer refused, but for what was waited for. */
  int refusals() {
    return refusals.size();
  }

  Received next() throws InterruptedException {
    Received message = messages.poll(SECONDS_MAX, TimeUnit.SECONDS);
    assertNotNull(message, "no message came");
    return message;
  }

  String nextText() throws InterruptedException {
    return StandardCharsets.UTF_8.decode(next().payload).toString();
  }

  /** The next change of a connection must be {@code change}: {@code +n2} or {@code -n2}. */
  void expect(String change) throws InterruptedException {
    assertEquals(change, changes.poll(SECONDS_MAX, TimeUnit.SECONDS));
  }

  /** The next change of a connection. */
  String change() throws InterruptedException {
    String change = changes.poll(SECONDS_MAX, TimeUnit.SECONDS);
    assertNotNull(change, "no connection changed");
    return change;
  }

  /** The next changes must be these, in any order. */
  void changesTo(String... wanted) throws InterruptedException {
    Set<String> seen = new TreeSet<>();
    for (int i = 0; i < wanted.length; i++) {
      seen.add(changes.poll(SECONDS_MAX, TimeUnit.SECONDS));
    }
    assertEquals(new TreeSet<>(List.of(wanted)), seen);
  }

  int size() {
    return messages.size();
  }
}
