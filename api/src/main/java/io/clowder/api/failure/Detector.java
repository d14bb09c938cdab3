// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;
import java.util.SortedSet;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Judges the peers of one node: a pure state machine without thread, clock or network. Called by
 * one thread at a time; time comes in as {@code nanos}, which never fall and have any origin.
 *
 * <p>There are two ways to judge. One listens: it says which heartbeats it wants and until when it
 * bears silence, {@link #doubtAt}; whom it doubts is then asked directly and through others before
 * it is suspected. The other one asks by itself and speaks its verdicts through {@link Probes}. An
 * algorithm may do both.
 */
@ConsumerType
public interface Detector {
  /** From now on these are the peers, each in an unknown state if it was none before. */
  void peers(SortedSet<NodeId> peers, long nanos);

  /**
   * A heartbeat came in, the {@code sequence}-th that the peer sent to this node, from 1; some may
   * be missing. Heartbeats that were held up by this node itself are given to {@link #sign}
   * instead.
   *
   * @param intervalNanos the time between heartbeats that the peer keeps to now
   */
  void heartbeat(NodeId peer, long sequence, long intervalNanos, long nanos);

  /** Another sign of life: traffic, an answer, the word of somebody who has reached it. */
  void sign(NodeId peer, long nanos);

  /** A new life of the peer has begun: whatever was learnt about its heartbeats is over. */
  void restarted(NodeId peer, long incarnation, long nanos);

  /**
   * This node itself has another incarnation from now on, since others had seen the last one go.
   */
  default void risen(long incarnation, long nanos) {}

  /** The time between two heartbeats that is wanted of the peer, in nanoseconds; 0 for none. */
  long intervalNanos(NodeId peer);

  /**
   * When the peer is to be doubted, unless it is heard before; far away if silence says nothing.
   */
  long doubtAt(NodeId peer);

  /** See {@link Suspicion#level}. */
  double level(NodeId peer, long nanos);

  /**
   * This node did not run for so long, until now: whatever was to happen by a deadline of this
   * detector has that much longer. {@link #doubtAt} need not care.
   */
  default void stalled(long stallNanos, long nanos) {}

  /** When {@link #wake} has to be called; {@link Long#MAX_VALUE} if it need not. */
  default long wakeAt() {
    return Long.MAX_VALUE;
  }

  /** The time of {@link #wakeAt} has come. */
  default void wake(long nanos, Probes out) {}

  /**
   * An answer to {@link Probes#ping} or {@link Probes#pingThrough}.
   *
   * @param gossip what the peer's detector added; empty if nothing, or if the answer was relayed
   */
  default void answered(NodeId peer, long token, byte[] gossip, long nanos, Probes out) {}

  /** The relay of {@link Probes#pingThrough} is there, but had no answer in time. */
  default void notAnswered(NodeId relay, NodeId peer, long token, long nanos, Probes out) {}

  /** What another node's detector said, by itself or added to a question. */
  default void gossip(NodeId from, byte[] gossip, long nanos, Probes out) {}

  /** What to add to an answer to {@code to}; empty for nothing. */
  default byte[] gossipFor(NodeId to) {
    return new byte[0];
  }

  /** What a detector may ask for; nothing of it waits, all of it may get lost. */
  interface Probes {
    /** Asks the peer for an answer with this token, and adds what its detector shall know. */
    void ping(NodeId peer, long token, byte[] gossip);

    /**
     * Has the peer asked by another node, which says so if there is no answer within the time.
     *
     * @param withinNanos for the relay's own question
     */
    void pingThrough(NodeId relay, NodeId peer, long token, long withinNanos);

    /** Tells another node's detector. */
    void tell(NodeId peer, byte[] gossip);

    /** From now on the peer is suspected, until {@link #trust} or a new life of it. */
    void suspect(NodeId peer, Evidence evidence, String detail);

    /** The peer is not suspected any more. */
    void trust(NodeId peer, Evidence evidence);
  }
}
