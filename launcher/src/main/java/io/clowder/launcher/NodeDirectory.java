// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A node's directory: {@code data/} is its promise to the cluster, {@code etc/} its configuration,
 * {@code bundle/} its plug-ins, {@code log/} what happened; {@code cache/} and {@code tmp/} are
 * made anew at each start.
 *
 * @param root an absolute path
 */
record NodeDirectory(Path root) {
  private static final String STARTED = "started\n";

  Path etc() {
    return root.resolve("etc");
  }

  Path plugins() {
    return root.resolve("bundle");
  }

  Path data() {
    return root.resolve("data");
  }

  Path cache() {
    return root.resolve("cache");
  }

  Path temporary() {
    return root.resolve("tmp");
  }

  /** What the process says outside its log: at most the reason why it could not start. */
  Path console() {
    return root.resolve("log").resolve("console");
  }

  SocketFile socket() {
    return new SocketFile(root);
  }

  private Path pid() {
    return root.resolve("pid");
  }

  /**
   * Makes the folders, and the configuration files that the distribution has and this one lacks.
   */
  void prepare(Path defaults) throws IOException {
    for (Path folder : List.of(etc(), plugins(), data(), console().getParent(), temporary())) {
      Files.createDirectories(folder);
    }
    for (Path file : Distribution.files(defaults, "*.cfg")) {
      Path own = etc().resolve(file.getFileName());
      if (!Files.exists(own)) {
        Files.copy(file, own);
      }
    }
  }

  /** Refuses a name that File Install would take for several directories, or for a variable. */
  static void requireUsable(Path dir) throws CommandFailure {
    if (dir.toString().matches("(?s).*[,$].*")) {
      throw CommandFailure.usage(dir + ": use a directory without ',' or '$' in its name");
    }
  }

  /**
   * Takes the directory for this process, and says so in the file {@code pid}.
   *
   * @return what holds it: keep it and give it to {@link #leave}; once it is closed, or collected
   *     as garbage, another process can have the directory
   * @throws CommandFailure if another process has it
   */
  FileChannel take() throws IOException, CommandFailure {
    Files.createDirectories(root);
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!lock(channel)) {
      String holder = process().map(handle -> " (process " + handle.pid() + ")").orElse("");
      channel.close();
      throw CommandFailure.usage(
          root + " is in use by another node" + holder + "; stop it or choose another directory");
    }
    clear(temporary());
    write(NodeProcess.current().text());
    return channel;
  }

  private void write(String process) throws IOException {
    Path draft = root.resolve("pid.new");
    Files.writeString(draft, process);
    Files.move(draft, pid(), StandardCopyOption.ATOMIC_MOVE);
  }

  /** This process has started, with all that is configured. */
  void started() throws IOException {
    write(NodeProcess.current().text() + STARTED);
  }

  /** Whether the process that runs in this directory has; it answers before. */
  boolean hasStarted() throws IOException {
    try {
      return Files.readString(pid()).endsWith(STARTED);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** This process has ended in good order. */
  void leave(FileChannel taken) throws IOException {
    Files.deleteIfExists(pid());
    taken.close();
  }

  /** The process that runs in this directory, if one does. */
  Optional<ProcessHandle> process() throws IOException {
    NodeProcess process = NodeProcess.read(pid());
    return process == null ? Optional.empty() : process.handle();
  }

  /** Removes a folder with all that is in it; links are removed, not followed. */
  static void clear(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }
}
