// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.dht.KeeperMessage.Tallied;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** How a node is on a ring, by one mode or the other. Used by the ring's thread only. */
interface RingMode {
  /** As {@link Keeper#ask}. */
  void ask(long ticket, Ask ask, long deadline, long now);

  /** As {@link Keeper#look}. */
  void look(long ticket, Identifier id, long deadline, long now);

  /** As {@link Keeper#tally}. */
  void tally(Seat seat, BiConsumer<Seat, Tallied> then, long now);

  /** A message between keepers came in. */
  void received(Seat source, Seat target, KeeperMessage message, long now);

  /** So many values that were appended are on disk. */
  void durable(long number, long now);

  /** Ends what users wait for. */
  void endCalls(long now);

  /** Finds out who owns a point; null if that was not found out. */
  void lookup(Identifier id, Consumer<@Nullable LookupResult> then);

  /** Another number whenever {@link #view} or {@link #owned} may be another. */
  long revision();

  /** What this node knows. */
  RingView view();

  /** The view with all members; may ask around. */
  void ring(Consumer<RingView> then);

  /** What this node owns now. */
  List<Range> owned();

  /** All ranges; may ask around. */
  void ranges(Consumer<List<Range>> then);

  /** Who is there to be asked what it has; may ask around. */
  void seats(Consumer<List<Seat>> then);

  /** What is not as it should be as this node sees it, a sentence each. */
  List<String> problems();

  /** Why a node cannot be stopped now, a sentence each. */
  List<String> reasonsToStay(NodeId node);

  /** Begins to leave. */
  void leave();

  /** Begins to join again. */
  void join();

  /** Whether this node wanted to leave, and has. */
  boolean hasLeft();

  /** Gives a failed node up, with what only it has; {@code then} is told why not, or nothing. */
  void abandon(NodeId node, Consumer<String> then);

  /** Compares what this node owns with the copies, and mends what differs. */
  void repair(LongConsumer then);

  /** The connection to a node is lost. */
  void lost(NodeId node, long now);

  /** A message of the ring's own came in, if the mode has any. */
  void received(NodeId from, byte[] message, long now);

  long dueAt();

  void tick(long now);

  /**
   * Ends it in order, which must not take long.
   *
   * @param then runs when others know
   */
  void close(Runnable then);
}
