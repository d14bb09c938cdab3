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
   * Sends a small message that must not wait behind bulk data: on a second connection to the peer,
   * which carries nothing else. It arrives at the same {@link Receiver} as what is {@link #send
   * sent} to the topic, in the order of the urgent messages, but in no order with the others. Does
   * not wait.
   *
   * <p>The second connection is made when the first urgent message for a peer is offered, and kept
   * from then on; receivers hear of the first connection only. While it is not there, or {@link
   * io.clowder.api.Limits#URGENT_QUEUE_BYTES} wait for it, nothing is taken and the answer is
   * {@code false}: the payload is as it was, and the caller may {@code send} it instead.
   *
   * @param to as for {@code send}; what this node sends to itself goes the same way as there
   * @param payload its remaining bytes, at most {@link io.clowder.api.Limits#URGENT_BYTES}; not to
   *     be touched any more if it was taken
   * @return whether it was taken, which does not say that it arrives
   * @throws io.clowder.api.CoordinationException {@code TOO_LARGE}
   */
  boolean sendUrgent(NodeId to, String topic, ByteBuffer payload);

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

    /**
     * This node dialled {@code peer}, and the machine at its address answered that nobody listens
     * there: the process is gone, or not there yet. Told for each such attempt to make the
     * connection, so again and again while it lasts; the first one follows {@link #disconnected}
     * within milliseconds. Not told when there was no answer at all, nor when the machine can't be
     * reached.
     *
     * <p>Certain as long as nothing on the way answers in the machine's name, as a firewall does
     * that rejects instead of dropping, and as long as the address is the peer's.
     */
    default void refused(NodeId peer) {}
  }

  /** What lasts until it is closed; closing it again does nothing. */
  @ProviderType
  interface Registration extends AutoCloseable {
    /** Ends it; no call to the receiver, if it has one, begins after this returns. */
    @Override
    void close();
  }

  /**
   * One link, as it was when asked for.
   *
   * @param peer the other node
   * @param up whether it is connected
   * @param queuedBytes what waits to be sent, without what is urgent
   * @param problem why it is not up, or empty
   * @param silentNanos how long ago a byte last came from the peer, over whatever connection that
   *     either side had made; -1 if none came since this node knows it. A peer that is connected
   *     and well says something every second, if only that it is there
   */
  record Link(NodeId peer, boolean up, long queuedBytes, String problem, long silentNanos) {}
}
