// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.dht.Dht;
import io.clowder.api.dht.Dht.Reading;
import io.clowder.api.dht.DhtEntry;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.StoreOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DhtCommandsTest {
  private final NotedDht ring = new NotedDht("main");
  private final KnownRings rings = ring.known();
  private final DhtCommands commands = new DhtCommands(rings);

  @Test
  void putSaysTheVersionAndGetTheValueAlone() throws Exception {
    assertEquals("a = 1 (version 7.1)", commands.put("a", "1"));
    assertEquals("1", commands.get("a"));
    assertEquals(
        "[\n  {\"key\": \"a\", \"value\": \"1\", \"base64\": null, \"version\": \"7.1\","
            + " \"left_ms\": null}\n]",
        commands.get("a", "-o", "json"));
    assertEquals("no such key: b", error(() -> commands.get("b", "--any")));
    assertEquals(List.of(Reading.NEWEST, Reading.NEWEST, Reading.ANY), ring.reads);
  }

  @Test
  void writesCarryTheirOptions() throws Exception {
    commands.put("a", "1", "--ttl", "2h", "--copies", "3", "--if-version", "0.0");
    assertEquals(
        "the key has version 7.1", error(() -> commands.put("a", "1", "--if-version", "7.ff")));
    assertEquals("a removed", commands.remove("a", "--if-version", "7.1"));
    assertEquals("a was not there", commands.remove("a"));
    assertEquals(
        List.of(
            new StoreOptions(DhtVersion.NONE, Duration.ofHours(2), 3),
            new StoreOptions(new DhtVersion(7, 255), null, 0),
            new StoreOptions(new DhtVersion(7, 1), null, 0),
            StoreOptions.USUAL),
        ring.writes);
  }

  @Test
  void whatIsNotTextIsShownEscapedAndAsBase64() throws Exception {
    byte[] value = {'x', (byte) 0xFF};
    ring.set("a", new DhtEntry(value, new DhtVersion(1, 1), Duration.ofMillis(1500)));
    assertEquals("x\\xff", commands.get("a"));
    String json = commands.get("a", "-o", "json");
    assertTrue(json.contains("\"value\": null, \"base64\": \"eP8=\""), json);
    assertTrue(json.contains("\"left_ms\": 1500"), json);
  }

  @Test
  void aKeyMayBeHexadecimal() throws Exception {
    commands.put("--hex", "6162", "1");
    assertEquals("1", commands.get("ab"));
    assertEquals(
        "the key 'xyz' is not hexadecimal: use two digits of 0-9, a-f for each byte",
        error(() -> commands.get("--hex", "xyz")));
    assertEquals("the key has 0 bytes: use 1 to 1024", error(() -> commands.get("")));
    assertEquals(
        "the key has 1025 bytes: use 1 to 1024", error(() -> commands.get("x".repeat(1025))));
    assertEquals(
        "the key holds half of a character: say it by --hex", error(() -> commands.get("\uD800")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--ttl soon | Invalid value for option '--ttl': 'soon': write a time as 500ms, 10s, 2m, 1h or 7d (try: dht:put --help)",
        "--ttl 4000d | a time to live of PT96000H is not 1 ms to 3650 days",
        "--ttl 0s | a time to live of PT0S is not 1 ms to 3650 days",
        "--copies 0 | --copies is 0: use 1 or more",
        "--copies two | Invalid value for option '--copies': 'two' is not an int (try: dht:put --help)",
        "--if-version 7 | Invalid value for option '--if-version': '7' is no version: copy one that was shown, such as 12.7 (try: dht:put --help)",
        "--ring x | no ring 'x' on this node; there are: main"
      })
  void whatCannotGoWithAWriteIsOneLine(String words, String problem) {
    String[] options = words.strip().split(" ");
    assertEquals(problem.strip(), error(() -> commands.put("a", "1", options[0], options[1])));
    assertEquals(List.of(), ring.writes);
  }

  @Test
  void theOwnerComesWithThoseWhoKeepTheKeyToo() throws Exception {
    assertEquals("owner n3, replicas n1,n2, epoch 7", commands.owner("a"));
    ring.epoch = 0;
    assertEquals("owner n3, replicas n1,n2", commands.owner("a"));
    String json = commands.owner("a", "-o", "json");
    assertTrue(json.contains("\"identifier\": \"8000"), json);
  }

  @Test
  void aLookupSaysHowItWentAndWhereItPassed() throws Exception {
    ring.path.addAll(NotedDht.nodes("n2", "n3"));
    assertEquals("owner n3, hops 2, timeouts 1, retries 2", commands.lookup("a"));
    assertEquals(
        """
        HOP  NODE  IDENTIFIER
          0  n1    0000000000000000000000000000000000000000
          1  n2    4000000000000000000000000000000000000000
          2  n3    c000000000000000000000000000000000000000
        owner n3, hops 2, timeouts 1, retries 2""",
        commands.lookup("--trace", "a"));
    String json = commands.lookup("a", "-o", "json");
    assertTrue(json.contains("\"path\": [{\"hop\": 0, \"node\": \"n1\""), json);
    String picture = commands.lookup("a", "--trace", "--svg");
    assertEquals(2, picture.split("class=\"hop\"", -1).length - 1, picture);
  }

  @Test
  void theOnlyRingIsMeantOrTheUsualOneOrTheNamedOne() throws Exception {
    rings.unbindRing(ring);
    NotedDht orders = new NotedDht("orders");
    rings.bindRing(orders, Map.of(Dht.NAME, "orders"));
    commands.put("a", "1");
    rings.bindRing(new NotedDht("stock"), Map.of(Dht.NAME, "stock"));
    assertEquals(
        "say which ring by --ring; there are: orders, stock", error(() -> commands.get("a")));
    assertEquals("1", commands.get("a", "--ring", "orders"));
    rings.bindRing(ring, Map.of(Dht.NAME, "main"));
    assertEquals("no such key: a", error(() -> commands.get("a")));
    assertEquals(
        "ring orders stops, or starts: try again",
        error(() -> commands.lookup("a", "--svg", "--ring", "orders")));
  }

  @Test
  void withoutARingTheWayToOneIsShown() {
    rings.unbindRing(ring);
    assertEquals(
        "no ring on this node: configure io.clowder.dht~NAME", error(() -> commands.get("a")));
    assertEquals(
        "no ring on this node: configure io.clowder.dht~x",
        error(() -> commands.get("a", "--ring", "x")));
  }

  @Test
  void everyCommandHasHelp() throws Exception {
    for (String name : List.of("put", "get", "remove", "owner", "lookup")) {
      String help =
          (String)
              DhtCommands.class
                  .getMethod(name, String[].class)
                  .invoke(commands, (Object) new String[] {"--help"});
      assertTrue(help.startsWith("Usage: dht:" + name), help);
      assertTrue(help.contains("--ring") && help.contains("KEY"), help);
    }
  }

  private static String error(Executable command) {
    return assertThrows(Exception.class, command).getMessage();
  }
}
