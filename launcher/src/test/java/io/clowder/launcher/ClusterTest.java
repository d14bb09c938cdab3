// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterTest {
  @TempDir Path temporary;

  @Test
  void settingsOfANewClusterAreEveryNodes() throws Exception {
    Path dir = temporary.resolve("c");
    Properties settings = new Properties();
    settings.setProperty("io.clowder.consensus.group~second.protocol", "paxos");
    Cluster made = Cluster.create(dir, 1, "raft", settings);
    Properties written = NodeSettings.file(made.settings());
    assertEquals("paxos", written.getProperty("io.clowder.consensus.group~second.protocol"));
    assertTrue(written.getProperty("cluster").startsWith("local-"));
  }

  @Test
  void addressesAreKept() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster made = Cluster.create(dir, 11, "raft");
    Cluster found = Cluster.open(dir);
    assertEquals(made.members(), found.members());
    assertEquals(11, found.members().values().stream().distinct().count());
    assertEquals("raft", found.protocol());
    assertEquals("n11", found.nodes().get(10).id().value());
    assertEquals("n2", found.nodes().get(1).id().value());
  }

  @Test
  void aDirectoryWithOtherFilesIsNotTaken() throws Exception {
    Files.writeString(temporary.resolve("thesis.tex"), "");
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> Cluster.create(temporary, 3, "raft"));
    assertEquals(2, failure.status());
    assertFalse(Cluster.exists(temporary));
  }

  @Test
  void aDirectoryThatCannotBeUsedIsLeftAsItWas() throws Exception {
    Path name = temporary.resolve("a,b");
    assertThrows(CommandFailure.class, () -> Cluster.requireNew(name));
    assertFalse(Files.exists(name));
    Files.writeString(temporary.resolve("thesis.tex"), "");
    assertThrows(CommandFailure.class, () -> Cluster.requireNew(temporary));
    try (var entries = Files.list(temporary)) {
      assertEquals(1, entries.count());
    }
  }

  @Test
  void aFileOfAnotherKindIsNamed() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster.create(dir, 1, "raft");
    Path file = dir.resolve("cluster.properties");
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    CommandFailure failure = assertThrows(CommandFailure.class, () -> Cluster.open(dir));
    assertEquals(file + ": not a text file in UTF-8", failure.getMessage());
    assertEquals(2, failure.status());
  }

  @Test
  void anIdIsNeverAWayOutOfTheDirectory() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster.create(dir, 1, "raft");
    Path file = dir.resolve("cluster.properties");
    Files.writeString(file, Files.readString(file).replace("n1=", "..="));
    assertThrows(CommandFailure.class, () -> Cluster.open(dir));
  }

  @Test
  void wipingLeavesWhatIsNotOurs() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster cluster = Cluster.create(dir, 1, "raft");
    Path data = Files.createDirectories(dir.resolve("n1/data/main"));
    Path outside = Files.createDirectory(temporary.resolve("outside"));
    Path kept = Files.writeString(outside.resolve("kept"), "");
    Files.createSymbolicLink(data.resolve("link"), outside);
    Path other = Files.writeString(dir.resolve("notes"), "");
    assertFalse(cluster.wipe());
    assertTrue(Files.exists(kept));
    assertTrue(Files.exists(other));
    assertFalse(Files.exists(dir.resolve("n1")));
    assertFalse(Cluster.exists(dir));
  }

  @Test
  void wipingRemovesTheDirectory() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster cluster = Cluster.create(dir, 3, "raft");
    try (FileChannel lock = Cluster.lock(dir)) {
      assertTrue(lock.isOpen());
    }
    assertTrue(cluster.wipe());
    assertFalse(Files.exists(dir));
  }

  @Test
  void anUnknownNodeIsNamedWithTheKnownOnes() throws Exception {
    Cluster cluster = Cluster.create(temporary.resolve("c"), 3, "raft");
    CommandFailure failure = assertThrows(CommandFailure.class, () -> cluster.node("n4"));
    assertEquals("unknown node 'n4'; the nodes are [n1, n2, n3]", failure.getMessage());
    assertEquals(2, failure.status());
  }

  @Test
  void aNewerFormatIsRefused() throws Exception {
    Path dir = temporary.resolve("c");
    Cluster.create(dir, 1, "raft");
    Path file = dir.resolve("cluster.properties");
    Files.writeString(file, Files.readString(file).replace("format=1", "format=2"));
    CommandFailure failure = assertThrows(CommandFailure.class, () -> Cluster.open(dir));
    assertTrue(failure.getMessage().endsWith("format 2, this version knows 1"));
  }
}
