// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy.Candidate;
import io.clowder.api.dht.PlacementPolicy.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What each node gets, and what moves; goals D5 and D10. */
class BoundedLoadsTest {
  private final BoundedLoads policy = new BoundedLoads();

  private static Candidate candidate(int number, String domain, int weight) {
    return new Candidate(new NodeId("n" + number), domain, weight);
  }

  private static List<Candidate> equal(int from, int to) {
    return IntStream.range(from, to).mapToObj(it -> candidate(it, "", 1)).toList();
  }

  private List<List<NodeId>> place(
      int replicas, List<Candidate> candidates, List<List<NodeId>> present) {
    List<List<NodeId>> placed = policy.place(new Request(replicas, candidates, present));
    assertEquals(present.size(), placed.size());
    int size = Math.min(replicas, candidates.size());
    Set<NodeId> nodes = new HashSet<>();
    candidates.forEach(it -> nodes.add(it.node()));
    for (List<NodeId> list : placed) {
      assertEquals(size, list.size());
      assertEquals(size, new HashSet<>(list).size(), "one twice: " + list);
      assertTrue(nodes.containsAll(list), "no candidate: " + list);
    }
    return placed;
  }

  private static List<List<NodeId>> nothing(int partitions) {
    return Collections.nCopies(partitions, List.of());
  }

  private static Map<NodeId, Integer> copies(List<List<NodeId>> placed) {
    Map<NodeId, Integer> copies = new HashMap<>();
    placed.forEach(list -> list.forEach(it -> copies.merge(it, 1, Integer::sum)));
    return copies;
  }

  private static Map<NodeId, Integer> owned(List<List<NodeId>> placed) {
    return copies(placed.stream().map(it -> it.subList(0, 1)).toList());
  }

  /** Each has its share of the whole by weight, rounded up or down. */
  private static void assertShares(
      List<Candidate> candidates, int total, Map<NodeId, Integer> counts, String what) {
    double weight = candidates.stream().mapToInt(Candidate::weight).sum();
    for (Candidate candidate : candidates) {
      double share = total * candidate.weight() / weight;
      int count = counts.getOrDefault(candidate.node(), 0);
      assertTrue(
          count > share - 1 && count < share + 1,
          what + " of " + candidate + ": " + count + " for " + share);
    }
  }

  private static void assertBalanced(List<Candidate> candidates, List<List<NodeId>> placed) {
    int replicas = placed.get(0).size();
    assertShares(candidates, placed.size(), owned(placed), "owned");
    assertShares(candidates, placed.size() * replicas, copies(placed), "copies");
  }

  private static int moved(List<List<NodeId>> before, List<List<NodeId>> after) {
    int moved = 0;
    for (int i = 0; i < before.size(); i++) {
      Set<NodeId> come = new HashSet<>(after.get(i));
      come.removeAll(before.get(i));
      moved += come.size();
    }
    return moved;
  }

  private static int ownersMoved(List<List<NodeId>> before, List<List<NodeId>> after) {
    return (int)
        IntStream.range(0, before.size())
            .filter(it -> !before.get(it).get(0).equals(after.get(it).get(0)))
            .count();
  }

  private static void assertAtMost(double limit, int found, String what) {
    assertTrue(found <= limit, what + ": " + found + ", more than " + limit);
  }

  @Test
  void sharesAreEqual() {
    for (int nodes : new int[] {1, 2, 3, 4, 7, 16, 20, 64}) {
      List<Candidate> candidates = equal(0, nodes);
      for (int replicas : new int[] {1, 2, 3, 7}) {
        assertBalanced(candidates, place(replicas, candidates, nothing(1024)));
      }
    }
  }

  /** Most of the key space, against the mean; D5. */
  @Test
  void keySpaceIsEven() {
    for (int nodes : new int[] {10, 300, 1_000}) {
      List<List<NodeId>> placed = place(3, equal(0, nodes), nothing(65_536));
      int most = Collections.max(owned(placed).values());
      assertTrue(most <= 1.02 * 65_536 / nodes, nodes + " nodes: " + most);
      assertBalanced(equal(0, nodes), placed);
    }
  }

  /** The setting of Chord's figures 8 and 9, with twice as many keys a node as in the first. */
  @Test
  void tenThousandNodesWithAMillionKeys() {
    int nodes = 10_000;
    int keys = 1_000_000;
    Partitions partitions = new Partitions(1 << 20);
    List<List<NodeId>> placed = place(1, equal(0, nodes), nothing(partitions.count()));
    SplittableRandom random = new SplittableRandom(1);
    byte[] bytes = new byte[Identifier.BYTES];
    Map<NodeId, Integer> counts = new HashMap<>();
    for (int i = 0; i < keys; i++) {
      random.nextBytes(bytes);
      NodeId owner = placed.get(partitions.of(Identifier.of(bytes))).get(0);
      counts.merge(owner, 1, Integer::sum);
    }
    int[] sorted = counts.values().stream().mapToInt(Integer::intValue).sorted().toArray();
    int percentile = sorted[sorted.length - nodes / 100];
    assertTrue(percentile <= 1.25 * keys / nodes, "99th percentile: " + percentile);
    assertEquals(nodes, sorted.length, "nodes with keys");
  }

