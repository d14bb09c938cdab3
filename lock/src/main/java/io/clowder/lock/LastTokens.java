// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import java.util.Comparator;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The largest token of each name, for a bounded number of names: those whose token is smallest are
 * forgotten first, and only how large their tokens may have been is kept. Immutable.
 */
final class LastTokens {
  /** A name and its largest token. */
  private record Last(long token, String name) {}

  private static final Comparator<Last> OLDEST_FIRST =
      Comparator.comparingLong(Last::token).thenComparing(Last::name);

  private final int namesMax;
  private final TreePMap<String, Long> tokens;
  private final TreePSet<Last> order;
  private final long forgotten;

  private LastTokens(
      int namesMax, TreePMap<String, Long> tokens, TreePSet<Last> order, long forgotten) {
    this.namesMax = namesMax;
    this.tokens = tokens;
    this.order = order;
    this.forgotten = forgotten;
  }

  /** None so far. */
  static LastTokens none(int namesMax) {
    return new LastTokens(namesMax, TreePMap.empty(), TreePSet.empty(OLDEST_FIRST), 0);
  }

  /** The largest token that the name may have had; 0 if it had none. */
  long last(String name) {
    Long token = tokens.get(name);
    return token == null ? forgotten : token;
  }

  /** The tokens that are known by name. */
  Map<String, Long> tokens() {
    return tokens;
  }

  /** The largest token that any other name may have had. */
  long forgotten() {
    return forgotten;
  }

  LastTokens plus(String name, long token) {
    LastTokens rest = minus(name);
    LastTokens more =
        new LastTokens(
            namesMax,
            rest.tokens.plus(name, token),
            rest.order.plus(new Last(token, name)),
            forgotten);
    if (more.order.size() <= namesMax) {
      return more;
    }
    Last oldest = more.order.first();
    return more.minus(oldest.name).withForgotten(oldest.token);
  }

  LastTokens minus(String name) {
    Long token = tokens.get(name);
    return token == null
        ? this
        : new LastTokens(
            namesMax, tokens.minus(name), order.minus(new Last(token, name)), forgotten);
  }

  LastTokens withForgotten(long token) {
    return new LastTokens(namesMax, tokens, order, Math.max(forgotten, token));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LastTokens that
        && forgotten == that.forgotten
        && tokens.equals(that.tokens);
  }

  @Override
  public int hashCode() {
    return tokens.hashCode();
  }

  @Override
  public String toString() {
    return tokens + ", others up to " + forgotten;
  }
}
