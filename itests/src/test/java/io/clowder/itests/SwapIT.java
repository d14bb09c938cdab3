// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * A cluster that serves is given another protocol, another provider, other members, from the shell
 * and under load: no request fails, what is held stays held, and all nodes agree.
 */
public class SwapIT {
  private static final String RAFT = "io.clowder.consensus-raft";
  private static final String PAXOS = "io.clowder.consensus-paxos";
  private static final List<String> WITHOUT_PAXOS =
      BundleFiles.OWN.stream().filter(name -> !name.equals(PAXOS)).toList();

  private static final int WAIT_MILLIS = 30_000;

  /** Writes of each load before, between and after changes. */
  private static final int SOME = 20;

  /** A snapshot so often that a test sees several. */
  private static final Map<String, String> GROUP = Map.of("snapshot.entries", "200");

  private final List<FelixNode> cluster = new ArrayList<>();
  private final List<Load> loads = new ArrayList<>();
  private Path dir = Path.of("");
  private String members = "";

  @After
  public void stop() throws Exception {
    for (FelixNode node : cluster) {
      node.stop();
    }
  }

  @Test
  public void toAProtocolThatCameLaterAndBack() throws Exception {
    start(WITHOUT_PAXOS);
    long token = cluster.get(1).probe().hold("job");
    load(cluster);
    String refused = refused(cluster.get(0), "clowder:swap paxos");
    for (FelixNode node : cluster) {
      String lack = node.id() + ": no provider of protocol 'paxos' is active";
      assertTrue(
          refused, refused.contains("refused, nothing has changed") && refused.contains(lack));
      // On a busy machine, it says for a moment that it was.
      assertTrue(
          node.probe().shell("clowder:why"),
          within(() -> node.probe().shell("clowder:why").equals("nothing holds progress up")));
    }
    awaitProgress();

    for (FelixNode node : cluster) {
      installFromTheShell(node, PAXOS);
    }
    String said = cluster.get(2).probe().shell("clowder:swap paxos");
    assertTrue(said, said.startsWith("prepared paxos (segment 1) on n1, n2, n3"));
    assertTrue(said, said.matches("(?s).*stand-by 3/3, leader n\\d\n.*sealed at \\d+\n.*"));
    assertTrue(said, said.strip().matches("(?s).*serving, gap \\d+ ms"));
    assertServing("paxos", 1);

    for (FelixNode node : cluster) {
      node.bundle(RAFT).stop();
      node.bundle(RAFT).uninstall();
      awaitProgress();
    }
    awaitJournals("1");
    assertServing("paxos", 1);

    for (FelixNode node : cluster) {
      installFromTheShell(node, RAFT);
    }
    String json = cluster.get(0).probe().shell("clowder:swap raft -o json");
    assertTrue(json, json.startsWith("[\n  {\"group\": \"main\", \"segment\": 2,"));
    assertServing("raft", 2);
    for (FelixNode node : cluster) {
      node.bundle(RAFT).update();
      awaitProgress();
      node.awaitServing();
    }
    awaitJournals("2");

    assertTrue(cluster.get(1).probe().isHeld("job"));
    assertTrue(
        cluster.get(0).probe().shell("lock:info job -o json").contains("\"token\": " + token));
    cluster.get(1).probe().letGo("job");
    long next = cluster.get(0).probe().lockOnce("job");
    assertTrue(next + " after " + token, next > token);
    Agreement.check(cluster, end());
  }

  @Test
  public void aNodeWithoutTheNextProviderTakesNoPartUntilItComes() throws Exception {
    start(WITHOUT_PAXOS);
    FelixNode without = cluster.get(2);
    List<FelixNode> others = cluster.subList(0, 2);
    load(others);
    for (FelixNode node : others) {
      installFromTheShell(node, PAXOS);
    }
    String said = others.get(0).probe().shell("clowder:swap paxos");
    assertTrue(said, said.contains("goes on without n3: no provider of protocol 'paxos'"));
    awaitProgress();
    String why = "no provider of protocol 'paxos' is active on n3";
    assertTrue(
        without.probe().shell("clowder:why"),
        within(() -> without.probe().shell("clowder:why").contains(why)));
    assertEquals("down", without.probe().view().role());
    installFromTheShell(without, PAXOS);
    without.awaitServing();
    assertTrue(within(() -> without.probe().shell("clowder:why").startsWith("nothing")));
    assertServing("paxos", 1);
    Agreement.check(cluster, end());
  }

