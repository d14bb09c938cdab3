// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Watch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * The failure detectors of three containers: what they tell, and what can be changed under them.
 * Each test leaves the cluster as it found it.
 */
public class FailureIT {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String DETECTOR = "io.clowder.failure-detector";
  private static final String PID = "io.clowder.fd";

  /** The shorter, the shorter the test. */
  private static final Map<String, String> SETTINGS = Map.of("report.millis", "300");

  private static final List<FelixNode> cluster = new ArrayList<>();
  private static Path dir = Path.of("");
  private static String members = "";

  @BeforeClass
  public static void start() throws Exception {
    dir = Files.createTempDirectory("failures");
    members = Ports.members(3);
    for (int i = 1; i <= 3; i++) {
      cluster.add(startNode("n" + i));
    }
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
  }

  @AfterClass
  public static void stop() throws Exception {
    for (FelixNode node : cluster) {
      node.stop();
    }
    cluster.clear();
  }

  private static FelixNode startNode(String id) throws Exception {
    return FelixNode.start(
        dir,
        id,
        members,
        Map.of("io.clowder.consensus.group~main", Map.of(), PID, SETTINGS),
        BundleFiles.OWN);
  }

  @Before
  public void everybodyTrustsAll() throws Exception {
    for (FelixNode node : cluster) {
      awaitTrust(node, 2);
      awaitMembers(node, "n1,n2,n3");
    }
  }

  @Test
  public void itsCommandsAnswer() throws Exception {
    FelixNode n1 = cluster.get(0);
    for (String command : List.of("status", "suspects", "view", "qos", "history", "self")) {
      String help = n1.probe().shell("fd:" + command + " --help");
      assertTrue(help, help.startsWith("Usage: fd:" + command) && help.contains("table|json"));
      assertFalse(n1.probe().shell("fd:" + command).isBlank());
      assertTrue(n1.probe().shell("fd:" + command + " -o json").startsWith("["));
    }
    String status = n1.probe().shell("fd:status");
    assertTrue(status, status.startsWith("NODE  STATE") && status.contains("n3    alive"));
    assertEquals("nobody is suspected", n1.probe().shell("fd:suspects"));
    assertEquals(List.of(), Rows.of(n1.probe().shell("fd:suspects -o json")));
    assertEquals("true", Rows.one(n1.probe().shell("fd:view -o json")).get("committed"));
    Map<String, String> quality = Rows.one(n1.probe().shell("fd:qos n2 -o json"));
    assertEquals("n2", quality.get("node"));
    assertTrue(quality.toString(), Long.parseLong(quality.get("heartbeats")) > 0);
    assertEquals(2, Rows.of(n1.probe().shell("fd:qos -o json")).size());
    assertEquals("adaptive", self(n1).get("algorithm"));
    for (Map<String, String> event : Rows.of(n1.probe().shell("fd:history n3 -o json"))) {
      assertEquals("n3", event.get("node"));
    }
  }

  @Test
  public void wrongWordsGetOneClearLine() throws Exception {
    for (String[] wrong :
        new String[][] {
          {"fd:qos n9", "this node does not watch 'n9'; it watches n2,n3"},
          {"fd:history n1", "this node does not watch 'n1'"},
          {"fd:status n2", "n2"},
          {"fd:qos n2 n3", "n3"},
          {"fd:view --nonsense", "--nonsense"},
          {"fd:self -o xml", "xml"},
        }) {
      IllegalStateException refused =
          assertThrows(
              wrong[0], IllegalStateException.class, () -> cluster.get(0).probe().shell(wrong[0]));
      String message = String.valueOf(refused.getMessage()).strip();
      assertTrue(wrong[0] + ": " + message, message.contains(wrong[1]));
      assertEquals(message, 1, message.lines().count());
    }
  }

  @Test
  public void aDetectorThatStopsIsSuspectedAtOnceAndTrustedWhenItStarts() throws Exception {
    FelixNode n1 = cluster.get(0);
    Watch.Ear all = n1.probe().watch().listen();
    Watch.Ear ofThree = n1.probe().watch().listen("n3", "n9");
    Watch.Ear ofTwo = cluster.get(2).probe().watch().listen("n2");
    Bundle detector = cluster.get(2).bundle(DETECTOR);
    // Who comes late hears of who is suspected then, and of nothing that is over.
    List<Watch.Ear> late = new ArrayList<>();
    for (int i = 1; i <= 2; i++) {
      detector.stop();
      awaitEvents(all, 2 * i - 1);
      assertEquals("n3", Rows.one(n1.probe().shell("fd:suspects -o json")).get("node"));
      String why = n1.probe().shell("clowder:why");
      assertTrue(why, why.contains("n3 stopped its failure detector"));
      if (i == 2) {
        late.add(n1.probe().watch().listen("n3"));
      }
      detector.start();
      awaitEvents(all, 2 * i);
      if (i == 1) {
        late.add(n1.probe().watch().listen());
      }
    }
    awaitEvents(ofThree, 4);
    List<Watch.Event> events = all.events();
    for (Watch.Ear ear : late) {
      awaitEvents(ear, 2);
      assertEquals(events.subList(2, 4), ear.events());
      ear.close();
    }
    assertEquals(events, ofThree.events());
    assertAlternating(events);
    for (int i = 0; i < 4; i += 2) {
      assertEquals("GOODBYE", events.get(i).evidence());
      assertTrue(events.toString(), events.get(i + 1).incarnation() > events.get(i).incarnation());
    }
    assertEquals(List.of(), ofTwo.events());
    List.of(all, ofThree, ofTwo).forEach(Watch.Ear::close);
  }

