// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeSettingsTest {
  private static final String MEMBERS = "n1=127.0.0.1:7001,n2=127.0.0.1:7002";

  @TempDir Path temporary;

  @Test
  void configurationFilesSayWhoTheNodeIs() throws Exception {
    NodeDirectory directory = directory();
    parse("n1", "127.0.0.1:7001", MEMBERS, Map.of()).apply(directory);
    Map<String, String> node = read(directory, "io.clowder.node");
    assertEquals("n1", node.get("id"));
    assertEquals(MEMBERS, node.get("members"));
    assertEquals(directory.data().toString(), node.get("directory"));
    assertEquals("127.0.0.1:7001", read(directory, "io.clowder.transport").get("listen"));
    assertEquals("raft", read(directory, "io.clowder.consensus.group-main").get("protocol"));
  }

  @Test
  void theClustersNameComesFromTheMembersInAnyOrder() throws Exception {
    String one = parse("n1", "127.0.0.1:7001", MEMBERS, Map.of()).cluster();
    String other =
        parse("n2", "127.0.0.1:7002", "n2=127.0.0.1:7002,n1=127.0.0.1:7001", Map.of()).cluster();
    assertEquals(one, other);
    assertNotEquals(
        one, parse("n1", "127.0.0.1:7001", MEMBERS + ",n3=127.0.0.1:7003", Map.of()).cluster());
    assertEquals(
        "prod", parse("n1", "127.0.0.1:7001", MEMBERS, Map.of("cluster", "prod")).cluster());
  }

  @Test
  void whoJoinsTakesTheNameOfTheClusterThatTheOthersBegan() throws Exception {
    String founded = parse("n1", "127.0.0.1:7001", MEMBERS, Map.of()).cluster();
    Properties file = new Properties();
    file.setProperty("io.clowder.consensus.group~side.protocol", "paxos");
    NodeSettings joining =
        parse("n3", "127.0.0.1:7003", MEMBERS + ",n3=127.0.0.1:7003", true, file);
    assertEquals(founded, joining.cluster());
    NodeDirectory directory = directory();
    joining.apply(directory);
    assertEquals("true", read(directory, "io.clowder.consensus.group-main").get("join"));
    assertEquals("true", read(directory, "io.clowder.consensus.group-side").get("join"));
    CommandFailure alone =
        assertThrows(
            CommandFailure.class,
            () -> parse("n3", "127.0.0.1:7003", "n3=127.0.0.1:7003", true, new Properties()));
    assertTrue(alone.getMessage().contains("--join: name a member"), alone.getMessage());
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    refused("n3 is not among", "n3", "127.0.0.1:7001", MEMBERS);
    refused("id n1 occurs twice", "n1", "127.0.0.1:7001", "n1=127.0.0.1:7001,n1=127.0.0.1:7002");
    refused(
        "127.0.0.1:7001 occurs twice",
        "n1",
        "127.0.0.1:7001",
        "n1=127.0.0.1:7001,n2=127.0.0.1:7001");
    refused("write HOST:PORT", "n1", "7001", MEMBERS);
    refused("use 1 to 65535", "n1", "127.0.0.1:70000", MEMBERS);
    refused("write ID=HOST:PORT", "n1", "127.0.0.1:7001", "n1");
    refused("node id 'a b'", "a b", "127.0.0.1:7001", MEMBERS);
  }

  @Test
  void onlyLoopbackNeedsNoTls() throws Exception {
    NodeDirectory directory = directory();
    CommandFailure failure =
        assertThrows(
            CommandFailure.class,
            () -> parse("n1", "0.0.0.0:7001", MEMBERS, Map.of()).apply(directory));
    assertEquals(2, failure.status());
    assertTrue(failure.getMessage().contains("io.clowder.transport.tls.certificate"));
    try (var files = Files.list(directory.etc())) {
      assertEquals(0, files.count());
    }
    parse("n1", "0.0.0.0:7001", MEMBERS, Map.of("io.clowder.transport.tls.certificate", "n1.pem"))
        .apply(directory);
    assertEquals("n1.pem", read(directory, "io.clowder.transport").get("tls.certificate"));
  }

  @Test
  void anUnknownSettingIsRefusedWithTheNearestOne() {
    CommandFailure failure =
        assertThrows(
            CommandFailure.class,
            () ->
                parse(
                    "n1",
                    "127.0.0.1:7001",
                    MEMBERS,
                    Map.of("io.clowder.transport.tls.certifcate", "x")));
    assertEquals(
        "unknown setting 'io.clowder.transport.tls.certifcate'; did you mean"
            + " io.clowder.transport.tls.certificate?",
        failure.getMessage());
  }

  @Test
  void aSettingMayBeOfOneInstance() throws Exception {
    SettingsCatalog catalog = catalog();
    assertEquals(
        List.of("io.clowder.consensus.group~main", "batch.bytes"),
        catalog.split("io.clowder.consensus.group~main.batch.bytes"));
    assertTrue(catalog.knows("io.clowder.consensus.group"));
    assertFalse(catalog.knows("io.clowder.replication"));
    CommandFailure failure =
        assertThrows(
            CommandFailure.class, () -> catalog.split("io.clowder.consensus.group~main.jion"));
    assertEquals(
        "unknown setting 'io.clowder.consensus.group~main.jion'; did you mean"
            + " io.clowder.consensus.group~main.join?",
        failure.getMessage());
  }

  @Test
  void linesThatPeopleWroteStay() throws IOException {
    Path file = temporary.resolve("x.cfg");
    Files.writeString(file, "# mine\nlisten: old\\\n  more\nother = \\u0061\n");
    new ConfigFile(file).set(Map.of("listen", "c:\\d"));
    assertEquals(
        List.of("# mine", "listen = c:\\\\d", "other = \\u0061"),
        Files.readAllLines(file).subList(1, 4));
    assertEquals(Map.of("listen", "c:\\d", "other", "a"), new ConfigFile(file).read());
    assertFalse(Files.exists(temporary.resolve(".x.cfg.new")));
  }

  @Test
  void anUnknownKeyInAFileIsRefused() throws Exception {
    NodeDirectory directory = directory();
    parse("n1", "127.0.0.1:7001", MEMBERS, Map.of()).apply(directory);
    Files.writeString(directory.etc().resolve("org.example.plugin.cfg"), "any = 1\n");
    catalog().check(directory);
    Path file = directory.etc().resolve("io.clowder.consensus.group-side.cfg");
    Files.writeString(file, "service.ranking = 1\nbatch.byte = 1\n");
    CommandFailure failure = assertThrows(CommandFailure.class, () -> catalog().check(directory));
    assertEquals(
        file + ": unknown setting 'batch.byte'; known are batch.bytes, join, protocol",
        failure.getMessage());
    Files.writeString(file, "batch.bytes = many\n");
    failure = assertThrows(CommandFailure.class, () -> catalog().check(directory));
    assertEquals(file + ": batch.bytes is many: use a whole number", failure.getMessage());
    Files.writeString(file, "join = yes\n");
    failure = assertThrows(CommandFailure.class, () -> catalog().check(directory));
    assertEquals(file + ": join is yes: use true or false", failure.getMessage());
  }

  @Test
  void everyValueIsReadAsItWasWritten() throws IOException {
    Path file = temporary.resolve("x.cfg");
    Files.write(file, "# f\u00fcr mich\n".getBytes(StandardCharsets.ISO_8859_1));
    Map<String, String> values =
        Map.of("a", "/größe/日本 🐱/x y", "b", " \n\t# =:!\\", "c", "", "d", "\\u0041");
    new ConfigFile(file).set(values);
    assertEquals(values, new ConfigFile(file).read());
    // The format's own reader, which is not told of any character set.
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    }
    assertEquals(values, properties);
    assertTrue(Files.readString(file, StandardCharsets.ISO_8859_1).contains("# f\u00fcr mich\n"));
  }

  @Test
  void whatAStartNoLongerSaysIsTakenBack() throws Exception {
    NodeDirectory directory = directory();
    Path transport = directory.etc().resolve("io.clowder.transport.cfg");
    Files.writeString(transport, "own = 1\n");
    parse(
            "n1",
            "127.0.0.1:7001",
            MEMBERS,
            Map.of(
                "io.clowder.transport.tls.key", "k",
                "io.clowder.consensus.group~main.batch.bytes", "2",
                "io.clowder.consensus.group~side.batch.bytes", "3"))
        .apply(directory);
    assertEquals("k", read(directory, "io.clowder.transport").get("tls.key"));
    parse("n1", "127.0.0.1:7001", MEMBERS, Map.of()).apply(directory);
    assertEquals(
        Map.of("own", "1", "listen", "127.0.0.1:7001"), read(directory, "io.clowder.transport"));
    assertEquals(Map.of("protocol", "raft"), read(directory, "io.clowder.consensus.group-main"));
    assertFalse(Files.exists(directory.etc().resolve("io.clowder.consensus.group-side.cfg")));
  }

  private static void refused(String text, String id, String listen, String members) {
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> parse(id, listen, members, Map.of()));
    assertTrue(failure.getMessage().contains(text), failure.getMessage());
    assertEquals(2, failure.status());
  }

  private static NodeSettings parse(
      String id, String listen, String members, Map<String, String> file)
      throws CommandFailure, IOException {
    Properties properties = new Properties();
    properties.putAll(file);
    return parse(id, listen, members, false, properties);
  }

  private static NodeSettings parse(
      String id, String listen, String members, boolean join, Properties properties)
      throws CommandFailure, IOException {
    return NodeSettings.parse(
        id, listen, members, "raft", join, properties, NodeSettingsTest::catalog);
  }

  private static SettingsCatalog catalog() {
    SettingsCatalog catalog = new SettingsCatalog();
    catalog.add("io.clowder.transport", List.of("listen", "tls.certificate", "tls.key"));
    catalog.add("io.clowder.consensus.group", List.of("protocol", "batch.bytes", "join"));
    catalog.addNumber("io.clowder.consensus.group", "batch.bytes");
    catalog.addSwitch("io.clowder.consensus.group", "join");
    return catalog;
  }

  private NodeDirectory directory() throws IOException {
    NodeDirectory directory = new NodeDirectory(temporary.resolve("node"));
    directory.prepare(Files.createDirectories(temporary.resolve("defaults")));
    return directory;
  }

  private static Map<String, String> read(NodeDirectory directory, String pid) throws IOException {
    return new ConfigFile(directory.etc().resolve(pid + ".cfg")).read();
  }
}
