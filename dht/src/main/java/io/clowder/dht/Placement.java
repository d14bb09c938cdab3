// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Who keeps what, as this node knows it: by a committed table, or by its place on the ring. */
interface Placement {
  /**
   * Where the owner of a key is.
   *
   * @param then is told once, now or later; null if that cannot be found out now
   */
  void locate(Identifier id, Consumer<@Nullable Seat> then);

  /**
   * Who keeps a key.
   *
   * @param then is told once, now or later: the likely owner first; none if that cannot be found
   *     out now
   */
  void keepers(Identifier id, Consumer<List<Seat>> then);

  /** What this node has to do for a key; null if it does not own it, or not yet. */
  @Nullable Tenure tenure(Identifier id);

  /** Whether this node begins anything new for a key that it owns: not while it hands it over. */
  boolean accepts(Identifier id);

  /** Whether nobody else can own now what this node owns. */
  boolean isSure(long now);

  /** Makes {@link #isSure} true for a while, if it can; {@code then} runs once that is decided. */
  void confirm(Runnable then);

  /** Whether what another node decided by an assignment, as the owner, is still for this one. */
  boolean admits(Seat owner, Identifier id, long stamp);

  /** An owner has compared what it owns with what is here, as one of its replicas. */
  void covered(Seat owner, Interval interval);

  /** Whether all that this node owns in an interval has all of its copies, in full. */
  boolean isWhole(Interval interval);
}
