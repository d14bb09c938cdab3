// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureDetector;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.failure.Suspicion.State;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FdCommandsTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");

  /** What some node might know. */
  private static final class Known implements FailureDetector {
    private final SortedMap<NodeId, Suspicion> suspicions = new TreeMap<>();
    private boolean calm;

    Known() {
      suspicions.put(N2, suspicion(N2, State.ALIVE, 0.25, Evidence.HEARD, ""));
      suspicions.put(
          N3, suspicion(N3, State.SUSPECT, Double.POSITIVE_INFINITY, Evidence.REFUSED, "why"));
    }

    private static Suspicion suspicion(
        NodeId node, State state, double level, Evidence evidence, String detail) {
      long since = System.currentTimeMillis() - 7_000;
      return new Suspicion(node, state, level, since, 12, 3, evidence, detail);
    }

    @Override
    public SortedMap<NodeId, Suspicion> suspicions() {
      return suspicions;
    }

    @Override
    public SortedSet<NodeId> suspects() {
      return new TreeSet<>(List.of(N3));
    }

    @Override
    public ClusterView view() {
      return new ClusterView(
          4,
          99,
          new TreeSet<>(List.of(N1, N2)),
          new TreeSet<>(calm ? List.of() : List.of(N3)),
          true);
    }

    @Override
    public @Nullable QosReport qos(NodeId node) {
      return new QosReport(
          node,
          60_000,
          500,
          node.equals(N2) ? 2_900 : -1,
          120,
          0.012345,
          1.234,
          -1,
          1,
          60_000,
          500,
          0.991);
    }

    @Override
    public SelfReport self() {
      return calm
          ? new SelfReport(1, "chen", 0, 0, 0, 0, false, List.of())
          : new SelfReport(1, "adaptive (x is not there)", 1, 500, 500, 1, true, List.of("store"));
    }

    @Override
    public List<FailureEvent> history() {
      return List.of(
          new FailureEvent(FailureEvent.Kind.SUSPECT, N3, 3, Evidence.REFUSED, "why", 4, 0));
    }
  }

  private final Known known = new Known();
  private final FdCommands commands = new FdCommands(known);

  @Test
  void theStatusIsARowForEachPeer() throws Exception {
    String[] lines = commands.status().split("\n");
    assertEquals(3, lines.length);
    assertTrue(lines[1].matches("n2 +alive +0.25 +7 s +12 +3 +heard"), lines[1]);
    assertTrue(lines[2].matches("n3 +suspect +999 +7 s +12 +3 +refused +why"), lines[2]);
    assertTrue(commands.status("-o", "json").contains("\"level\": 0.25"));
  }

  @Test
  void suspectsAreThoseAlone() throws Exception {
    assertEquals(2, commands.suspects().split("\n").length);
    known.suspicions.remove(N3);
    assertEquals("nobody is suspected", commands.suspects());
    assertEquals("[]", commands.suspects("-o", "json"));
  }

  @Test
  void theViewTheHistoryAndTheNodeItselfAreShown() throws Exception {
    assertTrue(commands.view().contains("n1,n2"), commands.view());
    assertTrue(commands.history().contains("1970-01-01T00:00:00Z"), commands.history());
    assertEquals(1, commands.history("n2").split("\n").length);
    assertTrue(commands.self().contains("store"), commands.self());
  }

  @Test
  void theQualityIsShownForOneOrAll() throws Exception {
    assertEquals(3, commands.qos().split("\n").length);
    assertTrue(commands.qos("n2", "-o", "json").contains("\"detection_ms\": 2900"));
    assertTrue(commands.qos("n3", "-o", "json").contains("\"detection_ms\": null"));
  }

  @Test
  void aNodeThatIsNotWatchedIsRefusedByName() {
    Exception refusal = assertThrows(Exception.class, () -> commands.qos("n9"));
    assertTrue(refusal.getMessage().contains("'n9'"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("n2,n3"), refusal.getMessage());
  }

  @Test
  void whatIsWrongIsSaidInSentences() {
    List<String> problems = Problems.of(known, System.currentTimeMillis());
    for (String about : List.of("peer: n3", "view: [n3]", "self: this node", "self: store")) {
      assertTrue(problems.stream().anyMatch(it -> it.startsWith(about)), problems.toString());
    }
    assertTrue(problems.contains("bundle: algorithm: adaptive (x is not there)"));
    known.calm = true;
    known.suspicions.remove(N3);
    assertEquals(List.of(), Problems.of(known, 0));
  }

  @Test
  void agesAreForPeople() {
    Map<Long, String> ages =
        Map.of(
            -5L, "0 s", 59_999L, "59 s", 60_000L, "1 min", 7_200_000L, "2 h", 90_000_000L, "1 d");
    ages.forEach((millis, age) -> assertEquals(age, Problems.age(millis)));
  }
}
