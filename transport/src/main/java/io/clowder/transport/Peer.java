// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Link;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Another node that this one has to do with: the connection on which it sends to it, and the one
 * for what is urgent, once something was.
 */
final class Peer {
  private final LocalEnd local;
  private final LastHeard heard;
  private final PeerLink main;
  private final PeerLink urgent;
  private final AtomicBoolean urgentWanted = new AtomicBoolean();

  Peer(LocalEnd local, NodeId id, Address address, LastHeard heard) {
    this.local = local;
    this.heard = heard;
    this.main = new PeerLink(local, Lane.MAIN, id, address, heard);
    this.urgent = new PeerLink(local, Lane.URGENT, id, address, heard);
  }

  /** Takes a message, on any thread. */
  boolean send(String topic, ByteBuffer payload) {
    return main.send(topic, payload);
  }

  /** Takes an urgent message, on any thread. */
  boolean sendUrgent(String topic, ByteBuffer payload) {
    if (!urgentWanted.get() && urgentWanted.compareAndSet(false, true)) {
      local.thread().execute(urgent::dial);
    }
    return urgent.send(topic, payload);
  }

  /** The state, on any thread. */
  Link link() {
    return main.link();
  }

  /** When it was last heard. */
  LastHeard heard() {
    return heard;
  }

  /** Dials what is wanted, on the loop's thread as all that follows. */
  void dial() {
    main.dial();
    if (urgentWanted.get()) {
      urgent.dial();
    }
  }

  /** See {@link PeerLink#peerIsThere}. */
  void peerIsThere(long run) {
    main.peerIsThere(run);
    if (urgentWanted.get()) {
      urgent.peerIsThere(run);
    }
  }

  /** See {@link PeerLink#close}. */
  void close(String why) {
    main.close(why);
    urgent.close(why);
  }
}
