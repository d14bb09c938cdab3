// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs commands on a node through its shell socket. */
final class ShellClient {
  /**
   * What a command said.
   *
   * @param status 0 if it was done
   */
  record Answer(int status, String out, String err) {
    /** The first line of what went wrong. */
    String problem() {
      return err.lines().findFirst().orElse("exit status " + status);
    }
  }

  /** Enough for a node that is busy or collects garbage. */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private final SocketFile file;

  ShellClient(SocketFile file) {
    this.file = file;
  }

  /**
   * Runs a line; its output goes to the streams as it comes. The command may take its time, the
   * node may not.
   *
   * @param patience how long to wait for the node to take the line
   * @return the exit status
   */
  int run(String line, OutputStream out, OutputStream err, Duration patience) throws IOException {
    UnixDomainSocketAddress address = file.address();
    AtomicBoolean late = new AtomicBoolean();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      CompletableFuture<Void> taken = new CompletableFuture<>();
      thread(() -> watch(channel, taken, patience, late));
      channel.connect(address);
      return exchange(channel, line, out, err, () -> taken.complete(null));
    } catch (EOFException | ClosedChannelException e) {
      throw new IOException(
          late.get()
              ? "the node does not answer; see: clowder status"
              : "the node ended the connection before the command was done",
          e);
    }
  }

  /** Ends a connection to a node that takes no requests: stopped, or out of threads. */
  private static void watch(
      SocketChannel channel, CompletableFuture<Void> taken, Duration patience, AtomicBoolean late) {
    try {
      taken.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException | InterruptedException e) {
      late.set(true);
      try {
        channel.close();
      } catch (IOException closing) {
        // It is of no use any more, which is what was wanted.
      }
    }
  }

  /** Runs a line and gathers its output; an {@link IOException} after the time limit. */
  Answer call(String line, Duration limit) throws IOException {
    UnixDomainSocketAddress address = file.address();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return CompletableFuture.supplyAsync(
              () -> gather(channel, address, line), ShellClient::thread)
          .get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("no answer within " + limit.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UncheckedIOException problem) {
        throw problem.getCause();
      }
      throw new AssertionError("a call fails by an IOException alone", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static void thread(Runnable task) {
    Thread thread = new Thread(task, "shell-call");
    thread.setDaemon(true);
    thread.start();
  }

  private static Answer gather(
      SocketChannel channel, UnixDomainSocketAddress address, String line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try {
      channel.connect(address);
      int status = exchange(channel, line, out, err, () -> {});
      return new Answer(
          status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int exchange(
      SocketChannel channel, String line, OutputStream out, OutputStream err, Runnable taken)
      throws IOException {
    DataOutputStream to = new DataOutputStream(Channels.newOutputStream(channel));
    ShellFrames.writeRequest(to, line);
    return ShellFrames.readAnswer(
        new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel))),
        out,
        err,
        taken);
  }
}
