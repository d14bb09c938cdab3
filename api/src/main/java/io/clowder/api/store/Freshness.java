// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import java.time.Duration;

/**
 * What a read may miss; the caller always says it.
 *
 * @param kind which of the three
 * @param bound how old the answer may be, for {@link Kind#BOUNDED} only; otherwise zero
 */
public record Freshness(Kind kind, Duration bound) {
  /** Kinds of reads. */
  public enum Kind {
    /**
     * Nothing that was acknowledged, or read by anybody, before the read began (Herlihy and Wing,
     * 1990). A backup answers by itself while the primary lets it and no write of the key is under
     * way (Terrace and Freedman, "CRAQ", 2009), and asks the primary otherwise.
     */
    LINEARIZABLE,
    /**
     * What was acknowledged in the time of the bound, at most. A backup that has heard of its
     * primary since answers by itself; otherwise as {@code LINEARIZABLE}.
     */
    BOUNDED,
    /**
     * Anything: it is what this node's copy has applied, without asking anybody, also when no
     * primary can be reached. Of such answers none is older than one before, as long as this node
     * has the store's configuration. A copy answers so if it is or was in sync by what it knows, or
     * has come to where the primary was when it heard of that first, after it was opened or added.
     * Until then, while a copy that was opened again has less than this node has answered before,
     * and where there is no copy, as {@code LINEARIZABLE}.
     */
    LOCAL
  }

  /** See {@link Kind#LINEARIZABLE}. */
  public static final Freshness LINEARIZABLE = new Freshness(Kind.LINEARIZABLE, Duration.ZERO);

  /** See {@link Kind#LOCAL}. */
  public static final Freshness LOCAL = new Freshness(Kind.LOCAL, Duration.ZERO);

  /**
   * See {@link Kind#BOUNDED}.
   *
   * @param bound a millisecond to a day
   */
  public static Freshness bounded(Duration bound) {
    return new Freshness(Kind.BOUNDED, bound);
  }

  /** Refuses a bound that makes no sense. */
  public Freshness {
    boolean isSound =
        kind == Kind.BOUNDED
            ? bound.toMillis() >= 1 && bound.compareTo(Duration.ofDays(1)) <= 0
            : bound.isZero();
    if (!isSound) {
      throw new IllegalArgumentException(kind + " with a bound of " + bound);
    }
  }
}