  @Test
  void aJoinMovesItsShareOnly() {
    for (int nodes : new int[] {3, 4, 5, 10, 20, 60}) {
      for (int replicas : new int[] {1, 3}) {
        List<List<NodeId>> before = place(replicas, equal(0, nodes), nothing(4096));
        List<List<NodeId>> after = place(replicas, equal(0, nodes + 1), before);
        assertBalanced(equal(0, nodes + 1), after);
        String what = "join of one to " + nodes + " with " + replicas + " replicas, ";
        double share = 4096.0 / (nodes + 1);
        assertAtMost(1.1 * share, ownersMoved(before, after), what + "owners");
        assertAtMost(1.1 * replicas * share, moved(before, after), what + "copies");
      }
    }
  }

  @Test
  void aLeaveMovesWhatTheLeaverHad() {
    for (int nodes : new int[] {5, 10, 20, 60}) {
      for (int replicas : new int[] {1, 3}) {
        List<List<NodeId>> before = place(replicas, equal(0, nodes), nothing(4096));
        List<List<NodeId>> after = place(replicas, equal(1, nodes), before);
        assertBalanced(equal(1, nodes), after);
        String what = "leave of one of " + nodes + " with " + replicas + " replicas, ";
        double share = 4096.0 / nodes;
        assertAtMost(1.1 * share, ownersMoved(before, after), what + "owners");
        assertAtMost(1.1 * replicas * share, moved(before, after), what + "copies");
      }
    }
  }

  @Test
  void ownersWithDataComeBeforeOthers() {
    List<List<NodeId>> before = place(3, equal(0, 10), nothing(4096));
    List<List<NodeId>> after = place(3, equal(1, 10), before);
    for (int i = 0; i < before.size(); i++) {
      assertTrue(before.get(i).contains(after.get(i).get(0)), before.get(i) + " " + after.get(i));
    }
  }

  @Test
  void whatIsBalancedStays() {
    List<List<NodeId>> before = place(3, equal(0, 17), nothing(1024));
    assertEquals(before, place(3, equal(0, 17), before));
    List<List<NodeId>> changed = place(3, equal(2, 19), place(3, equal(1, 18), before));
    assertEquals(changed, place(3, equal(2, 19), changed), "after others were there");
    List<Candidate> reversed = new ArrayList<>(equal(0, 17));
    Collections.reverse(reversed);
    assertEquals(before, place(3, reversed, nothing(1024)), "in another order");
  }

  @Test
  void aRingGrowsNodeByNode() {
    List<List<NodeId>> placed = nothing(1024);
    for (int nodes = 1; nodes <= 40; nodes++) {
      placed = place(3, equal(0, nodes), placed);
      assertBalanced(equal(0, nodes), placed);
    }
    for (int first = 1; first < 40; first++) {
      placed = place(3, equal(first, 40), placed);
      assertBalanced(equal(first, 40), placed);
    }
  }

  @Test
  void manyComeAtOnce() {
    List<List<NodeId>> alone = place(3, equal(0, 1), nothing(16_384));
    List<List<NodeId>> placed = place(3, equal(0, 200), alone);
    assertBalanced(equal(0, 200), placed);
    placed = place(3, equal(100, 260), placed);
    assertBalanced(equal(100, 260), placed);
  }

  @Test
  void weightsCount() {
    List<Candidate> candidates =
        IntStream.range(0, 12).mapToObj(it -> candidate(it, "", 1 + it % 3)).toList();
    List<List<NodeId>> placed = place(3, candidates, nothing(4096));
    assertBalanced(candidates, placed);
    List<Candidate> heavier = new ArrayList<>(candidates);
    heavier.set(0, candidate(0, "", 3));
    List<List<NodeId>> after = place(3, heavier, placed);
    assertBalanced(heavier, after);
    double more = 4096 * (3.0 / 26 - 1.0 / 24);
    assertAtMost(1.1 * 3 * more, moved(placed, after), "copies for more weight");
  }

  /** Nobody can hold a partition twice: who is too heavy has all, and the others share the rest. */
  @Test
  void whoIsTooHeavyHasAll() {
    assertHeaviestHasAll("");
    assertHeaviestHasAll("r1");
  }

  private void assertHeaviestHasAll(String domain) {
    List<Candidate> light =
        IntStream.range(0, 5).mapToObj(it -> candidate(it, domain, 1 + it % 2)).toList();
    List<Candidate> candidates = new ArrayList<>(light);
    candidates.add(candidate(9, domain, 100));
    for (List<List<NodeId>> present : List.of(nothing(1024), place(3, light, nothing(1024)))) {
      List<List<NodeId>> placed = place(3, candidates, present);
      Map<NodeId, Integer> copies = copies(placed);
      assertEquals(1024, copies.get(new NodeId("n9")));
      copies.remove(new NodeId("n9"));
      assertShares(light, 2048, copies, "copies");
      assertShares(candidates, 1024, owned(placed), "owned");
    }
  }

