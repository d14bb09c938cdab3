// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A process by its id and the moment it started, so that a process which got the id of an ended one
 * is never taken for it.
 *
 * @param pid the process id
 * @param start when it started, in the system's own terms
 */
record NodeProcess(long pid, String start) {
  /** This process. */
  static NodeProcess current() {
    ProcessHandle self = ProcessHandle.current();
    return new NodeProcess(self.pid(), startOf(self));
  }

  /**
   * Reads what {@link #text} wrote, whatever lines follow; null if the file is not there, empty or
   * damaged.
   */
  static @Nullable NodeProcess read(Path file) throws IOException {
    try {
      String[] words = Files.readString(file).split("\n", 2)[0].strip().split(" ");
      return words.length == 2 ? new NodeProcess(Long.parseLong(words[0]), words[1]) : null;
    } catch (NoSuchFileException | NumberFormatException e) {
      return null;
    }
  }

  /** One line for a file. */
  String text() {
    return pid + " " + start + "\n";
  }

  /** The process, if it is still the same one and runs. */
  Optional<ProcessHandle> handle() {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(handle -> startOf(handle).equals(start));
  }

  /**
   * Linux counts from boot, which no change of the clock moves; the platform's start time is
   * computed from the clock and serves elsewhere.
   */
  private static String startOf(ProcessHandle handle) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(handle.pid()), "stat"));
      // Field 22; the name of the program, which may hold anything, ends at the last bracket.
      return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
    } catch (IOException e) {
      return handle.info().startInstant().map(at -> at.toEpochMilli() + "ms").orElse("unknown");
    }
  }
}
