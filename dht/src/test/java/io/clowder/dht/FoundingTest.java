// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.dht.Founding.Here;
import io.clowder.dht.Founding.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Nodes that have no ring, and come to have one. */
class FoundingTest {
  private static final long SECOND = 1_000_000_000L;
  private static final List<NodeId> FIVE =
      IntStream.rangeClosed(1, 5).mapToObj(it -> new NodeId("n" + it)).toList();

  private static final Charter CHARTER = new Charter(2, 3, Identifier.SHA_1);

  private final Map<NodeId, Founding> nodes = new HashMap<>();
  private final Map<NodeId, Step> steps = new HashMap<>();

  private static Member member(NodeId node, long life) {
    return new Member(Identifier.hash(Identifier.SHA_1, node.value().getBytes(UTF_8)), node, life);
  }

  private void start(int count) {
    for (NodeId node : FIVE.subList(0, count)) {
      nodes.put(node, new Founding(member(node, 1), FIVE, CHARTER, 0));
    }
  }

  /** Each says to each other that it is here, in any order, some of it lost. */
  private void round(long now, Random random, int lostOfTen) {
    List<NodeId[]> pairs = new ArrayList<>();
    nodes
        .keySet()
        .forEach(from -> nodes.keySet().forEach(to -> pairs.add(new NodeId[] {from, to})));
    Collections.shuffle(pairs, random);
    for (NodeId[] pair : pairs) {
      if (!pair[0].equals(pair[1]) && random.nextInt(10) >= lostOfTen) {
        hear(pair[1], pair[0], now);
      }
    }
  }

  private void hear(NodeId by, NodeId from, long now) {
    Step of = steps.get(from);
    Here here = nodes.get(from).here(now);
    if (of instanceof Step.Found it) {
      here = new Here(here.member(), true, CHARTER, it.founders(), 0);
    }
    Step step = steps.containsKey(by) ? null : nodes.get(by).heard(from, here, now);
    if (step != null) {
      steps.put(by, step);
    }
  }

  private static @Nullable Step heard(Founding founding, Here here) {
    return founding.heard(here.member().node(), here, SECOND);
  }

  @Test
  void allBeginTheSameRing() {
    for (int seed = 0; seed < 200; seed++) {
      nodes.clear();
      steps.clear();
      start(5);
      Random random = new Random(seed);
      for (int i = 1; steps.size() < 5; i++) {
        assertTrue(i < 100, "seed " + seed + ": " + steps);
        round(i * SECOND / 3, random, 3);
      }
      assertEquals(1, Map.copyOf(steps).values().stream().distinct().count());
      assertEquals(5, assertInstanceOf(Step.Found.class, steps.get(FIVE.get(0))).founders().size());
    }
  }

  @Test
  void mostAreEnoughAfterAWhileAndFewAreNot() {
    start(3);
    Random random = new Random(1);
    for (long now = SECOND / 3; now < 9 * SECOND; now += SECOND / 3) {
      round(now, random, 0);
    }
    assertTrue(steps.isEmpty(), "all of them may come: " + steps);
    assertEquals(FIVE.subList(3, 5), nodes.get(FIVE.get(0)).missing(9 * SECOND));
    for (long now = 9 * SECOND; now < 12 * SECOND; now += SECOND / 3) {
      round(now, random, 0);
    }
    assertEquals(3, steps.size());

    nodes.clear();
    steps.clear();
    start(2);
    for (long now = SECOND / 3; now < 60 * SECOND; now += SECOND / 3) {
      round(now, random, 0);
    }
    assertTrue(steps.isEmpty(), "two of five would be a ring beside another: " + steps);
  }

  @Test
  void whoComesLaterJoins() {
    start(1);
    Member other = member(FIVE.get(1), 7);
    Step step =
        heard(nodes.get(FIVE.get(0)), new Here(other, true, CHARTER, List.of(other), 100_000));
    assertEquals(new Step.Join(other), step);
  }

  @Test
  void whoIsTakenForAFounderBeginsIfItIsNotLateAndIsBornAgainIfItIs() {
    start(1);
    Founding founding = nodes.get(FIVE.get(0));
    Member other = member(FIVE.get(1), 7);
    List<Member> both = List.of(member(FIVE.get(0), 1), other);
    assertEquals(new Step.Found(both), heard(founding, new Here(other, true, CHARTER, both, 10)));
    assertEquals(new Step.Reborn(), heard(founding, new Here(other, true, CHARTER, both, 5_000)));
    List<Member> former = List.of(member(FIVE.get(0), 3), other);
    assertEquals(new Step.Join(other), heard(founding, new Here(other, true, CHARTER, former, 10)));
  }

  @Test
  void anotherLifeOfOneIsAgreedOnAnew() {
    List<NodeId> two = FIVE.subList(0, 2);
    Charter pair = new Charter(1, 2, Identifier.SHA_1);
    Founding one = new Founding(member(two.get(0), 1), two, pair, 0);
    Founding former = new Founding(member(two.get(1), 1), two, pair, 0);
    assertNull(one.heard(two.get(1), former.here(0), 0));
    assertEquals(2, one.here(0).founders().size());
    Founding later = new Founding(member(two.get(1), 2), two, pair, 0);
    assertNull(one.heard(two.get(1), later.here(0), 0));
    Step step = later.heard(two.get(0), one.here(0), 0);
    assertEquals(
        List.of(member(two.get(0), 1), member(two.get(1), 2)),
        assertInstanceOf(Step.Found.class, step).founders());
  }

  @Test
  void itsBytesComeBack() {
    Here here =
        new Here(member(FIVE.get(0), 1), true, CHARTER, List.of(member(FIVE.get(1), 2)), 12_345);
    WireWriter out = new WireWriter(64);
    here.write(out);
    assertEquals(here, Here.read(new WireReader(out.toByteArray())));
  }
}
