// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A first layout, exact and without search. The nodes lie on a line, one domain after the other,
 * each as long as it is to have copies; a partition takes the nodes at as many points as it has
 * replicas, as far apart as there are partitions (systematic sampling: Madow, 1949). No node is
 * longer than that, so none is taken twice, and it is the same with domains. Then pairs of copies
 * change places by chance where that breaks no rule: without it, neighbours on the line would share
 * all they have, and what a node has would go to few when it fails.
 */
final class Dealing {
  private static final int EXCHANGES_PER_COPY = 3;

  private Dealing() {}

  /** Lays out an empty layout, owners by chance. */
  static void deal(Layout layout, int[] domains, int[] copies, SplittableRandom random) {
    int[] nodes =
        IntStream.range(0, layout.nodes)
            .boxed()
            .sorted(Comparator.comparing(it -> domains[it]))
            .mapToInt(Integer::intValue)
            .toArray();
    int[] line = new int[layout.partitions * layout.replicas];
    int length = 0;
    for (int node : nodes) {
      for (int i = 0; i < copies[node]; i++) {
        line[length++] = node;
      }
    }
    for (int i = 0; i < length; i++) {
      layout.set(i % layout.partitions, i / layout.partitions, line[i]);
    }
    for (int i = 0; i < EXCHANGES_PER_COPY * length; i++) {
      exchange(layout, random.nextInt(length), random.nextInt(length));
    }
  }

  private static void exchange(Layout layout, int one, int other) {
    int partition = one % layout.partitions;
    int node = layout.get(partition, one / layout.partitions);
    int otherPartition = other % layout.partitions;
    int otherNode = layout.get(otherPartition, other / layout.partitions);
    if (partition != otherPartition
        && layout.fits(partition, otherNode, node)
        && layout.fits(otherPartition, node, otherNode)) {
      layout.set(partition, one / layout.partitions, otherNode);
      layout.set(otherPartition, other / layout.partitions, node);
    }
  }
}
