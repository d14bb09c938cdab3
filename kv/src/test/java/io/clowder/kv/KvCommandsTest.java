// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.consensus.ReadConsistency;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class KvCommandsTest {
  private final LocalConsensus consensus = new LocalConsensus(new KvMachine());
  private final ReplicatedKv store = new ReplicatedKv(consensus, Duration.ofSeconds(1));
  private final KvCommands commands = new KvCommands();

  KvCommandsTest() {
    commands.bindStore(store, Map.of());
  }

  @Test
  void putSaysTheVersionAndGetTheValueAlone() throws Exception {
    assertEquals("a = 1 (version 1)", commands.put("a", "1"));
    assertEquals("1", commands.get("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"value\": \"2\", \"base64\": null, \"version\": 2}\n]",
        commands.put("a", "2", "-o", "json"));
    assertEquals("a = - (version 3)", commands.put("a", "--", "-"));
  }

  @Test
  void aLongValueIsCutOnALineButNotByGet() throws Exception {
    String value = "x".repeat(1000);
    String cut = "x".repeat(60) + "… (1000 bytes)";
    assertEquals("a = " + cut + " (version 1)", commands.put("a", value));
    assertTrue(commands.list().endsWith(cut + "        1"), commands.list());
    assertEquals(value, commands.get("a"));
    assertTrue(commands.list("-o", "json").contains(value));
  }

  @Test
  void eachGroupHasItsOwnMap() throws Exception {
    assertEquals(
        "no map of a group 'side' here; there are: main",
        error(() -> commands.get("a", "--group", "side")));
    ReplicatedKv side =
        new ReplicatedKv(new LocalConsensus(new KvMachine()), Duration.ofSeconds(1));
    commands.bindStore(side, Map.of("consensus.group", "side"));
    commands.put("a", "1");
    commands.put("a", "2", "--group", "side");
    assertEquals("1", commands.get("a"));
    assertEquals("2", commands.get("--group", "side", "a"));
    commands.unbindStore(side, Map.of("consensus.group", "side"));
    assertTrue(error(() -> commands.delete("a", "--group", "side")).contains("main"));
  }

  @Test
  void anAbsentKeyIsAFailureOfGet() {
    assertEquals("no such key: a", error(() -> commands.get("a")));
    assertEquals("no such key: a", error(() -> commands.get("-o", "json", "a")));
  }

  @Test
  void deleteSaysWhetherItWasThere() throws Exception {
    commands.put("a", "1");
    assertEquals("a deleted", commands.delete("a"));
    assertEquals("a was not there", commands.delete("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"deleted\": false}\n]", commands.delete("-o", "json", "a"));
  }

  @Test
  void casSetsTheExpectedVersionOnly() throws Exception {
    assertEquals("a = x (version 1)", commands.cas("a", "0", "x"));
    assertEquals("a has version 1, not 5", error(() -> commands.cas("a", "5", "y")));
    assertEquals("a = y (version 3)", commands.cas("a", "1", "y"));
    assertTrue(error(() -> commands.cas("a", "one", "y")).contains("'one' is not a long"));
  }

  @Test
  void aFenceRefusesWritesWithASmallerToken() throws Exception {
    assertEquals("a = 1 (version 1)", commands.put("a", "1", "--fence", "job:5"));
    assertEquals("a = 2 (version 2)", commands.put("--fence=job:6", "a", "2"));
    String message = "token 5 is stale: resource job has seen 6";
    assertEquals(message, error(() -> commands.put("a", "late", "--fence", "job:5")));
    assertEquals(message, error(() -> commands.cas("a", "2", "late", "--fence", "job:5")));
    assertEquals(message, error(() -> commands.delete("a", "--fence", "job:5")));
    assertEquals("2", commands.get("a"));
    assertEquals("a = 3 (version 6)", commands.cas("a", "2", "3", "--fence", "job:6"));
    assertEquals("a deleted", commands.delete("a", "--fence", "job:7"));
    assertEquals("a = 4 (version 8)", commands.put("a", "4"));
  }

  @Test
  void aFenceIsAResourceThatMayHoldColonsAndAToken() throws Exception {
    commands.put("a", "1", "--fence", "db:orders::7");
    assertEquals(
        "token 6 is stale: resource db:orders: has seen 7",
        error(() -> commands.put("a", "2", "--fence", "db:orders::6")));
    assertEquals(
        "Invalid value for option '--fence': 'job' is not RESOURCE:TOKEN" + " (try: kv:put --help)",
        error(() -> commands.put("a", "2", "--fence", "job")));
    assertEquals(
        "Invalid value for option '--fence': the token 'x' is not a long"
            + " (try: kv:delete --help)",
        error(() -> commands.delete("a", "--fence", "7:x")));
    assertTrue(error(() -> commands.cas("a", "1", "2", "--fence", "job:")).contains("token ''"));
    assertEquals("token 0: use 1 or more", error(() -> commands.put("a", "2", "--fence", "job:0")));
    assertEquals("the resource is empty", error(() -> commands.put("a", "2", "--fence", ":7")));
    assertEquals("1", commands.get("a"));
  }

  @Test
  void listIsATableByKey() throws Exception {
    commands.put("b/1", "x");
    commands.put("b/22", "yy");
    commands.put("c", "");
    assertEquals(
        "KEY   VALUE  VERSION\nb/1   x            1\nb/22  yy           2", commands.list("b/"));
    assertEquals(
        "KEY   VALUE  VERSION\nb/22  yy           2", commands.list("b/", "--after", "b/1"));
    assertEquals("KEY  VALUE  VERSION\nb/1  x            1", commands.list("--limit", "1"));
    assertEquals("[]", commands.list("-o", "json", "none"));
    assertEquals("a list of 0: use 1 to 1000", error(() -> commands.list("--limit", "0")));
  }

  @Test
  void listGoesOnAfterAShortPage() throws Exception {
    byte[] large = new byte[Limits.VALUE_BYTES];
    Arrays.fill(large, (byte) 'v');
    for (int i = 0; i < 5; i++) {
      store.put("k" + i, large).toCompletableFuture().join();
    }
    assertEquals(5, commands.list("-o", "json").lines().filter(l -> l.contains("key")).count());
    assertEquals(
        3,
        commands.list("-o", "json", "--limit", "3").lines().filter(l -> l.contains("key")).count());
  }

  @Test
  void whatIsNotTextIsShownEscapedAndAsBase64() throws Exception {
    store.put("a", new byte[] {'x', '\\', (byte) 0xFF, 0}).toCompletableFuture().join();
    assertEquals("x\\x5c\\xff\\x00", commands.get("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"value\": null, \"base64\": \"eFz/AA==\", \"version\": 1}\n]",
        commands.get("a", "-o", "json"));
  }

  @Test
  void readsAreLinearizableUnlessAskedOtherwise() throws Exception {
    commands.put("a", "1");
    commands.get("a");
    commands.get("--local", "a");
    commands.get("--consistency", "sequential", "a");
    commands.list("--local", "nothing");
    assertEquals(
        List.of(
            ReadConsistency.LINEARIZABLE,
            ReadConsistency.LOCAL,
            ReadConsistency.SEQUENTIAL,
            ReadConsistency.LOCAL),
        consensus.asked);
    assertTrue(
        error(() -> commands.get("--local", "--consistency", "local", "a"))
            .contains("mutually exclusive"));
  }

  @Test
  void wrongWordsAreOneLineThatNamesTheHelp() {
    assertEquals(
        "Missing required parameter: 'VALUE' (try: kv:put --help)", error(() -> commands.put("a")));
    assertEquals(
        "Unknown option: '--bad' (try: kv:get --help)", error(() -> commands.get("a", "--bad")));
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name : List.of("put", "get", "delete", "cas", "list")) {
      Method function = KvCommands.class.getMethod(name, String[].class);
      String help = (String) function.invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: kv:" + name), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
