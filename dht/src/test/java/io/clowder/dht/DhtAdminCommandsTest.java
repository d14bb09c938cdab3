// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin.Load;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class DhtAdminCommandsTest {
  private final NotedDht ring = new NotedDht("main");
  private final KnownRings rings = ring.known();
  private final DhtAdminCommands commands = new DhtAdminCommands(rings);

  @Test
  void statusIsARowForEachRing() throws Exception {
    rings.bindRing(new NotedDht("a"), Map.of(Dht.IDEAL, false));
    assertEquals(
        """
        RING  MODE        EPOCH  MEMBERS  REPLICAS  MEMBER  RANGES  IDEAL
        a     consistent      7        3         3  true         1  false
        main  consistent      7        3         3  true         1  true""",
        commands.status());
    rings.updatedRing(ring, Map.of(Dht.IDEAL, false));
    assertTrue(commands.status("--ring", "main").endsWith("false"), commands.status());
    assertEquals(2, commands.status("--ring", "main").lines().count());
  }

  @Test
  void statusIsNoFailureWithoutARing() throws Exception {
    DhtAdminCommands alone = new DhtAdminCommands(new KnownRings());
    assertEquals("no ring on this node: configure io.clowder.dht~NAME", alone.status());
    assertEquals("[]", alone.status("-o", "json"));
    assertEquals(alone.status(), error(() -> alone.ring()));
  }

  @Test
  void membersAreInTheOrderOfTheRing() throws Exception {
    assertEquals(
        """
        NODE  IDENTIFIER  DOMAIN  SHARE  STATE    SELF
        n1    00000000    a       50.0%  member   *
        n2    40000000    b       25.0%  leaving
        n3    c0000000    a       25.0%  member""",
        commands.ring());
    assertEquals(List.of("ring"), ring.orders);
    ring.places = List.of(NotedDht.place("n3", "c0", "", -1, "member"));
    ring.isMember = false;
    assertEquals(
        "NODE  IDENTIFIER  SHARE  STATE\nn3    c0000000    -      member\nn1 is not on the ring",
        commands.ring("--local"));
    assertEquals(
        "[\n  {\"node\": \"n3\", \"identifier\": \"c000000000000000000000000000000000000000\","
            + " \"domain\": \"\", \"share\": null, \"state\": \"member\", \"self\": false}\n]",
        commands.ring("--local", "-o", "json"));
    assertEquals(List.of("ring"), ring.orders);
  }

  @Test
  void thePictureIsOfTheSameRing() throws Exception {
    assertEquals(RingPicture.of(ring.view()), commands.ring("--svg"));
  }

  @Test
  void rangesAreAllOrOneNodes() throws Exception {
    assertEquals(
        """
        AFTER     UP_TO     OWNER  REPLICAS  EPOCH  WHOLE
        c0000000  00000000  n1     n9            7  false
        00000000  40000000  n2     n9            7  true
        40000000  c0000000  n3     n9            7  true""",
        commands.ranges());
    assertEquals(2, commands.ranges("n2").lines().count());
    assertEquals("n4 owns no range", commands.ranges("n4"));
    assertTrue(error(() -> commands.ranges("a b")).contains("node id 'a b'"));
  }

  @Test
  void balanceSaysHowUnevenItIsAndWhoIsSilent() throws Exception {
    assertEquals("no member answers\nno answer from n1,n2,n3", commands.balance());
    ring.loads.add(new Load(new NodeId("n1"), 0.5, 30, 3000, 10, 0));
    ring.loads.add(new Load(new NodeId("n3"), 0.25, 10, 1000, 10, 2));
    assertEquals(
        """
        NODE  SHARE  KEYS  BYTES  OWNED  MOVING
        n1    50.0%    30   3000     10       0
        n3    25.0%    10   1000     10       2
        max/mean: share 1.33, keys 1.50, bytes 1.50, owned 1.00
        no answer from n2""",
        commands.balance());
  }

  @Test
  void aCheckThatFindsSomethingPrintsItAndFails() throws Exception {
    assertEquals("ok", commands.check());
    assertEquals("[]", commands.check("-o", "json"));
    ring.problems.add("n1: its successor is dead");
    assertEquals(
        "n1: its successor is dead\n",
        printed(() -> assertEquals("ring main has 1 problem", error(() -> commands.check()))));
    ring.problems.add("n2: it has no predecessor");
    assertEquals(
        """
        [
          {"problem": "n1: its successor is dead"},
          {"problem": "n2: it has no predecessor"}
        ]
        """,
        printed(
            () ->
                assertEquals(
                    "ring main has 2 problems", error(() -> commands.check("-o", "json")))));
  }

  @Test
  void aNodeIsSafeOrItIsSaidWhyNot() throws Exception {
    assertEquals("n1 can be stopped safely", commands.safe());
    assertEquals("n2 can be stopped safely", commands.safe("n2"));
    assertTrue(
        error(() -> commands.safe("n22")).startsWith("n22 is not on ring main; its members"));
    assertEquals(List.of("safe n1", "safe n2"), ring.orders);
    ring.problems.add("3 ranges have no other copy");
    assertEquals(
        "3 ranges have no other copy\n",
        printed(
            () ->
                assertEquals("n2 cannot be stopped safely now", error(() -> commands.safe("n2")))));
  }

  @Test
  void leavingAndJoiningSayWhatIsDone() throws Exception {
    assertEquals("n1 has left main", commands.leave());
    assertEquals(
        "[\n  {\"ring\": \"main\", \"node\": \"n1\", \"member\": true}\n]",
        commands.join("-o", "json"));
    assertEquals(List.of("leave", "join"), ring.orders);
  }

  @Test
  void repairSaysHowMuchDiffered() throws Exception {
    assertEquals("all copies agree", commands.repair());
    ring.repaired = 12;
    assertEquals("12 values were sent or fetched", commands.repair());
  }

  @Test
  void nothingIsGivenUpWithoutConsent() throws Exception {
    Exception refusal = assertThrows(Exception.class, () -> commands.abandon("n9"));
    assertTrue(refusal.getMessage().contains("--accept-loss"), refusal.getMessage());
    assertEquals(List.of(), ring.abandoned);
    assertEquals("n9 is given up", commands.abandon("n9", "--accept-loss"));
    assertEquals(List.of(new NodeId("n9")), ring.abandoned);
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name :
        List.of(
            "status", "ring", "ranges", "balance", "check", "leave", "join", "safe", "repair",
            "abandon")) {
      String help =
          (String)
              DhtAdminCommands.class
                  .getMethod(name, String[].class)
                  .invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: dht:" + name), help);
      assertTrue(help.contains("--ring"), help);
    }
  }

  /** What a command writes on its way to an exception. */
  private static String printed(Executable command) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      command.execute();
    } catch (Throwable e) {
      throw new AssertionError(e);
    } finally {
      System.setOut(before);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