  @Test
  public void aNodeThatStopsLeavesTheViewAndComesBack() throws Exception {
    List<FelixNode> others = cluster.subList(0, 2);
    Watch.Ear ear = others.get(0).probe().watch().listen();
    final long before = view(others.get(0));
    cluster.get(2).stop();
    awaitEvents(ear, 1);
    Watch.Event event = ear.events().get(0);
    assertTrue(event.toString(), List.of("GOODBYE", "REFUSED").contains(event.evidence()));
    for (FelixNode node : others) {
      awaitMembers(node, "n1,n2");
      assertEquals(before + 1, view(node));
      assertEquals("n3", Rows.one(node.probe().shell("fd:view -o json")).get("removed"));
    }
    assertTrue(others.get(0).probe().shell("clowder:why").contains("[n3] are out of view"));
    cluster.set(2, startNode("n3"));
    for (FelixNode node : cluster) {
      awaitMembers(node, "n1,n2,n3");
      assertEquals(before + 2, view(node));
      awaitTrust(node, 2);
    }
    assertAlternating(ear.events());
    assertTrue(within(() -> ear.views().contains(before + 2)));
    assertTrue(ear.views().toString(), ear.views().containsAll(List.of(before, before + 1)));
    ear.close();
  }

  @Test
  public void theAlgorithmIsExchangedWithoutAnEvent() throws Exception {
    List<Watch.Ear> ears = new ArrayList<>();
    for (FelixNode node : cluster) {
      ears.add(node.probe().watch().listen());
    }
    List<String> algorithms = List.of("chen", "phi", "fixed", "adaptive");
    for (String algorithm : List.of("chen", "swim", "phi", "fixed", "swim", "adaptive")) {
      use(cluster.get(1), algorithm);
    }
    for (String algorithm : algorithms) {
      for (FelixNode node : cluster) {
        use(node, algorithm);
      }
      // It judges now by what it heard itself.
      for (FelixNode node : cluster) {
        long heard = heartbeats(node);
        assertTrue(algorithm, within(() -> heartbeats(node) >= heard + 4));
      }
    }
    for (Watch.Ear ear : ears) {
      assertEquals(List.of(), ear.events());
      ear.close();
    }
  }

  @Test
  public void anAlgorithmOfAnotherBundleComesAndGoes() throws Exception {
    FelixNode n1 = cluster.get(0);
    Watch.Ear ear = n1.probe().watch().listen();
    configure(n1, Map.of("algorithm", "probe"));
    String standIn = "adaptive (probe is not there)";
    assertTrue(within(() -> self(n1).get("algorithm").equals(standIn)));
    n1.probe().watch().offerAlgorithm("probe");
    assertTrue(within(() -> self(n1).get("algorithm").equals("probe")));
    assertFalse(n1.probe().shell("clowder:why").contains("algorithm"));
    n1.probe().watch().withdrawAlgorithm();
    assertTrue(within(() -> self(n1).get("algorithm").equals(standIn)));
    String why = n1.probe().shell("clowder:why");
    assertTrue(why, why.contains("algorithm: " + standIn));
    use(n1, "adaptive");
    assertEquals(List.of(), ear.events());
    ear.close();
  }

  @Test
  public void aBadValueIsRefusedByItsKey() throws Exception {
    FelixNode n2 = cluster.get(1);
    configure(n2, Map.of("detection.millis.max", "1"));
    // What runs goes on as it was; what starts does not.
    assertEquals("adaptive", self(n2).get("algorithm"));
    n2.bundle(DETECTOR).stop();
    n2.bundle(DETECTOR).start();
    String missing = String.join("\n", n2.probe().missing());
    String refused = PID + ": detection.millis.max is 1: use 500 to 600000";
    assertTrue(missing, missing.contains(refused));
    configure(n2, Map.of());
    // By the component runtime's rules, one that failed is tried again when somebody asks for it.
    assertTrue(within(() -> isThere(n2)));
  }

  @Test
  public void whoSaysThatItIsNotWellIsSuspected() throws Exception {
    FelixNode n3 = cluster.get(2);
    Watch speaker = n3.probe().watch();
    Watch.Ear ear = cluster.get(0).probe().watch().listen();
    speaker.speak("disk", true);
    speaker.speak("pump", false);
    try {
      awaitEvents(ear, 1);
      // What a node shows of itself may be older than what it told the others.
      assertTrue(within(() -> self(n3).get("unwell").equals("pump")));
      String why = n3.probe().shell("clowder:why");
      assertTrue(why, why.contains("self: pump says that it is not alive"));
      speaker.speak("pump", true);
      awaitEvents(ear, 2);
    } finally {
      speaker.fallSilent();
    }
    List<Watch.Event> events = ear.events();
    Watch.Event suspected = events.get(0);
    assertEquals("n3", suspected.node());
    assertEquals("UNWELL", suspected.evidence());
    assertTrue(suspected.toString(), suspected.detail().endsWith("not well: pump"));
    assertAlternating(events);
    assertEquals(suspected.incarnation(), events.get(1).incarnation());
    ear.close();
  }

