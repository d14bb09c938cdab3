// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on a node's shell socket and runs one command per connection. A caller that goes away
 * interrupts its command. Everything is limited: connections, the length of a request, the time
 * that a request may take to arrive.
 */
final class ShellServer implements AutoCloseable {
  /** Runs a line; nothing is thrown for a command that fails. */
  interface Shell {
    /** Gives the exit status, 0 to 127. */
    int execute(String line, PrintStream out, PrintStream err);
  }

  private static final Logger log = LoggerFactory.getLogger(ShellServer.class);
  private static final int CONNECTIONS_MAX = 32;

  private final SocketFile file;
  private final Shell shell;
  private final Duration requestTime;
  private final ServerSocketChannel listening;
  private final Semaphore free = new Semaphore(CONNECTIONS_MAX);
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(task -> daemon("shell-watch", task));

  private ShellServer(
      SocketFile file, Shell shell, Duration requestTime, ServerSocketChannel listening) {
    this.file = file;
    this.shell = shell;
    this.requestTime = requestTime;
    this.listening = listening;
  }

  /**
   * Opens the socket and serves it.
   *
   * @param requestTime how long a caller may take to say what it wants
   */
  static ShellServer open(SocketFile file, Shell shell, Duration requestTime) throws IOException {
    ShellServer server = new ShellServer(file, shell, requestTime, file.listen());
    daemon("shell-accept", server::accept).start();
    return server;
  }

  /** Stops listening; commands that run go on. */
  @Override
  public void close() throws IOException {
    listening.close();
    watch.shutdownNow();
    file.remove();
  }

  private static Thread daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  private void accept() {
    while (listening.isOpen()) {
      try {
        SocketChannel caller = listening.accept();
        if (free.tryAcquire()) {
          daemon("shell-caller", () -> serveAndClose(caller)).start();
        } else {
          // Closing is the answer; writing to a caller that does not read could block.
          caller.close();
          log.warn("Shell: a caller was turned away, {} are being served", CONNECTIONS_MAX);
        }
      } catch (AsynchronousCloseException e) {
        return;
      } catch (IOException e) {
        if (listening.isOpen()) {
          log.error("Shell: the socket failed; no more commands until the node starts again", e);
        }
        return;
      }
    }
  }

  private void serveAndClose(SocketChannel caller) {
    try (caller) {
      serve(caller);
    } catch (ClosedChannelException e) {
      log.debug("Shell: a connection ended", e);
    } catch (IOException e) {
      log.info("Shell: a connection ended: {}", e.getMessage());
    } catch (RejectedExecutionException e) {
      // A stack trace would be the last word of a node that says why it does not start.
      log.debug("Shell: a caller came when it was closed", e);
    } finally {
      free.release();
    }
  }

  private void serve(SocketChannel caller) throws IOException {
    DataInputStream in = new DataInputStream(Channels.newInputStream(caller));
    ScheduledFuture<?> late =
        watch.schedule(
            () -> {
              caller.close();
              return null;
            },
            requestTime.toMillis(),
            TimeUnit.MILLISECONDS);
    String line = ShellFrames.readRequest(in);
    late.cancel(false);
    Thread command = daemon("shell-command", () -> run(line, caller));
    command.start();
    // A caller has nothing more to say: what comes now is its end, or ours. Not through the stream,
    // which would lock out the command's output while it waits.
    try {
      caller.read(ByteBuffer.allocate(1));
    } catch (IOException e) {
      // It went without reading all: "connection reset".
      log.debug("Shell: a connection ended", e);
    }
    command.interrupt();
    try {
      command.join();
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a shell's connection", e);
    }
  }

  private void run(String line, SocketChannel caller) {
    // The stream of a channel is not buffered; a frame is one write.
    DataOutputStream to =
        new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(caller)));
    PrintStream out = stream(ShellFrames.out(to));
    PrintStream err = stream(ShellFrames.err(to));
    try {
      ShellFrames.writeTaken(to);
    } catch (IOException e) {
      log.debug("Shell: the caller went before its command began", e);
      return;
    }
    int status = shell.execute(line, out, err);
    out.flush();
    err.flush();
    try (caller) {
      ShellFrames.writeExit(to, status);
    } catch (IOException e) {
      log.debug("Shell: the caller went before its command ended", e);
    }
  }

  private static PrintStream stream(OutputStream frames) {
    return new PrintStream(new BufferedOutputStream(frames), true, StandardCharsets.UTF_8);
  }
}
