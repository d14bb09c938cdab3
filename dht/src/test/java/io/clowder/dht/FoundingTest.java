// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.dht.Identifier.SHA_1;
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

  private final Map<NodeId, Founding> nodes = new HashMap<>();
  private final Map<NodeId, Step> steps = new HashMap<>();

  private static Member member(NodeId node, long life) {
    return new Member(Identifier.hash(Identifier.SHA_1, node.value().getBytes(UTF_8)), node, life);
  }

  private void start(int count) {
    for (NodeId node : FIVE.subList(0, count)) {
      nodes.put(node, new Founding(member(node, 1), FIVE, 2, SHA_1, 0));
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
      here = new Here(here.member(), true, 2, SHA_1, it.founders(), 0);
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
        heard(nodes.get(FIVE.get(0)), new Here(other, true, 2, SHA_1, List.of(other), 100_000));
    assertEquals(new Step.Join(other), step);
  }

  @Test
  void whoIsTakenForAFounderBeginsIfItIsNotLateAndIsBornAgainIfItIs() {
    start(1);
    Founding founding = nodes.get(FIVE.get(0));
    Member other = member(FIVE.get(1), 7);
    List<Member> both = List.of(member(FIVE.get(0), 1), other);
    assertEquals(new Step.Found(both), heard(founding, new Here(other, true, 2, SHA_1, both, 10)));
    assertEquals(new Step.Reborn(), heard(founding, new Here(other, true, 2, SHA_1, both, 5_000)));
    List<Member> former = List.of(member(FIVE.get(0), 3), other);
    assertEquals(
        new Step.Join(other), heard(founding, new Here(other, true, 2, SHA_1, former, 10)));
  }

  @Test
  void whoPlacesKeysByAnotherFunctionIsToldSo() {
    start(1);
    Founding founding = nodes.get(FIVE.get(0));
    Member other = member(FIVE.get(1), 7);
    List<Member> known = List.of(other);
    for (boolean isOnRing : List.of(true, false)) {
      assertEquals(
          "n2 places keys by SHA-256, and this node by SHA-1 (hash)",
          founding.refusal(FIVE.get(1), new Here(other, isOnRing, 2, "SHA-256", known, 10)));
    }
    assertEquals(
        "n2 has successor lists of 3, and this node of 2 (successors, replicas)",
        founding.refusal(FIVE.get(1), new Here(other, true, 3, SHA_1, known, 10)));
    assertEquals("", founding.refusal(FIVE.get(1), new Here(other, true, 2, SHA_1, known, 10)));
    assertEquals("", founding.refusal(FIVE.get(1), founding.here(0)));
  }

  @Test
  void anotherLifeOfOneIsAgreedOnAnew() {
    List<NodeId> two = FIVE.subList(0, 2);
    Founding one = new Founding(member(two.get(0), 1), two, 1, SHA_1, 0);
    Founding former = new Founding(member(two.get(1), 1), two, 1, SHA_1, 0);
    assertNull(one.heard(two.get(1), former.here(0), 0));
    assertEquals(2, one.here(0).founders().size());
    Founding later = new Founding(member(two.get(1), 2), two, 1, SHA_1, 0);
    assertNull(one.heard(two.get(1), later.here(0), 0));
    Step step = later.heard(two.get(0), one.here(0), 0);
    assertEquals(
        List.of(member(two.get(0), 1), member(two.get(1), 2)),
        assertInstanceOf(Step.Found.class, step).founders());
  }

  @Test
  void itsBytesComeBack() {
    Here here =
        new Here(member(FIVE.get(0), 1), true, 2, SHA_1, List.of(member(FIVE.get(1), 2)), 12_345);
    WireWriter out = new WireWriter(64);
    here.write(out);
    assertEquals(here, Here.read(new WireReader(out.toByteArray())));
  }
}
