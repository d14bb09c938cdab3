// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What a durable, replicated operation cannot do without, as fast as this machine does it: one
 * write that is on the disk, one round trip on loopback. Medians, since either can be disturbed.
 */
final class MachineLimits {
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 256;
  private static final int SYNCS = 200;
  private static final int SYNCS_FIRST = 20;
  private static final long SYNC_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);
  private static final int TRIPS = 500;
  private static final int TRIPS_FIRST = 200;
  private static final int TRIP_BYTES = 100;

  private MachineLimits() {}

  /**
   * Nanoseconds that a write of 4 KiB takes until it is durable, into a file whose blocks are
   * there: past the page cache where the file system allows it, else followed by a force.
   *
   * @param folder on the disk that is meant
   */
  static long syncNanos(Path folder) throws IOException {
    Path file = Files.createTempFile(folder, "sync", ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        ByteBuffer zeros = ByteBuffer.allocateDirect(BLOCKS * BLOCK_BYTES);
        while (zeros.hasRemaining()) {
          channel.write(zeros);
        }
        channel.force(true);
      }
      try {
        return medianSync(
            file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.DSYNC, direct()), false);
      } catch (IOException | UnsupportedOperationException e) {
        // Memory file systems and some network ones have no direct writes.
        return medianSync(file, Set.of(StandardOpenOption.WRITE), true);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static long medianSync(Path file, Set<OpenOption> options, boolean force)
      throws IOException {
    // Direct writes want memory aligned to the disk's blocks.
    ByteBuffer block = ByteBuffer.allocateDirect(2 * BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
    block.limit(BLOCK_BYTES);
    long[] nanos = new long[SYNCS_FIRST + SYNCS];
    int count = 0;
    try (FileChannel channel = FileChannel.open(file, options)) {
      long begin = System.nanoTime();
      long before = begin;
      while (count < nanos.length && before - begin < SYNC_NANOS_MAX) {
        block.put(0, (byte) count).rewind();
        long offset = (long) (count % BLOCKS) * BLOCK_BYTES;
        if (channel.write(block, offset) != BLOCK_BYTES) {
          throw new IOException("short write to " + file);
        }
        if (force) {
          channel.force(false);
        }
        long after = System.nanoTime();
        nanos[count++] = after - before;
        before = after;
      }
    }
    return median(nanos, count > SYNCS_FIRST ? SYNCS_FIRST : 0, count);
  }

  /** Looked up by name, as a framework need not show bundles the package that it is in. */
  private static OpenOption direct() {
    try {
      Class<?> options =
          Class.forName(
              "com.sun.nio.file.ExtendedOpenOption", true, ClassLoader.getPlatformClassLoader());
      for (Object option : options.getEnumConstants()) {
        if (option.toString().equals("DIRECT")) {
          return (OpenOption) option;
        }
      }
    } catch (ClassNotFoundException e) {
      throw new UnsupportedOperationException("no direct writes in this Java", e);
    }
    throw new UnsupportedOperationException("no direct writes in this Java");
  }

  /** Nanoseconds that 100 bytes take to another thread and back by TCP on loopback. */
  static long roundTripNanos() throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
      try (SocketChannel channel = SocketChannel.open(server.getLocalAddress())) {
        SocketChannel other = server.accept();
        Thread echo = new Thread(() -> echo(other), "clowder-bench-echo");
        echo.setDaemon(true);
        echo.start();
        // The echo ends when it reads the end of this side.
        return medianTrip(channel);
      }
    }
  }

  private static long medianTrip(SocketChannel channel) throws IOException {
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    ByteBuffer bytes = ByteBuffer.allocateDirect(TRIP_BYTES);
    long[] nanos = new long[TRIPS_FIRST + TRIPS];
    for (int i = 0; i < nanos.length; i++) {
      long before = System.nanoTime();
      transfer(channel, bytes);
      nanos[i] = System.nanoTime() - before;
    }
    return median(nanos, TRIPS_FIRST, nanos.length);
  }

  private static void transfer(SocketChannel channel, ByteBuffer bytes) throws IOException {
    bytes.clear();
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    bytes.clear();
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new IOException("the loopback connection was closed");
      }
    }
  }

  private static void echo(SocketChannel other) {
    try (SocketChannel channel = other) {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      ByteBuffer bytes = ByteBuffer.allocateDirect(TRIP_BYTES);
      while (channel.read(bytes) >= 0) {
        bytes.flip();
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        bytes.clear();
      }
    } catch (IOException e) {
      // Closed here as well: the measuring side then says what is wrong.
    }
  }

  private static long median(long[] nanos, int from, int until) {
    Arrays.sort(nanos, from, until);
    return nanos[from + (until - from) / 2];
  }
}
