// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.transport;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.nio.ByteBuffer;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Messages to the other members of the cluster, to nodes that were met, and to this node itself. A
 * service; thread-safe.
 */
@ProviderType
public interface Transport {
  /**
   * Sends a message, without waiting. {@code true} says that it was taken, not that it arrives: it
   * may be lost with the connection. {@code false} says that it was not taken, because the peer is
   * not connected or {@link io.clowder.api.Limits#PEER_QUEUE_BYTES} wait for it already.
   *
   * @param to a member, or a node that was {@link #meet met}; this node's own messages are
   *     delivered too
   * @param topic who is meant on the other side: 1 to 64 characters of ASCII
   * @param payload its remaining bytes, at most {@link io.clowder.api.Limits#FRAME_BYTES}; not to
   *     be touched any more
   */
  boolean send(NodeId to, String topic, ByteBuffer payload);

  /**
   * Has messages to {@code topic} delivered to {@code receiver} until the registration is closed.
   *
   * @throws IllegalStateException if somebody listens to the topic already
   */
  Registration listen(String topic, Receiver receiver);

  /**
   * Keeps a link with a node that is not among the configured members, until the registration is
   * closed: the node is let in, dialled, listed among the {@link #links()}, sent to and heard, as
   * if it were one. A link needs that both know each other; until the other side does, it refuses,
   * and is dialled again.
   *
   * <p>Of one node there may be any number of registrations. The link goes with the last: from then
   * on {@code send} takes nothing more, the connections are closed and receivers told soon after,
   * and what was on its way may still arrive until then. Does not wait for anything.
   *
   * @param id a member or this node itself changes nothing: what is configured counts
   * @param address where the node listens. The newest one given counts, for all registrations; if
   *     it is another than before, the node is dialled anew
   * @throws IllegalStateException if the transport is closed
   */
  Registration meet(NodeId id, Address address);

  /** The state of the links to the other members, and to the nodes that were met. */
  List<Link> links();

  /**
   * Takes what arrives. Called on a thread of the transport, in the order of sending for each
   * sender.
   */
  @ConsumerType
  interface Receiver {
    /**
     * A message came in. Must not wait.
     *
     * @param from proved by the handshake, not claimed by the message
     * @param payload belongs to the receiver
     */
    void receive(NodeId from, ByteBuffer payload);

    /** The connection to {@code peer} is there, or there again. */
    default void connected(NodeId peer) {}

    /** The connection to {@code peer} is gone; what was sent last may be lost. */
    default void disconnected(NodeId peer) {}
  }

  /** What lasts until it is closed; closing it again does nothing. */
  @ProviderType
  interface Registration extends AutoCloseable {
    /** Ends it; no call to the receiver, if it has one, begins after this returns. */
    @Override
    void close();
  }

  /**
   * One link, for people.
   *
   * @param peer the other node
   * @param up whether it is connected
   * @param queuedBytes what waits to be sent
   * @param problem why it is not up, or empty
   */
  record Link(NodeId peer, boolean up, long queuedBytes, String problem) {}
}
