// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Our own policy: each node owns, and keeps, its share of the partitions by weight, rounded up or
 * down; replicas are in different domains if there are enough; and what does not have to move for
 * that stays. Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018) with
 * a bound as tight as it can be: there, a bound that tight costs moves, as a node sees no more than
 * hashes; here it sees what there is.
 *
 * <p>The same request always gets the same answer.
 */
final class BoundedLoads implements PlacementPolicy {
  private static final long SEED = 0x9E3779B97F4A7C15L;

  @Override
  public List<List<NodeId>> place(Request request) {
    List<Candidate> candidates =
        request.candidates().stream().sorted(Comparator.comparing(Candidate::node)).toList();
    int replicas = Math.min(request.replicas(), candidates.size());
    int partitions = request.present().size();
    if (replicas == 0) {
      return request.present().stream().map(it -> List.<NodeId>of()).toList();
    }
    int[] domains = domains(candidates);
    int[] weights = candidates.stream().mapToInt(Candidate::weight).toArray();
    Shares shares = new Shares(weights, domains);
    int perDomain = shares.copiesPerDomain(replicas);
    Layout layout = new Layout(partitions, replicas, domains, perDomain);
    lay(request.present(), candidates, layout);
    Quotas quotas = quotas(shares, layout, perDomain);
    SplittableRandom random = new SplittableRandom(SEED);
    if (Arrays.stream(layout.copies).allMatch(it -> it == 0)) {
      Dealing.deal(layout, domains, quotas.copies(), random);
    }
    new Balancing(layout, quotas, random).run();
    return lists(layout, candidates);
  }

  private static Quotas quotas(Shares shares, Layout layout, int perDomain) {
    int partitions = layout.partitions;
    int all = partitions * layout.replicas;
    double[] exact = shares.exact(all, partitions, (double) partitions * perDomain);
    int[] copies = shares.roundByDomain(exact, all, layout.copies);
    double[] exactOwned = shares.exact(partitions, partitions, partitions);
    int[] owned =
        layout.replicas == 1 ? copies : Shares.round(exactOwned, partitions, layout.owned);
    return new Quotas(copies, owned, exactOwned);
  }

  /** By number, in order of the nodes; a node without a domain is its own. */
  private static int[] domains(List<Candidate> candidates) {
    Map<String, Integer> numbers = new HashMap<>();
    int[] domains = new int[candidates.size()];
    for (int i = 0; i < domains.length; i++) {
      Candidate it = candidates.get(i);
      String domain = it.domain().isEmpty() ? it.node().value() : it.domain();
      domains[i] = numbers.computeIfAbsent(domain, unknown -> numbers.size());
    }
    return domains;
  }

  /** What may stay of what there is; who is left of an owner and others does not own yet. */
  private static void lay(List<List<NodeId>> present, List<Candidate> candidates, Layout layout) {
    Map<NodeId, Integer> numbers = new HashMap<>();
    candidates.forEach(it -> numbers.put(it.node(), numbers.size()));
    for (int i = 0; i < present.size(); i++) {
      List<NodeId> holders = present.get(i);
      int kept = 0;
      for (NodeId holder : holders) {
        int node = numbers.getOrDefault(holder, Layout.NONE);
        if (node != Layout.NONE && kept < layout.replicas && layout.fits(i, node, Layout.NONE)) {
          layout.set(i, kept++, node);
        }
      }
      if (kept > 0 && kept < layout.replicas && !numbers.containsKey(holders.get(0))) {
        layout.set(i, kept, layout.owner(i));
        layout.set(i, 0, Layout.NONE);
      }
    }
  }

  private static List<List<NodeId>> lists(Layout layout, List<Candidate> candidates) {
    NodeId[] nodes = candidates.stream().map(Candidate::node).toArray(NodeId[]::new);
    List<List<NodeId>> alone = Arrays.stream(nodes).map(List::of).toList();
    List<List<NodeId>> lists = new ArrayList<>(layout.partitions);
    for (int i = 0; i < layout.partitions; i++) {
      NodeId[] list = new NodeId[layout.replicas];
      for (int j = 0; j < list.length; j++) {
        list[j] = nodes[layout.get(i, j)];
      }
      lists.add(list.length == 1 ? alone.get(layout.owner(i)) : List.of(list));
    }
    return lists;
  }
}
