// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a file system makes one write durable, the cheapest first. */
enum SyncMode {
  /** Past the page cache, durable when the call returns: 0.1 ms also when the cores are busy. */
  DIRECT,
  /** Through the page cache, durable when the call returns. */
  DSYNC,
  /** A write, and then a call that flushes the file. */
  FORCE;

  private static final Logger LOG = LoggerFactory.getLogger(SyncMode.class);
  private static final @Nullable OpenOption DIRECT_OPTION = directOption();

  /** Tries them in a directory, by writing a block to a file that is removed again. */
  static SyncMode of(Path directory) throws IOException {
    // One name, so that no crash leaves more than one.
    Path probe = directory.resolve("probe");
    Files.deleteIfExists(probe);
    try {
      Files.createFile(probe);
      for (SyncMode mode : List.of(DIRECT, DSYNC)) {
        if (mode.works(probe)) {
          LOG.info("{}: durable writes by {}", directory, mode);
          return mode;
        }
      }
    } catch (IOException e) {
      if (!DiskFull.causes(e)) {
        throw e;
      }
    } finally {
      Files.deleteIfExists(probe);
    }
    LOG.info("{}: durable writes by {}", directory, FORCE);
    return FORCE;
  }

  /** A channel for durable writes; for {@link #FORCE}, they have to be flushed. */
  FileChannel open(Path path) throws IOException {
    if (this == DIRECT && DIRECT_OPTION != null) {
      return FileChannel.open(
          path, StandardOpenOption.WRITE, StandardOpenOption.DSYNC, DIRECT_OPTION);
    }
    return this == DSYNC
        ? FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)
        : FileChannel.open(path, StandardOpenOption.WRITE);
  }

  /** A buffer that direct writes accept. */
  static ByteBuffer buffer(int size) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(size + Blocks.BLOCK);
    return buffer.alignedSlice(Blocks.BLOCK).limit(size).slice();
  }

  private boolean works(Path probe) {
    if (this == DIRECT && DIRECT_OPTION == null) {
      return false;
    }
    try (FileChannel channel = open(probe)) {
      // The second block shows whether the file system's blocks are larger than ours.
      for (int block = 1; block >= 0; block--) {
        ByteBuffer zeros = buffer(Blocks.BLOCK);
        if (channel.write(zeros, (long) block * Blocks.BLOCK) != Blocks.BLOCK) {
          return false;
        }
      }
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      // A full disk got as far as to look for room.
      return e instanceof IOException io && DiskFull.causes(io);
    }
  }

  /**
   * The option is in a package of the JDK that frameworks need not export to bundles, and that
   * other runtimes need not have: it is looked up by name.
   */
  private static @Nullable OpenOption directOption() {
    try {
      Class<?> options =
          ClassLoader.getPlatformClassLoader().loadClass("com.sun.nio.file.ExtendedOpenOption");
      for (Object option : options.getEnumConstants()) {
        if (option.toString().equals("DIRECT") && option instanceof OpenOption direct) {
          return direct;
        }
      }
    } catch (ClassNotFoundException e) {
      LOG.debug("no direct writes in this runtime", e);
    }
    return null;
  }
}
