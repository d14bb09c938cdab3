// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Nodes that have another idea of the ring, for as long as they say so. */
final class Strangers {
  private final String ours;
  private final long freshNanos;
  private final SortedMap<NodeId, Word> words = new TreeMap<>();

  private record Word(String theirs, long at) {}

  /**
   * None yet.
   *
   * @param ours what is set here
   * @param freshNanos for how long a word holds
   */
  Strangers(String ours, long freshNanos) {
    this.ours = ours;
    this.freshNanos = freshNanos;
  }

  /** A node has something else. */
  void heard(NodeId node, String theirs, long now) {
    words.put(node, new Word(theirs, now));
  }

  /** A node has the same. */
  void agrees(NodeId node) {
    words.remove(node);
  }

  /** A sentence for each. */
  List<String> problems(long now) {
    words.values().removeIf(it -> now - it.at() > freshNanos);
    List<String> problems = new ArrayList<>();
    words.forEach(
        (node, it) ->
            problems.add(
                "%s has this ring with %s, and this node with %s: that is to be the same on all nodes"
                    .formatted(node, it.theirs(), ours)));
    return problems;
  }
}
