// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.lock.TestGroup.Fate;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class LockCommandsTest {
  /** Completes at once: a command waits on the thread that would have to run it. */
  private final VirtualTimer timer = new VirtualTimer.Prompt();

  private final TestGroup group = new TestGroup();
  private final TestGroup.Node n1 = group.node("n1", timer);
  private final ReplicatedLocks locks =
      new ReplicatedLocks(n1, group.table, new NodeId("n1"), Duration.ofSeconds(2), 1, timer);
  private final LockCommands commands = new LockCommands();

  LockCommandsTest() {
    commands.bindLocks(locks, Map.of());
  }

  @Test
  void acquireSaysTheTokenAndReleaseTakesIt() throws Exception {
    assertEquals("job token 2", commands.acquire("job"));
    assertEquals("lock job is held with token 2, not 3", error(() -> commands.release("job", "3")));
    assertEquals("job released", commands.release("job", "2"));
    assertEquals("job released", commands.release("job", "2"));
    assertEquals(
        "lock job is free, and was never held with token 9",
        error(() -> commands.release("job", "9")));
    assertEquals(
        "[\n  {\"name\": \"job\", \"token\": 7}\n]", commands.acquire("job", "-o", "json"));
    assertEquals(
        "[\n  {\"name\": \"job\", \"token\": 7, \"released\": true}\n]",
        commands.release("job", "7", "-o", "json"));
  }

  @Test
  void eachGroupHasItsOwnLocks() throws Exception {
    TestGroup side = new TestGroup();
    TestGroup.Node there = side.node("n1", timer);
    ReplicatedLocks others =
        new ReplicatedLocks(there, side.table, new NodeId("n1"), Duration.ofSeconds(2), 1, timer);
    Map<String, Object> properties = Map.of("consensus.group", "side");
    assertEquals(
        "no locks of a group 'side' here; there are: main",
        error(() -> commands.acquire("job", "--group", "side")));
    commands.bindLocks(others, properties);
    assertEquals("job token 2", commands.acquire("job", "--group", "side"));
    assertEquals("job token 2", commands.acquire("job"));
    assertEquals("job released", commands.release("job", "2", "--group", "side"));
    assertEquals("job is free", commands.info("job", "--group", "side"));
    assertTrue(commands.list().contains("job"));
    commands.unbindLocks(others, properties);
    assertTrue(error(() -> commands.list("--group", "side")).contains("there are: main"));
  }

  @Test
  void aTakenLockIsAFailureOfTry() throws Exception {
    commands.acquire("job");
    assertEquals("lock job is taken", error(() -> commands.acquire("--try", "job")));
    assertEquals(
        "lock job was not free in time", error(() -> commands.acquire("job", "--wait", "0s")));
  }

  @Test
  void timesHaveAUnit() {
    LockCommands.WaitConverter converter = new LockCommands.WaitConverter();
    assertEquals(Duration.ofMillis(500), converter.convert("500ms"));
    assertEquals(Duration.ofSeconds(10), converter.convert("10s"));
    assertEquals(Duration.ofMinutes(2), converter.convert("2m"));
    assertEquals(Duration.ofHours(1), converter.convert("1h"));
    for (String wrong : List.of("", "10", "s", "-1s", "1.5s", "1d", "9999999999s")) {
      assertThrows(IllegalArgumentException.class, () -> converter.convert(wrong));
    }
    assertEquals("--wait is over 9m", error(() -> commands.acquire("job", "--wait", "1h")));
    assertTrue(
        error(() -> commands.acquire("job", "--wait", "soon"))
            .contains("write a time as 500ms, 10s, 2m or 1h"));
    assertTrue(
        error(() -> commands.acquire("job", "--wait", "1s", "--try"))
            .contains("mutually exclusive"));
  }

  @Test
  void infoShowsTheHolderAndTheQueue() throws Exception {
    assertEquals("job is free", commands.info("job"));
    assertEquals("[]", commands.info("job", "-o", "json"));
    commands.acquire("job");
    locks.acquire("job", Duration.ofSeconds(1));
    assertEquals(
        "NAME  TOKEN  NODE  SESSION  SINCE                 WAITERS\n"
            + "job       2  n1    100      1970-01-01T00:00:02Z  n1",
        commands.info("job"));
    assertEquals(
        "[\n  {\"name\": \"job\", \"token\": 2, \"node\": \"n1\", \"session\": \"100\","
            + " \"since\": \"1970-01-01T00:00:02Z\", \"waiters\": \"n1\"}\n]",
        commands.info("job", "-o", "json"));
  }

  @Test
  void listIsATableByName() throws Exception {
    assertEquals("NAME  TOKEN  NODE  SINCE  WAITERS", commands.list());
    commands.acquire("b/1");
    commands.acquire("b/2");
    commands.acquire("a");
    assertEquals(
        """
        NAME  TOKEN  NODE  SINCE                 WAITERS
        b/1       2  n1    1970-01-01T00:00:02Z        0
        b/2       3  n1    1970-01-01T00:00:03Z        0""",
        commands.list("b/"));
    assertEquals(2, commands.list("--limit", "1").lines().count());
    assertTrue(commands.list("--after", "b/1").contains("b/2"));
    assertEquals(
        3, commands.list("-o", "json").lines().filter(line -> line.contains("name")).count());
    assertEquals("a list of 0: use 1 to 1000", error(() -> commands.list("--limit", "0")));
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
    for (String name : List.of("acquire", "release", "list", "info")) {
      Method function = LockCommands.class.getMethod(name, String[].class);
      String help = (String) function.invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: lock:" + name), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
