// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SortedMap;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The largest fencing token that each resource has seen, for a bounded number of resources: those
 * with the smallest token are forgotten first, and only how large forgotten tokens may have been is
 * kept. Immutable. What is forgotten follows from the tokens alone, not from their history, so that
 * a replica that comes from a snapshot goes on like the others.
 */
final class Fences {
  /** A resource and its largest token. */
  private record Mark(long token, byte[] resource) {}

  private static final Comparator<Mark> SMALLEST_FIRST =
      Comparator.comparingLong(Mark::token).thenComparing(Mark::resource, Arrays::compareUnsigned);

  private final int max;
  private final TreePMap<byte[], Long> tokens;
  private final TreePSet<Mark> order;
  private final long forgotten;

  private Fences(int max, TreePMap<byte[], Long> tokens, TreePSet<Mark> order, long forgotten) {
    this.max = max;
    this.tokens = tokens;
    this.order = order;
    this.forgotten = forgotten;
  }

  /**
   * None that is known by name.
   *
   * @param max how many may be
   * @param forgotten the largest token that any resource may have seen
   */
  static Fences none(int max, long forgotten) {
    return new Fences(
        max, TreePMap.empty(Arrays::compareUnsigned), TreePSet.empty(SMALLEST_FIRST), forgotten);
  }

  /** The largest token that the resource may have seen; 0 if it has seen none. */
  long seen(byte[] resource) {
    Long token = tokens.get(resource);
    return token == null ? forgotten : token;
  }

  /** The tokens of the resources that are known by name, in the order of their bytes. */
  SortedMap<byte[], Long> tokens() {
    return tokens;
  }

  /** The largest token that any other resource may have seen. */
  long forgotten() {
    return forgotten;
  }

  /** The same after the resource has seen a token, none smaller than {@link #seen}. */
  Fences raised(byte[] resource, long token) {
    Long known = tokens.get(resource);
    long seen = known == null ? forgotten : known;
    if (token < seen) {
      throw new AssertionError("a token falls from " + seen + " to " + token);
    }
    if (known != null && token == seen) {
      return this;
    }
    TreePSet<Mark> rest = known == null ? order : order.minus(new Mark(known, resource));
    Fences more =
        new Fences(
            max, tokens.plus(resource, token), rest.plus(new Mark(token, resource)), forgotten);
    return more.order.size() <= max ? more : more.withoutSmallest();
  }

  /** Tokens known by name are never smaller than those forgotten: it is the new maximum. */
  private Fences withoutSmallest() {
    Mark smallest = order.first();
    return new Fences(max, tokens.minus(smallest.resource), order.minus(smallest), smallest.token);
  }
}