  @Test
  public void toANewerProviderOfTheSameProtocol() throws Exception {
    start(WITHOUT_PAXOS);
    load(cluster);
    Path file = NewerBundle.write(dir.resolve("newer.jar"), RAFT, "99.0.0");
    List<Bundle> old = new ArrayList<>();
    for (FelixNode node : cluster) {
      old.add(node.bundle(RAFT));
      installFromTheShell(node, file);
    }
    String said = cluster.get(0).probe().shell("clowder:swap");
    assertTrue(said, said.contains("prepared raft (segment 1)"));
    for (Bundle bundle : old) {
      bundle.uninstall();
      awaitProgress();
    }
    assertServing("raft", 1);
    assertEquals("99.0.0", cluster.get(0).bundle(RAFT).getVersion().toString());
    Agreement.check(cluster, end());
  }

  @Test
  public void twoGroupsSideBySide() throws Exception {
    start(
        BundleFiles.OWN,
        Map.of(
            "io.clowder.consensus.group~main", GROUP,
            "io.clowder.consensus.group~second", Map.of("protocol", "paxos"),
            "io.clowder.lock.group~second", Map.of("consensus.group", "second"),
            "io.clowder.kv.group~second", Map.of("consensus.group", "second")));
    load(cluster);
    FelixNode n1 = cluster.get(0);
    FelixNode n2 = cluster.get(1);
    assertTrue(within(() -> succeeds(n1, "kv:put a 2 --group second")));
    n1.probe().shell("kv:put a 1");
    assertEquals("1", n2.probe().shell("kv:get a"));
    assertEquals("2", n2.probe().shell("kv:get a --group second"));
    String granted = n1.probe().shell("lock:acquire job --group second");
    assertTrue(granted, granted.startsWith("job token"));
    assertEquals("job is free", n2.probe().shell("lock:info job"));
    assertTrue(n2.probe().shell("lock:acquire job").startsWith("job token"));
    String holder = "\"node\": \"n1\"";
    assertTrue(n2.probe().shell("lock:info job --group second -o json").contains(holder));

    long token = n2.probe().lockOnce("(consensus.protocol=paxos)", "by-filter");
    String status = n1.probe().shell("clowder:status");
    assertTrue(status, status.contains("raft") && status.contains("paxos"));
    String said = n1.probe().shell("clowder:swap raft --group second");
    assertTrue(said, said.contains("prepared raft (segment 1)"));
    String byRaft = "(&(consensus.group=second)(consensus.protocol=raft))";
    assertTrue(within(() -> grants(n2, byRaft)));
    assertTrue(n2.probe().lockOnce(byRaft, "by-filter") > token);
    assertTrue(n2.probe().shell("lock:info job --group second -o json").contains(holder));
    Agreement.check(cluster, end());
  }

  @Test
  public void membersComeAndGo() throws Exception {
    start(BundleFiles.OWN);
    load(cluster);
    FelixNode first = cluster.get(0);
    String address = "127.0.0.1:" + Ports.free();
    FelixNode fourth =
        FelixNode.start(
            dir,
            "n4",
            members + ",n4=" + address,
            Map.of("join", "true", "snapshot.entries", "200"));
    cluster.add(fourth);
    assertTrue(
        within(() -> fourth.probe().shell("clowder:why").contains("clowder:add n4=" + address)));
    String said = first.probe().shell("clowder:add n4=" + address);
    assertTrue(said, said.contains("prepared raft (segment 1) on n1, n2, n3, n4"));
    fourth.awaitServing();
    load(List.of(fourth));
    awaitProgress();

    FelixNode leader = leader();
    List<FelixNode> others = cluster.stream().filter(node -> node != leader).toList();
    List<Load.Outcome> outcomes = new ArrayList<>();
    int index = cluster.indexOf(leader);
    outcomes.add(loads.remove(index).stop());
    said = others.get(0).probe().shell("clowder:remove " + leader.id());
    assertTrue(said, said.contains("prepared raft (segment 2)"));
    awaitProgress();
    assertTrue(
        leader.probe().view().toString(),
        within(() -> leader.probe().view().role().equals("removed")));
    assertTrue(leader.probe().shell("clowder:why").contains("membership: "));
    assertFalse(others.get(0).probe().shell("clowder:members").contains(leader.id() + " "));
    outcomes.addAll(end());
    Agreement.check(others, outcomes);
  }

