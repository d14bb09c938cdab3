// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.store.StoreAdmin.Verification;
import io.clowder.api.store.StoreRole;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class StoreAdminCommandsTest {
  private final NotedStore store = new NotedStore("main");
  private final StoreAdminCommands commands = new StoreAdminCommands();
  private final ForcePromoteCommand last = new ForcePromoteCommand();

  StoreAdminCommandsTest() {
    commands.bindStore(store);
    commands.bindAdmin(store, store.properties());
    last.bindAdmin(store, store.properties());
  }

  @Test
  void theStatusIsARowForEachStore() throws Exception {
    assertEquals(
        """
        STORE  ROLE     EPOCH  PRIMARY  IN-SYNC  MIN_INSYNC  COMMITTED  END  ENTRIES  SNAPSHOT
        main   primary      4  n1       n1,n2             2         11   12        3         0\
        """,
        commands.status());
    assertEquals(
        "[\n  {\"store\": \"main\", \"role\": \"primary\", \"epoch\": 4, \"primary\": \"n1\","
            + " \"in-sync\": \"n1,n2\", \"eligible\": \"\", \"learners\": \"\", \"removed\": \"\","
            + " \"min_insync\": 2, \"committed\": 11, \"end\": 12, \"entries\": 3,"
            + " \"snapshot\": 0}\n]",
        commands.status("-o", "json"));
    NotedStore other = new NotedStore("other");
    other.role = StoreRole.CLIENT;
    other.primary = null;
    other.copy = null;
    other.learners = NotedStore.nodes("n3", "n4");
    commands.bindStore(other);
    assertEquals(3, commands.status().lines().count());
    assertEquals(
        """
        STORE  ROLE    EPOCH  IN-SYNC  LEARNERS  MIN_INSYNC
        other  client      4  n1,n2    n3,n4              2\
        """,
        commands.status("--store", "other"));
    assertEquals(
        "no store 'x' here; there are: main, other", error(() -> commands.status("--store", "x")));
  }

  @Test
  void noStoreIsNoFailureOfTheStatus() throws Exception {
    commands.unbindStore(store);
    assertEquals("[]", commands.status("-o", "json"));
    assertTrue(commands.status().contains("io.clowder.replication~NAME"), commands.status());
    assertTrue(error(() -> commands.lag()).contains("io.clowder.replication~NAME"));
  }

  @Test
  void thePrimaryKnowsWhoLags() throws Exception {
    assertEquals(
        """
        NODE  ACKNOWLEDGED  RECORDS  BYTES  BEHIND_MS
        n2              12        0      0          0
        n3               2       10      -        900\
        """,
        commands.lag());
    store.role = StoreRole.BACKUP;
    assertEquals(
        "the primary of main is n1; ask there: clowder sh --node n1 store:lag",
        error(() -> commands.lag()));
    assertTrue(error(() -> commands.lag("--store", "main")).endsWith("store:lag --store main"));
    store.primary = null;
    assertEquals("main has no primary now", error(() -> commands.lag()));
  }

  @Test
  void theLogIsItsLastRecords() throws Exception {
    assertEquals(3, commands.log().lines().count());
    assertEquals(
        "SEQ  EPOCH  COMMITTED  BYTES  WHAT\n 12      4  false         40  put a (1 byte)",
        commands.log("-n", "1"));
    assertEquals("-n is 0: use 1 or more", error(() -> commands.log("-n", "0")));
  }

  @Test
  void aChangeSaysWhatIsInForce() throws Exception {
    String line = "main: epoch 4, primary n1, in sync n1,n2";
    assertEquals(line, commands.switchover());
    assertEquals(line, commands.switchover("n2"));
    assertEquals(line, commands.fail("n3", "--store", "main"));
    store.primary = null;
    store.learners = NotedStore.nodes("n3");
    assertEquals("main: epoch 4, no primary, in sync n1,n2, learners n3", commands.remove("n4"));
    assertTrue(commands.add("n4", "-o", "json").contains("\"learners\": \"n3\""));
    assertEquals(
        List.of("switchover null", "switchover n2", "fail n3", "remove n4", "add n4"),
        store.orders);
    assertTrue(error(() -> commands.add("not a node")).contains("not a node"));
    assertTrue(error(() -> commands.fail()).contains("Missing required parameter: 'NODE'"));
  }

  @Test
  void verifyFailsIfSomethingIsWrongAndStaysSo() throws Exception {
    store.copies.add(new Verification(new NodeId("n1"), 11, "ab", "", false));
    assertEquals("NODE  SEQ  DIGEST\nn1     11  ab", commands.verify());
    store.copies.add(new Verification(new NodeId("n2"), 11, "cd", "it differs", true));
    assertTrue(commands.verify("--repair").contains("it differs"));
    store.copies.add(new Verification(new NodeId("n3"), 11, "", "a block is damaged", false));
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      assertEquals(
          "n3: a block is damaged; to repair: store:verify --repair --store main",
          error(() -> commands.verify("--store", "main")));
      assertEquals("n3: a block is damaged", error(() -> commands.verify("--repair")));
    } finally {
      System.setOut(before);
    }
    assertEquals(8, printed.toString(StandardCharsets.UTF_8).lines().count());
    assertEquals(
        List.of("verify false", "verify true", "verify false", "verify true"), store.orders);
  }

  @Test
  void aForcedPromotionIsShownBeforeItIsDone() throws Exception {
    assertEquals(
        """
        n1 is down
        3 writes of n1 would be lost
        to do it: store:force-promote --store main n3 --consent c0ffee\
        """,
        last._main("force-promote", "n3", "--store", "main"));
    assertTrue(last._main("force-promote", "n3", "-o", "json").contains("\"consent\": \"c0ffee\""));
    assertEquals(List.of(), store.orders);
    assertEquals(
        "main: epoch 4, primary n1, in sync n1,n2",
        last._main("force-promote", "n3", "--consent", "c0ffee"));
    assertEquals(List.of("force-promote n3 c0ffee"), store.orders);
    assertTrue(last._main("force-promote", "--help").startsWith("Usage: store:force-promote"));
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name :
        List.of("status", "lag", "log", "switchover", "fail", "add", "remove", "verify")) {
      String help =
          (String)
              StoreAdminCommands.class
                  .getMethod(name, String[].class)
                  .invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: store:" + name), help);
      assertFalse(help.contains("\u001B"), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
