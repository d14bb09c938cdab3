// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A directory of the real file system. Files may be used by different threads, each by one. */
final class FileDisk implements Disk {
  /** What a durable write copies and writes at once. */
  static final int STAGING_BYTES = 256 << 10;

  private final Path root;
  private final SyncMode mode;
  private final ConcurrentLinkedQueue<ByteBuffer> stagings = new ConcurrentLinkedQueue<>();

  private FileDisk(Path root, SyncMode mode) {
    this.root = root;
    this.mode = mode;
  }

  /** Uses an existing directory, in the fastest way in which its file system writes durably. */
  static FileDisk open(Path directory) throws IOException {
    return open(directory, SyncMode.of(directory));
  }

  /** Uses an existing directory in a given way. */
  static FileDisk open(Path directory, SyncMode mode) throws IOException {
    return new FileDisk(directory.toRealPath(), mode);
  }

  /** Makes the name of a new directory durable, and of those above it in its file system. */
  static void syncAbove(Path directory) throws IOException {
    Path at = directory.toRealPath();
    FileStore store = Files.getFileStore(at);
    for (Path above = at.getParent();
        above != null && Files.isReadable(above) && Files.getFileStore(above).equals(store);
        above = above.getParent()) {
      sync(above);
    }
  }

  SyncMode mode() {
    return mode;
  }

  @Override
  public File open(String path, boolean create) throws IOException {
    Path file = resolve(path);
    FileChannel channel =
        create
            ? FileChannel.open(
                file,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE_NEW)
            : FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    return new ChannelFile(this, file, channel);
  }

  @Override
  public void makeDirectory(String path) throws IOException {
    Path at = root;
    for (Path name : root.relativize(resolve(path))) {
      Path parent = at;
      at = at.resolve(name);
      if (!Files.isDirectory(at)) {
        Files.createDirectory(at);
      }
      // Also if it was there: whoever made it may have been killed before it was durable.
      sync(parent);
    }
  }

  @Override
  public List<String> list(String path) throws IOException {
    try (Stream<Path> entries = Files.list(resolve(path))) {
      return entries.map(entry -> String.valueOf(entry.getFileName())).sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void rename(String source, String target) throws IOException {
    Files.move(
        resolve(source),
        resolve(target),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(String path) throws IOException {
    Files.deleteIfExists(resolve(path));
  }

  @Override
  public void syncDirectory(String path) throws IOException {
    sync(resolve(path));
  }

  @Override
  public long freeBytes() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  /** A buffer for durable writes; buffers outlive files, for freeing them is the collector's. */
  ByteBuffer takeStaging() {
    @Nullable ByteBuffer buffer = stagings.poll();
    return buffer == null ? SyncMode.buffer(STAGING_BYTES) : buffer;
  }

  void giveBack(ByteBuffer buffer) {
    stagings.add(buffer);
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private Path resolve(String path) {
    if (path.isEmpty()) {
      return root;
    }
    for (String name : path.split("/", -1)) {
      if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('\\') >= 0) {
        throw new IllegalArgumentException("not a path below the directory: '" + path + "'");
      }
    }
    return root.resolve(path);
  }
}
