// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.lock.Fence;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.WriteOptions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StoreCommandsTest {
  private final NotedStore store = new NotedStore("orders");
  private final StoreCommands commands = new StoreCommands();

  StoreCommandsTest() {
    commands.bindStore(store);
  }

  @Test
  void putSaysTheVersionAndGetTheValueAlone() throws Exception {
    assertEquals("a = 1 (version 1)", commands.put("a", "1"));
    assertEquals("1", commands.get("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"value\": \"2\", \"base64\": null, \"version\": 2}\n]",
        commands.put("a", "2", "-o", "json"));
    assertEquals("no such key: b", error(() -> commands.get("b")));
  }

  @Test
  void casAndDeleteSayWhatTheyDid() throws Exception {
    assertEquals("a = x (version 1)", commands.cas("a", "0", "x"));
    assertEquals("a has 1", error(() -> commands.cas("a", "5", "y")));
    assertTrue(error(() -> commands.cas("a", "one", "y")).contains("'one' is not a long"));
    assertEquals("a deleted", commands.delete("a"));
    assertEquals("a was not there", commands.delete("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"deleted\": false}\n]", commands.delete("-o", "json", "a"));
  }

  @Test
  void whatIsNotTextIsShownEscapedAndAsBase64() throws Exception {
    store.set("a", (byte) 'x', (byte) 0xFF);
    assertEquals("x\\xff", commands.get("a"));
    assertTrue(commands.get("a", "-o", "json").contains("\"value\": null, \"base64\": \"eP8=\""));
    store.set("a", "x".repeat(1000));
    assertTrue(commands.scan().contains("x".repeat(60) + "… (1000 bytes)"), commands.scan());
  }

  @Test
  void writesCarryTheirFenceAndTheirName() throws Exception {
    commands.put("a", "1");
    commands.put("a", "2", "--fence", "db:orders:7");
    commands.delete("--request=-8:1", "a");
    commands.cas("a", "0", "3", "--request", "8:2", "--fence", "job:1");
    assertEquals(
        List.of(
            WriteOptions.NONE,
            WriteOptions.fenced(new Fence("db:orders", 7)),
            WriteOptions.named(new RequestId(-8, 1)),
            new WriteOptions(new Fence("job", 1), new RequestId(8, 2))),
        store.writes);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--fence job | '--fence': 'job' is not RESOURCE:TOKEN",
        "--request 7 | '--request': '7' is not CLIENT:NUMBER",
        "--request a:1 | '--request': 'a:1' is not CLIENT:NUMBER",
        "--request 1:2:3 | '--request': '1:2:3' is not CLIENT:NUMBER",
        "--request 0:1 | '--request': the client is 0: draw a random number"
      })
  void whatCannotGoWithAWriteIsOneLine(String words, String problem) {
    String[] options = words.strip().split(" ");
    assertEquals(
        "Invalid value for option " + problem.strip() + " (try: store:put --help)",
        error(() -> commands.put("a", "1", options[0], options[1])));
    assertEquals(List.of(), store.writes);
  }

  @Test
  void readsAreLinearizableUnlessAskedOtherwise() throws Exception {
    store.set("a", "1");
    commands.get("a");
    commands.get("--local", "a");
    commands.get("--consistency", "bounded:250", "a");
    commands.scan("--consistency=local", "nothing");
    assertEquals(
        List.of(
            Freshness.LINEARIZABLE,
            Freshness.LOCAL,
            Freshness.bounded(Duration.ofMillis(250)),
            Freshness.LOCAL),
        store.reads);
    assertTrue(
        error(() -> commands.get("--local", "--consistency", "local", "a"))
            .contains("mutually exclusive"));
    for (String wrong : List.of("strong", "bounded", "bounded:-1", "bounded:x")) {
      assertEquals(
          "Invalid value for option '--consistency': '%s' is not linearizable, bounded:MILLIS or local (try: store:get --help)"
              .formatted(wrong),
          error(() -> commands.get("a", "--consistency", wrong)));
    }
    for (String wrong : List.of("bounded:0", "bounded:86400001")) {
      assertTrue(
          error(() -> commands.get("a", "--consistency", wrong))
              .contains("'" + wrong + "': use a millisecond to a day"));
    }
  }

  @Test
  void scanGoesOnAfterAShortPage() throws Exception {
    for (int i = 0; i < 5; i++) {
      store.set("k" + i, "v");
    }
    assertEquals(6, commands.scan("k").lines().count());
    assertEquals(4, commands.scan("k", "--limit", "3").lines().count());
    assertEquals(
        "KEY  VALUE  VERSION\nk3   v            4\nk4   v            5",
        commands.scan("--after", "k2"));
    assertEquals("[]", commands.scan("none", "-o", "json"));
  }

  @Test
  void theOnlyStoreIsMeantOrTheUsualOneOrTheNamedOne() throws Exception {
    store.set("a", "1");
    assertEquals("1", commands.get("a"));
    assertEquals(
        "no store 'main' here; there are: orders",
        error(() -> commands.get("a", "--store", "main")));
    NotedStore stock = new NotedStore("stock");
    commands.bindStore(stock);
    stock.set("a", "2");
    assertEquals("2", commands.get("a", "--store", "stock"));
    assertEquals(
        "say which store by --store; there are: orders, stock", error(() -> commands.get("a")));
    NotedStore main = new NotedStore("main");
    main.set("a", "3");
    commands.bindStore(main);
    assertEquals("3", commands.get("a"));
  }

  @Test
  void withoutAStoreTheWayToOneIsShown() {
    commands.unbindStore(store);
    assertEquals(
        "no store is configured here; the configuration io.clowder.replication~NAME makes one",
        error(() -> commands.put("a", "1")));
    assertEquals(
        "no store is configured here; the configuration io.clowder.replication~x makes one",
        error(() -> commands.put("a", "1", "--store", "x")));
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name : List.of("put", "get", "delete", "cas", "scan")) {
      String help =
          (String)
              StoreCommands.class
                  .getMethod(name, String[].class)
                  .invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: store:" + name), help);
      assertTrue(help.contains("--store"), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
