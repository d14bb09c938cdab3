// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Journal;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LocalNodeTest {
  private static final String MEMBERS = "n1=127.0.0.1:7001,n2=127.0.0.1:7002";

  @TempDir private Path temporary;

  @Test
  void isNodeAndStorage() throws IOException {
    Path directory = temporary.resolve("a/n1");
    LocalNode node = open("n1", directory);
    long incarnation = node.incarnation();
    assertEquals("n1", node.id().value());
    assertEquals("test", node.cluster());
    assertEquals(2, node.members().size());
    assertTrue(node.freeBytes() > 0);
    Journal journal = node.openJournal("main/0", (tag, bytes) -> {});
    journal.append(1, new byte[] {5}, 0, 1);
    journal.sync();
    node.close();
    assertThrows(IOException.class, journal::sync);

    LocalNode again = open("n1", directory);
    assertEquals(incarnation, again.incarnation());
    int[] records = new int[1];
    again.openJournal("main/0", (tag, bytes) -> records[0]++).close();
    assertEquals(1, records[0]);
    assertEquals(List.of("main/0"), again.journals("main"));
    again.deleteJournal("main/0");
    assertEquals(List.of(), again.journals("main"));
    again.openSnapshots("main");
    again.close();
  }

  @Test
  void anothersDirectoryIsRefusedAndNotKept() throws IOException {
    open("n1", temporary).close();
    IOException e = assertThrows(IOException.class, () -> open("n2", temporary));
    assertEquals(
        "directory "
            + temporary
            + ": belongs to node 'n1' of cluster 'test', not to node 'n2' of cluster 'test'",
        e.getMessage());
    open("n1", temporary).close();
  }

  @Test
  void aDirectoryInUseIsRefused() throws IOException {
    LocalNode node = open("n1", temporary);
    IOException e = assertThrows(IOException.class, () -> open("n1", temporary));
    assertEquals("directory " + temporary + " is in use by this process", e.getMessage());
    node.close();
    open("n1", temporary).close();
  }

  @Test
  void aDirectoryInUseByAnotherProcessIsRefused() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                DirectoryHolder.class.getName(),
                temporary.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = holder.inputReader()) {
      assertEquals("held DirectoryLock", out.readLine());
      IOException e = assertThrows(IOException.class, () -> open("n1", temporary));
      assertEquals("directory " + temporary + " is in use by another process", e.getMessage());
      // Asking did not take the lock away from its holder.
      assertThrows(IOException.class, () -> open("n1", temporary));
      holder.getOutputStream().close();
      assertEquals(0, holder.waitFor());
      open("n1", temporary).close();
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void whatIsNoDirectoryIsRefused() throws IOException {
    Path file = Files.createFile(temporary.resolve("file"));
    IOException e = assertThrows(IOException.class, () -> open("n1", file));
    assertEquals("directory: " + file + " is not a directory", e.getMessage());
    e = assertThrows(IOException.class, () -> open("n1", file.resolve("below")));
    assertTrue(e.getMessage().startsWith("directory: " + file), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void badValuesAreRefusedWithTheirKey() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> open("n3", temporary));
    assertTrue(e.getMessage().startsWith("members: "), e.getMessage());
  }

  private static LocalNode open(String id, Path directory) throws IOException {
    return LocalNode.open(NodeSettings.parse(id, "test", MEMBERS, directory.toString()));
  }
}