  @Test
  public void theViewSurvivesASwapOfTheProtocol() throws Exception {
    Watch.Ear ear = cluster.get(0).probe().watch().listen();
    long before = view(cluster.get(0));
    cluster.get(1).probe().shell("clowder:swap paxos");
    for (FelixNode node : cluster) {
      node.awaitServing();
      assertEquals(before, view(node));
    }
    assertEquals(List.of(), ear.events());
    // And goes on under the next one.
    cluster.get(2).bundle(DETECTOR).stop();
    awaitMembers(cluster.get(1), "n1,n2");
    assertEquals(before + 1, view(cluster.get(1)));
    cluster.get(2).bundle(DETECTOR).start();
    everybodyTrustsAll();
    cluster.get(1).probe().shell("clowder:swap raft");
    for (FelixNode node : cluster) {
      node.awaitServing();
      assertEquals(before + 2, view(node));
    }
    ear.close();
  }

  @Test
  public void withoutConsensusThereIsNoCommittedViewButAllElse() throws Exception {
    List<String> all =
        List.of("io.clowder.api", "io.clowder.storage", "io.clowder.transport", DETECTOR);
    Path place = Files.createTempDirectory("alone");
    String two = Ports.members(2);
    FelixNode n1 = FelixNode.start(place, "n1", two, Map.of(PID, Map.of()), all);
    try {
      FelixNode n2 = FelixNode.start(place, "n2", two, Map.of(PID, Map.of()), all);
      try {
        awaitTrust(n1, 1);
        awaitTrust(n2, 1);
        Map<String, String> view = Rows.one(n1.probe().shell("fd:view -o json"));
        assertEquals("n1,n2", view.get("members"));
        assertEquals("false", view.get("committed"));
        assertEquals("0", view.get("view"));
      } finally {
        n2.stop();
      }
      assertTrue(within(() -> n1.probe().shell("fd:suspects").contains("n2")));
    } finally {
      n1.stop();
    }
  }

  private static boolean isThere(FelixNode node) throws Exception {
    try {
      return self(node).get("algorithm").equals("adaptive");
    } catch (IllegalStateException e) {
      return false; // Its commands are not there.
    }
  }

  // ---- what they have in common --------------------------------------------------------------

  /** For each node SUSPECT, TRUST and so on, of lives that never go back. */
  private static void assertAlternating(List<Watch.Event> events) {
    Map<String, Watch.Event> last = new HashMap<>();
    for (Watch.Event event : events) {
      Watch.Event before = last.put(event.node(), event);
      String kind = before == null || before.kind().equals("TRUST") ? "SUSPECT" : "TRUST";
      assertEquals(events.toString(), kind, event.kind());
      assertTrue(events.toString(), before == null || before.incarnation() <= event.incarnation());
    }
  }

  private static void awaitEvents(Watch.Ear ear, int count) throws Exception {
    assertTrue(
        count + " events expected: " + ear.events(), within(() -> ear.events().size() >= count));
    assertEquals(ear.events().toString(), count, ear.events().size());
  }

  private static void awaitTrust(FelixNode node, int others) throws Exception {
    assertTrue(
        node.id(),
        within(
            () ->
                Rows.of(node.probe().shell("fd:status -o json")).stream()
                        .filter(it -> it.get("state").equals("alive"))
                        .count()
                    == others));
  }

  private static void awaitMembers(FelixNode node, String members) throws Exception {
    assertTrue(
        node.id() + ": " + node.probe().shell("fd:view"),
        within(
            () -> Rows.one(node.probe().shell("fd:view -o json")).get("members").equals(members)));
  }

  private static long view(FelixNode node) throws Exception {
    return Long.parseLong(Rows.one(node.probe().shell("fd:view -o json")).get("view"));
  }

  private static Map<String, String> self(FelixNode node) throws Exception {
    return Rows.one(node.probe().shell("fd:self -o json"));
  }

  private static long heartbeats(FelixNode node) throws Exception {
    return Rows.of(node.probe().shell("fd:qos -o json")).stream()
        .mapToLong(it -> Long.parseLong(it.get("heartbeats")))
        .sum();
  }

  private static void use(FelixNode node, String algorithm) throws Exception {
    configure(node, Map.of("algorithm", algorithm));
    assertTrue(algorithm, within(() -> self(node).get("algorithm").equals(algorithm)));
  }

  private static void configure(FelixNode node, Map<String, String> values) throws Exception {
    Map<String, String> all = new HashMap<>(SETTINGS);
    all.putAll(values);
    node.probe().configure(PID, all);
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
