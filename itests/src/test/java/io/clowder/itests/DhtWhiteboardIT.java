// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtCluster.SMALL;
import static io.clowder.itests.DhtCluster.within;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Ring;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;

/**
 * A ring of three containers that a fourth joins and leaves: what bundles hear of it, and have a
 * say in.
 */
public class DhtWhiteboardIT {
  private static final String MAIN = "main";
  private static final int PARTITIONS = 64;

  private static @Nullable DhtCluster shared;

  private final List<Ring.Policy> policies = new ArrayList<>();

  @BeforeClass
  public static void start() throws Exception {
    shared = DhtCluster.start(4);
    shared.configure(MAIN, SMALL, "n1", "n2", "n3");
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static DhtCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  @Before
  public void itIsAsItOughtToBe() throws Exception {
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
  }

  @After
  public void noPolicyIsLeft() {
    policies.forEach(Ring.Policy::close);
  }

  @Test
  public void listenersHearWhatTheirNodeGainsAndLoses() throws Exception {
    Ring.Ear unconcerned = cluster().ring("n1", MAIN).listen("other");
    List<Ring.Ear> ears = new ArrayList<>();
    for (String node : List.of("n1", "n2", "n3")) {
      Ring ring = cluster().ring(node, MAIN);
      Ring.Ear ear = ring.listen("other", MAIN);
      ears.add(ear);
      assertTrue(within(() -> !ear.heard().isEmpty()));
      assertEquals(List.of(new Ring.Change(MAIN, ring.owned(), List.of())), ear.heard());
    }
    // Before there is a ring.
    ears.add(cluster().ring("n4", MAIN).listen());
    cluster().configure(MAIN, SMALL, "n4");
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3", "n4");
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < ears.size(); i++) {
      Ring ring = cluster().ring("n" + (i + 1), MAIN);
      Ring.Ear ear = ears.get(i);
      assertTrue(
          ear.heard().toString(), within(() -> summedUp(ear).equals(partitions(ring.owned()))));
      assertEquals(PARTITIONS / 4, summedUp(ear).size());
      all.addAll(numbers(ring.owned()));
    }
    Collections.sort(all);
    assertEquals("once each", IntStream.range(0, PARTITIONS).boxed().toList(), all);
    assertEquals(all, numbers(cluster().ring("n2", MAIN).parts()));

    cluster().unconfigure(MAIN, "n4");
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
    for (int i = 0; i < 3; i++) {
      Ring ring = cluster().ring("n" + (i + 1), MAIN);
      Ring.Ear ear = ears.get(i);
      assertTrue(
          ear.heard().toString(), within(() -> summedUp(ear).equals(partitions(ring.owned()))));
    }
    for (Ring.Ear ear : ears) {
      ear.close();
    }
    assertEquals(List.of(), unconcerned.heard());
    unconcerned.close();
  }

  /** What is left of all that it heard, which must make sense at each step. */
  private static Set<Integer> summedUp(Ring.Ear ear) {
    Set<Integer> owned = new TreeSet<>();
    for (Ring.Change change : ear.heard()) {
      Set<Integer> gained = partitions(change.gained());
      Set<Integer> lost = partitions(change.lost());
      assertTrue(change + " gains of " + owned, Collections.disjoint(gained, owned));
      assertTrue(change + " loses of " + owned, owned.containsAll(lost));
      assertTrue("nothing is told by " + change, !gained.isEmpty() || !lost.isEmpty());
      owned.addAll(gained);
      owned.removeAll(lost);
    }
    return owned;
  }

  private static Set<Integer> partitions(List<Ring.Part> parts) {
    return new TreeSet<>(numbers(parts));
  }

  /** The numbers of partitions, which the first six bits of a point say. */
  private static List<Integer> numbers(List<Ring.Part> parts) {
    List<Integer> numbers = new ArrayList<>();
    for (Ring.Part part : parts) {
      int number = number(part.after());
      do {
        number = (number + 1) % PARTITIONS;
        numbers.add(number);
      } while (number != number(part.upTo()));
    }
    return numbers;
  }

  private static int number(String point) {
    return Integer.parseInt(point.substring(0, 2), 16) * PARTITIONS / 256;
  }

  @Test
  public void aPolicyIsAskedAndOneThatTalksNonsenseIsNot() throws Exception {
    for (String node : List.of("n1", "n2", "n3")) {
      policies.add(cluster().ring(node, MAIN).favour("n2"));
    }
    cluster().ring("n1", MAIN).put("policy/a", "1");
    cluster().configure(MAIN, SMALL, "n4");
    cluster().awaitWhole(MAIN, Set.of("n2")::equals, "n1", "n2", "n3", "n4");
    assertTrue(policies.stream().mapToInt(Ring.Policy::asked).sum() > 0);
    assertEquals("1", cluster().node("n4").probe().shell("dht:get policy/a"));
    noPolicyIsLeft();
    policies.clear();

    for (String node : List.of("n1", "n2", "n3")) {
      policies.add(cluster().ring(node, MAIN).talkNonsense());
    }
    cluster().unconfigure(MAIN, "n4");
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
    assertTrue(policies.stream().mapToInt(Ring.Policy::asked).sum() > 0);
    assertEquals("1", cluster().node("n3").probe().shell("dht:get policy/a"));
  }
}
