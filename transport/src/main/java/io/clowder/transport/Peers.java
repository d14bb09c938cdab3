// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport.Registration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The other nodes that this one knows: the configured members, and those that somebody has it meet.
 * Nobody else is dialled or let in.
 *
 * <p>Whoever asks, on any thread, looks into an immutable map. Changes are made by one thread at a
 * time; what follows for the connections happens on the loop's thread, in the order of the changes.
 */
final class Peers {
  /** Why a connection with a node ends that was met. */
  static final String NOT_MET = "nobody here meets it any more";

  /** A node that is not a member. */
  private static final class Met {
    private Address address;
    private int registrations;

    Met(Address address) {
      this.address = address;
    }
  }

  private final LocalEnd local;
  private final Map<NodeId, Met> met = new HashMap<>();

  /** Of each peer, though it is met at another address, or left and met again, meanwhile. */
  private final Map<NodeId, LastHeard> heard = new HashMap<>();

  private volatile SortedMap<NodeId, Peer> peers;
  private boolean closed;

  Peers(LocalEnd local) {
    this.local = local;
    SortedMap<NodeId, Peer> configured = new TreeMap<>();
    local
        .node()
        .members()
        .forEach((id, address) -> configured.put(id, new Peer(local, id, address, heard(id))));
    configured.remove(local.node().id());
    peers = configured;
  }

  /** Whether the other node may be connected to this one. */
  boolean knows(NodeId id) {
    return peers.containsKey(id);
  }

  /** Another node; null if this one does not know it, or is it. */
  @Nullable Peer peer(NodeId id) {
    return peers.get(id);
  }

  /** All other nodes that this one knows, by their ids. */
  Collection<Peer> all() {
    return peers.values();
  }

  /**
   * See {@link io.clowder.api.transport.Transport#meet}; who it has let in is left to the caller.
   */
  synchronized Registration meet(NodeId id, Address address) {
    if (closed) {
      throw new IllegalStateException("the transport is closed");
    }
    if (id.equals(local.node().id()) || local.node().members().containsKey(id)) {
      return () -> {};
    }
    Met known = met.get(id);
    if (known == null) {
      known = new Met(address);
      met.put(id, known);
      replace(id, new Peer(local, id, address, heard(id)), "");
    } else if (!known.address.equals(address)) {
      known.address = address;
      replace(id, new Peer(local, id, address, heard(id)), "it listens on " + address + " now");
    }
    known.registrations++;
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false)) {
        leave(id);
      }
    };
  }

  /** Forgets when it heard those whom it does not know any more; no connection is left of them. */
  synchronized void forgetUnknown() {
    heard.keySet().removeIf(id -> !knows(id));
  }

  /** From now on nobody is met. */
  synchronized void close() {
    closed = true;
  }

  private synchronized void leave(NodeId id) {
    Met known = met.get(id);
    if (known != null && --known.registrations == 0) {
      met.remove(id);
      if (!closed) {
        replace(id, null, NOT_MET);
      }
    }
  }

  private LastHeard heard(NodeId id) {
    return heard.computeIfAbsent(id, it -> new LastHeard());
  }

  /** Puts a peer, or nothing, in the place of another, or of nothing. */
  private void replace(NodeId id, @Nullable Peer next, String why) {
    SortedMap<NodeId, Peer> changed = new TreeMap<>(peers);
    Peer before = next == null ? changed.remove(id) : changed.put(id, next);
    peers = changed;
    local
        .thread()
        .execute(
            () -> {
              if (before != null) {
                before.close(why);
              }
              if (next != null) {
                next.dial();
              }
            });
  }
}
