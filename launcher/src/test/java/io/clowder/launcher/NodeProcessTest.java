// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeProcessTest {
  @TempDir Path dir;

  @Test
  void aProcessIsFoundByWhatWasWritten() throws IOException {
    Path file = Files.writeString(dir.resolve("pid"), NodeProcess.current().text());
    NodeProcess read = NodeProcess.read(file);
    assertEquals(NodeProcess.current(), read);
    assertEquals(ProcessHandle.current().pid(), read.handle().orElseThrow().pid());
  }

  @Test
  void whetherANodeHasStartedIsToldApartFromThatItRuns() throws Exception {
    NodeDirectory directory = new NodeDirectory(dir.resolve("n1"));
    assertFalse(directory.hasStarted());
    FileChannel taken = directory.take();
    assertTrue(directory.process().isPresent());
    assertFalse(directory.hasStarted());
    directory.started();
    assertTrue(directory.hasStarted());
    assertEquals(ProcessHandle.current().pid(), directory.process().orElseThrow().pid());
    directory.leave(taken);
    assertFalse(directory.hasStarted());
  }

  @Test
  void aProcessThatGotTheSameIdLaterIsAnother() {
    NodeProcess self = NodeProcess.current();
    assertFalse(new NodeProcess(self.pid(), self.start() + "0").handle().isPresent());
  }

  @Test
  void anEndedProcessIsNotThere() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    assertTrue(new NodeProcess(ended.pid(), "1").handle().isEmpty());
  }

  @Test
  void aDamagedFileNamesNoProcess() throws IOException {
    assertNull(NodeProcess.read(dir.resolve("missing")));
    assertNull(NodeProcess.read(Files.writeString(dir.resolve("empty"), "")));
    assertNull(NodeProcess.read(Files.writeString(dir.resolve("words"), "one two")));
  }
}
