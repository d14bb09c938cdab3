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
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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

  private final SocketFile file;

  ShellClient(SocketFile file) {
    this.file = file;
  }

  /** Runs a line; its output goes to the streams as it comes. Gives the exit status. */
  int run(String line, OutputStream out, OutputStream err) throws IOException {
    try (SocketChannel channel = SocketChannel.open(file.address())) {
      return exchange(channel, line, out, err);
    } catch (EOFException e) {
      throw new IOException("the node ended the connection before the command was done", e);
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
      int status = exchange(channel, line, out, err);
      return new Answer(
          status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int exchange(
      SocketChannel channel, String line, OutputStream out, OutputStream err) throws IOException {
    DataOutputStream to = new DataOutputStream(Channels.newOutputStream(channel));
    ShellFrames.writeRequest(to, line);
    return ShellFrames.readAnswer(
        new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel))), out, err);
  }
}
