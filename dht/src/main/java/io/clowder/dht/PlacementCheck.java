// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy.Candidate;
import io.clowder.api.dht.PlacementPolicy.Request;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What a placement policy may say. */
final class PlacementCheck {
  private PlacementCheck() {}

  /** What is wrong with a placement, for people; empty if nothing is. */
  static String refusal(Request request, List<List<NodeId>> placed) {
    Set<NodeId> candidates =
        request.candidates().stream().map(Candidate::node).collect(Collectors.toSet());
    int copies = Math.min(request.replicas(), candidates.size());
    if (placed.size() != request.present().size()) {
      return placed.size() + " partitions, not " + request.present().size();
    }
    for (int i = 0; i < placed.size(); i++) {
      List<NodeId> nodes = placed.get(i);
      if (nodes.size() != copies
          || new HashSet<>(nodes).size() != copies
          || !candidates.containsAll(nodes)) {
        return "partition %d on %s: not %d different candidates".formatted(i, nodes, copies);
      }
    }
    return "";
  }
}