  @Test
  public void wrongWordsChangeNothing() throws Exception {
    start(BundleFiles.OWN);
    FelixNode n1 = cluster.get(0);
    for (String[] wrong :
        new String[][] {
          {"clowder:swap nonsense", "n1: no provider of protocol 'nonsense' is active"},
          {"clowder:swap paxos raft", "Unmatched argument"},
          {"clowder:swap paxos --group side", "no group 'side' runs here; there are: main"},
          {"clowder:swap paxos --timeout 0", "use 1 to 3600"},
          {"clowder:swap paxos -p nonsense=1", "nonsense"},
          {"clowder:add n1=127.0.0.1:9", "n1 is a member already"},
          {"clowder:add n9", "write NODE=HOST:PORT"},
          {"clowder:add n9=" + members.replaceFirst("n1=([^,]*).*", "$1"), "another member"},
          {"clowder:remove n9", "n9 is not a member; members are n1, n2, n3"},
        }) {
      String refused = refused(n1, wrong[0]);
      assertTrue(wrong[0] + ": " + refused, refused.contains(wrong[1]));
      assertEquals(1, refused.strip().lines().count());
    }
    assertServing("raft", 0);
  }

  private void start(List<String> bundles) throws Exception {
    start(bundles, Map.of("io.clowder.consensus.group~main", GROUP));
  }

  private void start(List<String> bundles, Map<String, Map<String, String>> settings)
      throws Exception {
    dir = Files.createTempDirectory("swap");
    members = Ports.members(3);
    for (int i = 1; i <= 3; i++) {
      cluster.add(FelixNode.start(dir, "n" + i, members, settings, bundles));
    }
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
  }

  private void load(List<FelixNode> nodes) throws Exception {
    for (FelixNode node : nodes) {
      loads.add(node.probe().load(node.id()));
    }
    awaitProgress();
  }

  private void awaitProgress() throws InterruptedException {
    for (Load load : loads) {
      load.awaitProgress(SOME, WAIT_MILLIS);
    }
  }

  private List<Load.Outcome> end() throws InterruptedException {
    awaitProgress();
    List<Load.Outcome> outcomes = new ArrayList<>();
    for (Load load : loads) {
      outcomes.add(load.stop());
    }
    return outcomes;
  }

  private static void installFromTheShell(FelixNode node, String symbolicName) throws Exception {
    installFromTheShell(node, BundleFiles.of(symbolicName));
  }

  private static void installFromTheShell(FelixNode node, Path file) throws Exception {
    String said = node.probe().shell("felix:install '" + file.toUri() + "'");
    node.probe().shell("felix:start " + said.replaceFirst("(?s).*Bundle IDs?: (\\d+).*", "$1"));
  }

  private static String refused(FelixNode node, String line) {
    return String.valueOf(
        assertThrows(line, IllegalStateException.class, () -> node.probe().shell(line))
            .getMessage());
  }

  /** Whether there are locks with these properties, which follow the group a moment later. */
  private static boolean grants(FelixNode node, String filter) throws Exception {
    try {
      return node.probe().lockOnce(filter, "by-filter") > 0;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private static boolean succeeds(FelixNode node, String line) throws InterruptedException {
    try {
      node.probe().shell(line);
      return true;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private void assertServing(String protocol, int segment) throws Exception {
    awaitProgress();
    for (FelixNode node : cluster) {
      node.awaitServing();
      String status = node.probe().shell("clowder:status -o json");
      String expected = "\"protocol\": \"%s\", \"segment\": %d,".formatted(protocol, segment);
      assertTrue(status, status.contains(expected));
    }
  }

  /** Snapshots make old segments superfluous; only the journals that are named stay. */
  private void awaitJournals(String... numbers) throws Exception {
    for (FelixNode node : cluster) {
      Path journals = dir.resolve(node.id()).resolve("journals").resolve("main");
      List<String> found = new ArrayList<>();
      boolean gone =
          within(
              () -> {
                found.clear();
                // The folder of one that is gone stays, empty.
                try (Stream<Path> all = Files.walk(journals)) {
                  all.filter(Files::isRegularFile)
                      .map(path -> path.getParent().getFileName().toString())
                      .distinct()
                      .sorted()
                      .forEach(found::add);
                }
                return found.equals(List.of(numbers));
              });
      String status = node.probe().shell("clowder:status -o json");
      assertTrue(node.id() + " has the journals " + found + "; " + status, gone);
    }
  }

  private FelixNode leader() throws Exception {
    List<FelixNode> leading = new ArrayList<>();
    assertTrue(
        within(
            () -> {
              leading.clear();
              for (FelixNode node : cluster) {
                if (node.probe().view().role().equals("leader")) {
                  leading.add(node);
                }
              }
              return leading.size() == 1;
            }));
    return leading.get(0);
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(Duration.ofMillis(WAIT_MILLIS)).until(condition);
  }
}
