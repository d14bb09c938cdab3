// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * How much of a whole each node is to have: in proportion to its weight, but no more of it than
 * there is for one node, or for one domain; what is over goes to the others, in proportion again.
 */
final class Shares {
  /** Less than any fraction that is one, more than what comes of computing. */
  private static final double TINY = 1e-6;

  private final int[] weights;
  private final int[] domains;

  /** For each domain its nodes. */
  private final int[][] members;

  /**
   * Of nodes by number.
   *
   * @param domains for each node the number of its domain
   */
  Shares(int[] weights, int[] domains) {
    this.weights = weights;
    this.domains = domains;
    int[] sizes = new int[Arrays.stream(domains).max().orElse(-1) + 1];
    Arrays.stream(domains).forEach(it -> sizes[it]++);
    members = Arrays.stream(sizes).mapToObj(int[]::new).toArray(int[][]::new);
    for (int i = domains.length - 1; i >= 0; i--) {
      members[domains[i]][--sizes[domains[i]]] = i;
    }
  }

  /** How many copies of one partition a domain must take at most, so that there is room for all. */
  int copiesPerDomain(int replicas) {
    int copies = 1;
    while (room(copies) < replicas) {
      copies++;
    }
    return copies;
  }

  private int room(int copies) {
    return Arrays.stream(members).mapToInt(it -> Math.min(it.length, copies)).sum();
  }

  /**
   * The exact shares.
   *
   * @param total what there is
   * @param most for one node
   * @param mostOfDomain for one domain
   */
  double[] exact(double total, double most, double mostOfDomain) {
    boolean[] isFullDomain = new boolean[members.length];
    double[] shares = new double[weights.length];
    boolean isOver = true;
    while (isOver) {
      double rest = total;
      for (boolean isFull : isFullDomain) {
        rest -= isFull ? mostOfDomain : 0;
      }
      int[] others =
          IntStream.range(0, weights.length).filter(it -> !isFullDomain[domains[it]]).toArray();
      fill(shares, rest, most, others);
      isOver = markFull(isFullDomain, shares, mostOfDomain);
    }
    for (int i = 0; i < members.length; i++) {
      if (isFullDomain[i]) {
        fill(shares, mostOfDomain, most, members[i]);
      }
    }
    return shares;
  }

  /** Marks the domains that have too much; returns whether there are any. */
  private boolean markFull(boolean[] isFullDomain, double[] shares, double most) {
    boolean isAny = false;
    for (int i = 0; i < members.length; i++) {
      if (!isFullDomain[i]
          && Arrays.stream(members[i]).mapToDouble(it -> shares[it]).sum() > most + TINY) {
        isFullDomain[i] = true;
        isAny = true;
      }
    }
    return isAny;
  }

  private void fill(double[] shares, double total, double most, int[] nodes) {
    boolean[] isFull = new boolean[weights.length];
    boolean isOver = true;
    while (isOver) {
      double rest = total;
      long weight = 0;
      for (int node : nodes) {
        rest -= isFull[node] ? most : 0;
        weight += isFull[node] ? 0 : weights[node];
      }
      isOver = false;
      for (int node : nodes) {
        shares[node] = isFull[node] ? most : rest * weights[node] / weight;
        if (shares[node] > most + TINY) {
          isFull[node] = true;
          isOver = true;
        }
      }
    }
  }

  /**
   * Whole numbers for shares, each the next below or above. Whoever has the one above already keeps
   * it first; then the larger fractions get it.
   */
  static int[] round(double[] shares, int total, int[] present) {
    int[] whole = new int[shares.length];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = floor(shares[i]);
    }
    int[] raised =
        IntStream.range(0, whole.length)
            .filter(it -> shares[it] - whole[it] > TINY)
            .boxed()
            .sorted(
                Comparator.comparing((Integer it) -> present[it] <= whole[it])
                    .thenComparing(it -> whole[it] - shares[it]))
            .mapToInt(Integer::intValue)
            .limit(Math.max(0, total - Arrays.stream(whole).sum()))
            .toArray();
    for (int node : raised) {
      whole[node]++;
    }
    return whole;
  }

  static int floor(double share) {
    return (int) Math.floor(share + TINY);
  }

  static int ceil(double share) {
    return (int) Math.ceil(share - TINY);
  }

  /** As {@link #round}, with the domains' sums whole numbers below or above of theirs, too. */
  int[] roundByDomain(double[] shares, int total, int[] present) {
    int count = members.length;
    double[] sums = new double[count];
    int[] presentSums = new int[count];
    for (int i = 0; i < shares.length; i++) {
      sums[domains[i]] += shares[i];
      presentSums[domains[i]] += present[i];
    }
    int[] totals = round(sums, total, presentSums);
    int[] whole = new int[shares.length];
    for (int i = 0; i < count; i++) {
      int[] nodes = members[i];
      int[] rounded =
          round(
              Arrays.stream(nodes).mapToDouble(it -> shares[it]).toArray(),
              totals[i],
              Arrays.stream(nodes).map(it -> present[it]).toArray());
      for (int j = 0; j < nodes.length; j++) {
        whole[nodes[j]] = rounded[j];
      }
    }
    return whole;
  }
}
