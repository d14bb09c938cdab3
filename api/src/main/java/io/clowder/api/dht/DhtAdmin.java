// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What an operator does to a ring; a service beside each {@link Dht}, with the same properties.
 * Thread-safe.
 */
@ProviderType
public interface DhtAdmin {
  /**
   * All members with their places and shares, as they are now: in mode {@code peer} by asking one
   * after the other.
   */
  CompletionStage<RingView> ring();

  /** All ranges of all owners, in the order of the ring. */
  CompletionStage<List<Range>> ranges();

  /** What each member has. Those that do not answer in time are not in the list. */
  CompletionStage<List<Load>> balance();

  /**
   * Whether the ring is as it ought to be, by what all members say: a sentence for each problem.
   */
  CompletionStage<List<String>> check();

  /**
   * Has this node leave: it hands over all that it keeps, and is a member until that is done. It is
   * not one any more when the stage completes, until it is asked to {@link #join}, or its ring is
   * started again. Fails with {@code UNAVAILABLE} if that takes longer than {@code leave.seconds};
   * it goes on in the background.
   */
  CompletionStage<Void> leave();

  /** Has this node be a member again after {@link #leave}. */
  CompletionStage<Void> join();

  /**
   * The last resort, when a node that has failed and has the only copy of something does not come
   * back: what only it has is lost, and can be written anew. Fails with {@code CONFLICT} if it has
   * not failed, and in mode {@code peer}, where nobody waits for it; nothing has happened then.
   */
  CompletionStage<Void> abandon(NodeId node);

  /**
   * Compares what this node owns with the copies on other nodes, and mends what differs.
   *
   * @return how many values were sent or fetched
   */
  CompletionStage<Long> repair();

  /**
   * What a member has.
   *
   * @param share of the key space that it owns, 0 to 1
   * @param keys values that it keeps, as the owner or for others
   * @param bytes of their keys and values
   * @param owned values that it owns
   * @param moving values that it sends to others at present, or fetches
   */
  record Load(NodeId node, double share, long keys, long bytes, long owned, long moving) {}
}