  private static int domainsOf(List<NodeId> list, Map<NodeId, String> domains) {
    return new HashSet<>(list.stream().map(domains::get).toList()).size();
  }

  private static Map<NodeId, String> domains(List<Candidate> candidates) {
    Map<NodeId, String> domains = new HashMap<>();
    candidates.forEach(it -> domains.put(it.node(), it.domain()));
    return domains;
  }

  @Test
  void replicasAreInDifferentDomains() {
    for (int racks : new int[] {3, 4, 7}) {
      List<Candidate> candidates =
          IntStream.range(0, 21).mapToObj(it -> candidate(it, "r" + it % racks, 1)).toList();
      List<List<NodeId>> placed = place(3, candidates.subList(0, 14), nothing(1024));
      placed = place(3, candidates, placed);
      placed = place(3, candidates.subList(5, 21), placed);
      for (List<NodeId> list : placed) {
        assertEquals(3, domainsOf(list, domains(candidates)), list + " of " + racks + " racks");
      }
      assertShares(candidates.subList(5, 21), 1024, owned(placed), "owned of " + racks);
    }
  }

  /** With as many domains as replicas each has a copy of all, whatever its nodes are. */
  @Test
  void unevenDomainsShareWithin() {
    List<Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      candidates.add(candidate(i, i < 1 ? "a" : i < 6 ? "b" : "c", 1));
    }
    List<List<NodeId>> placed = place(3, candidates, nothing(1024));
    Map<NodeId, Integer> copies = copies(placed);
    assertEquals(1024, copies.get(new NodeId("n0")));
    for (int i = 1; i < 16; i++) {
      double share = i < 6 ? 1024 / 5.0 : 1024 / 10.0;
      assertEquals(share, copies.get(new NodeId("n" + i)), 1, "n" + i);
    }
    assertShares(candidates, 1024, owned(placed), "owned");
    List<Candidate> more = new ArrayList<>(candidates);
    more.add(candidate(20, "b", 1));
    List<List<NodeId>> after = place(3, more, placed);
    assertAtMost(1.1 * 1024 / 6, moved(placed, after), "copies");
    assertAtMost(1.1 * 1024 / 6, ownersMoved(placed, after), "owners");
    assertShares(more, 1024, owned(after), "owned");
  }

  @Test
  void tooFewDomainsAreUsedEvenly() {
    List<Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      candidates.add(candidate(i, i < 3 ? "a" : "b", 1));
    }
    for (List<NodeId> list : place(3, candidates, nothing(256))) {
      assertEquals(2, domainsOf(list, domains(candidates)), list.toString());
    }
    for (List<NodeId> list : place(4, candidates.subList(2, 8), nothing(256))) {
      assertTrue(list.contains(new NodeId("n2")), "one of one node, three of the rest");
    }
  }

  /** A domain that is found out about later, when its nodes have copies of the same. */
  @Test
  void aNewDomainParts() {
    List<List<NodeId>> before = place(3, equal(0, 9), nothing(1024));
    List<Candidate> candidates =
        IntStream.range(0, 9).mapToObj(it -> candidate(it, it < 3 ? "a" : "", 1)).toList();
    List<List<NodeId>> after = place(3, candidates, before);
    assertBalanced(candidates, after);
    Set<NodeId> same =
        new HashSet<>(candidates.subList(0, 3).stream().map(Candidate::node).toList());
    for (List<NodeId> list : after) {
      assertTrue(list.stream().filter(same::contains).count() <= 1, list.toString());
    }
  }

  /** What a node has is on many others, so that many take part when it fails. */
  @Test
  void copiesAreSpread() {
    List<List<NodeId>> placed = place(3, equal(0, 20), nothing(4096));
    int[] shared = new int[20];
    for (List<NodeId> list : placed) {
      if (list.contains(new NodeId("n0"))) {
        list.forEach(it -> shared[Integer.parseInt(it.value().substring(1))]++);
      }
    }
    int all = 2 * shared[0];
    for (int i = 1; i < 20; i++) {
      assertTrue(shared[i] < 2 * all / 19, "with n" + i + ": " + Arrays.toString(shared));
    }
  }

  @Test
  void anythingGoesIntoSomethingValid() {
    SplittableRandom random = new SplittableRandom(7);
    List<List<NodeId>> placed = nothing(64);
    int[] weights = {1, 1, 1, 2, 5, 100};
    for (int round = 0; round < 2_000; round++) {
      List<Candidate> candidates = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        if (random.nextInt(3) > 0) {
          String domain = random.nextInt(3) == 0 ? "" : "r" + random.nextInt(4);
          candidates.add(candidate(i, domain, weights[random.nextInt(weights.length)]));
        }
      }
      placed = place(1 + random.nextInt(4), candidates, placed);
    }
    assertNotEquals(nothing(64), placed);
  }
}
