// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.lock.TestGroup.Fate;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class LockCommandsTest {
  /** Completes at once: a command waits on the thread that would have to run it. */
  private final VirtualTimer timer = new VirtualTimer.Prompt();

  private final TestGroup group = new TestGroup();
  private final TestGroup.Node n1 = group.node("n1", timer);
  private final BundleLocks locks = locks(group, n1);
  private final LockCommands commands = new LockCommands();

  private BundleLocks locks(TestGroup of, TestGroup.Node node) {
    return new ReplicatedLocks(
            node, of.table, of.events, node.id, LockSetting.of(Duration.ofSeconds(2)), 1, timer)
        .enter("shell");
  }

  LockCommandsTest() {
    commands.bindLocks(locks, Map.of());
  }

  @Test
  void acquireSaysTheTokenAndReleaseTakesIt() throws Exception {
    assertEquals("job token 3", commands.acquire("job"));
    assertEquals("lock job is held with token 3, not 4", error(() -> commands.release("job", "4")));
    assertEquals("job released", commands.release("job", "3"));
    assertEquals("job released", commands.release("job", "3"));
    assertEquals("lock job was never held with token 9", error(() -> commands.release("job", "9")));
    assertEquals(
        "[\n  {\"name\": \"job\", \"token\": 8}\n]", commands.acquire("job", "-o", "json"));
    assertEquals(
        "[\n  {\"name\": \"job\", \"token\": 8, \"released\": true}\n]",
        commands.release("job", "8", "-o", "json"));
  }

  @Test
  void eachGroupHasItsOwnLocks() throws Exception {
    TestGroup side = new TestGroup();
    TestGroup.Node there = side.node("n1", timer);
    BundleLocks others = locks(side, there);
    Map<String, Object> properties = Map.of("consensus.group", "side");
    assertEquals(
        "no locks of a group 'side' here; there are: main",
        error(() -> commands.acquire("job", "--group", "side")));
    commands.bindLocks(others, properties);
    assertEquals("job token 3", commands.acquire("job", "--group", "side"));
    assertEquals("job token 3", commands.acquire("job"));
    assertEquals("job released", commands.release("job", "3", "--group", "side"));
    assertEquals("job is free", commands.info("job", "--group", "side"));
    assertTrue(commands.list().contains("job"));
    commands.unbindLocks(others, properties);
    assertTrue(error(() -> commands.list("--group", "side")).contains("there are: main"));
  }

  @Test
  void aWaitHasALimitAndAUnit() {
    assertEquals("--wait is over 9m", error(() -> commands.acquire("job", "--wait", "1h")));
    assertTrue(
        error(() -> commands.acquire("job", "--wait", "soon")).contains("write a time as 500ms"));
    assertTrue(
        error(() -> commands.acquire("job", "--wait", "1s", "--try"))
            .contains("mutually exclusive"));
  }

  @Test
  void aTakenLockIsAFailureOfTry() throws Exception {
    commands.acquire("job");
    assertEquals("lock job is taken", error(() -> commands.acquire("--try", "job")));
    assertEquals(
        "lock job was not free in time", error(() -> commands.acquire("job", "--wait", "0s")));
  }

  @Test
  void infoShowsTheHolderAndTheQueue() throws Exception {
    assertEquals("job is free", commands.info("job"));
    assertEquals("[]", commands.info("job", "-o", "json"));
    commands.acquire("job");
    locks.acquire("job", Duration.ofSeconds(1));
    String table = commands.info("job");
    assertEquals(
        """
        NAME  STATE  MODE       TOKEN  NODE  BUNDLE  SESSION  AGE PRIORITY  NOTE
        job   held   exclusive      3  n1    shell   100      AGE -
        job   waits  exclusive      -  n1    shell   100      AGE 0""",
        withoutAges(table));
    assertTrue(
        commands
            .info("job", "-o", "json")
            .contains(
                "\"token\": 3, \"node\": \"n1\", \"bundle\": \"shell\", \"session\": \"100\""));
  }

  @Test
  void listIsATableByName() throws Exception {
    assertTrue(commands.list().startsWith("NAME"));
    commands.acquire("b/1");
    commands.acquire("b/2", "--permits", "2/5");
    commands.acquire("a", "--shared");
    assertEquals(
        """
        NAME  MODE       TOKEN  NODE  BUNDLE  AGE HOLDERS  WAITERS
        b/1   exclusive      3  n1    shell   AGE 1        0
        b/2   2/5            4  n1    shell   AGE 1        0""",
        withoutAges(commands.list("b/")));
    assertEquals(2, commands.list("--limit", "1").lines().count());
    assertTrue(commands.list("--after", "b/1").contains("b/2"));
    assertEquals(
        3, commands.list("-o", "json").lines().filter(line -> line.contains("name")).count());
    assertEquals("a list of 0: use 1 to 1000", error(() -> commands.list("--limit", "0")));
    assertTrue(
        error(() -> commands.acquire("x", "--permits", "many")).contains("write permits as 1/5"));
    assertEquals(
        "--shared and --permits do not go together",
        error(() -> commands.acquire("x", "--permits", "1/2", "--shared")));
  }

  @Test
  void revokingShowsFirstWhoseItIs() throws Exception {
    commands.acquire("job");
    String asked = error(() -> commands.revoke("job", "3", "--reason", "stuck"));
    assertTrue(asked.startsWith("shell on n1 has held job for "), asked);
    assertTrue(asked.endsWith("; add --yes to take it away"), asked);
    assertEquals(
        "nobody holds job with token 4; add --yes to take it away",
        error(() -> commands.revoke("job", "4", "--reason", "stuck")));
    assertTrue(error(() -> commands.revoke("job", "3")).contains("--reason"));
    assertEquals("job revoked", commands.revoke("job", "3", "--reason", "stuck", "--yes"));
    assertEquals("job is free", commands.info("job"));
    String history = commands.history("job");
    assertTrue(
        history.lines().toList().get(2).matches(".* revoked +job +3 +n1 +shell +stuck"), history);
    assertEquals(2, commands.history("--limit", "1").lines().count());
    assertEquals("--limit is 0: use 1 or more", error(() -> commands.history("--limit", "0")));
  }

  @Test
  void sessionsShowWhatEachBundleHas() throws Exception {
    commands.acquire("job");
    locks.acquire("job", Duration.ofSeconds(1));
    assertEquals(
        """
        NODE  BUNDLE  SESSION  AGE HOLDS  WAITS
        n1    shell   100      AGE 1      1""",
        withoutAges(commands.sessions()));
    assertEquals("n1 is next for job", commands.promote("job", "n1"));
    assertEquals("nobody on n2 waits for lock job", error(() -> commands.promote("job", "n2")));
    assertTrue(commands.info("job").contains("asked to give way"));
  }

  /** Ages depend on when this runs. */
  private static String withoutAges(String table) {
    return table
        .replaceAll("[0-9]+h[0-9ms.]* *", "AGE      ")
        .lines()
        .map(line -> line.replaceAll("(^|  )AGE +", "$1AGE ").stripTrailing())
        .collect(Collectors.joining("\n"));
  }

  @Test
  void aGroupThatDoesNotAnswerIsSaidInOneLine() {
    n1.always(Fate.LOST);
    assertEquals(
        "no answer from the group in time; the request for lock job is withdrawn",
        error(() -> commands.acquire("job")));
    assertEquals("no answer from the leader", error(() -> commands.release("job", "5")));
  }

  @Test
  void wrongWordsAreOneLineThatNamesTheHelp() {
    assertEquals(
        "Missing required parameter: 'TOKEN' (try: lock:release --help)",
        error(() -> commands.release("job")));
    assertTrue(error(() -> commands.release("job", "x")).contains("'x' is not a long"));
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name :
        List.of("acquire", "release", "revoke", "promote", "list", "info", "sessions", "history")) {
      Method function = LockCommands.class.getMethod(name, String[].class);
      String help = (String) function.invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: lock:" + name), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
