// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
  @TempDir Path dir;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "up --nodez 3 | ; did you mean --nodes? (try: clowder up --help)",
        "up --nodes | Missing required parameter for option '--nodes' (COUNT)",
        "up --nodes many | 'many' is not an int",
        "statsu | did you mean status",
        "status -o xml | Invalid value for option '--output'",
        "stop | Missing required parameter: 'NODE'",
        "node --id n1 | Missing required options",
        "swap paxos raft | Unmatched argument",
        "swap --timeout soon | 'soon' is not an int",
        "add | Missing required parameter: 'NODE=HOST:PORT'",
        "remove | Missing required parameter: 'NODE'",
        "swap --timeout 0 | --timeout 0: use 1 to 3600",
        "swap -p a=1 | -p needs the PROTOCOL",
        "swap paxos -p a | -p a: write NAME=VALUE",
        "add n4 | 'n4': write NODE=HOST:PORT",
        "add n4=here:x | the port is not a number",
        "remove - | node id '-'",
        "members -o xml | Invalid value for option '--output'",
        "bench --workload none | expected one of [put, get, lock, store",
      })
  void wrongUsageIsOneLineAndStatusTwo(String words, String expected) {
    assertEquals(2, run(words.strip().split(" ")));
    assertTrue(err.toString().contains(expected.strip()), err.toString());
    assertEquals(1, err.toString().lines().count());
    assertEquals("", out.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "status",
        "sh",
        "swap",
        "members",
        "remove n1",
        "stop n1",
        "start n1",
        "kill n1",
        "bench"
      })
  void withoutAClusterTheWayToOneIsShown(String words) {
    assertEquals(2, run((words + " --dir " + dir).split(" ")));
    assertTrue(err.toString().endsWith("make one with: clowder up\n"), err.toString());
  }

  @Test
  void downWithoutAClusterIsDone() {
    assertEquals(0, run("down", "--wipe", "--dir", dir.toString()));
    assertTrue(out.toString().contains("nothing runs"));
  }

  @Test
  void aNodeThatDoesNotRunIsSaidSo() throws Exception {
    Cluster.create(dir, 3, "raft");
    assertEquals(1, run("kill", "n2", "--dir", dir.toString()));
    assertEquals("clowder: n2 is not running; start it with: clowder start n2\n", err.toString());
    assertEquals(1, run("sh", "--dir", dir.toString(), "lb", "--help"));
    assertEquals(1, run("swap", "--node", "n2", "--dir", dir.toString()));
    assertEquals(1, run("swap", "paxos", "--dir", dir.toString()));
    assertTrue(err.toString().endsWith("no node runs; start them with: clowder up\n"));
    assertEquals(0, run("stop", "n2", "--dir", dir.toString()));
    assertEquals(2, run("stop", "n9", "--dir", dir.toString()));
  }

  @Test
  void aClusterThatIsDownHasARowForEachNode() throws Exception {
    Cluster.create(dir, 3, "raft");
    assertEquals(0, run("status", "--dir", dir.toString(), "-o", "json"));
    assertEquals(3, out.toString().lines().filter(line -> line.contains("\"down\"")).count());
  }

  @Test
  void aNodesOwnDirectoryServesItsCommands() throws Exception {
    Path etc = Files.createDirectories(dir.resolve("etc"));
    Files.writeString(etc.resolve("io.clowder.node.cfg"), "id = n2\n");
    Files.writeString(etc.resolve("io.clowder.transport.cfg"), "listen = 127.0.0.1:7000\n");
    assertEquals(0, run("status", "--dir", dir.toString(), "-o", "json"));
    assertTrue(out.toString().contains("\"node\": \"n2\", \"address\": \"127.0.0.1:7000\""));
    assertEquals(1, run("sh", "--dir", dir.toString(), "lb"));
    assertTrue(err.toString().startsWith("clowder: n2 is not running"), err.toString());
    assertEquals(2, run("start", "n2", "--dir", dir.toString()));
    assertEquals(2, run("down", "--wipe", "--dir", dir.toString()));
    assertTrue(Files.exists(etc.resolve("io.clowder.node.cfg")));
  }

  @Test
  void anEmptyDirectoryNameIsRefused() {
    assertEquals(2, run("status", "--dir", ""));
    assertEquals("clowder: --dir is empty; name a directory\n", err.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "up", "status", "sh", "swap", "members", "add", "remove", "stop", "start", "kill", "down",
        "node", "bench"
      })
  void everyCommandHasHelp(String command) {
    assertEquals(0, run(command, "--help"));
    assertTrue(out.toString().startsWith("Usage: clowder " + command), out.toString());
  }

  private int run(String... words) {
    CommandLine line = Main.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(words);
  }
}
