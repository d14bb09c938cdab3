// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static java.io.OutputStream.nullOutputStream;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
@SuppressWarnings("try") // a server is open for a block, which speaks to it through its socket
class ShellServerTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  @TempDir Path dir;

  @Test
  void outputErrorsAndStatusComeBack() throws IOException {
    SocketFile file = new SocketFile(dir);
    try (ShellServer server = echo(file, LONG)) {
      assertTrue(Files.exists(dir.resolve("shell.sock")));
      ShellClient.Answer answer = new ShellClient(file).call("größe", LONG);
      assertEquals(new ShellClient.Answer(7, "größe", "5"), answer);
    }
    assertFalse(Files.exists(dir.resolve("shell.sock")));
  }

  @Test
  void longOutputComesInManyFrames() throws IOException {
    SocketFile file = new SocketFile(dir);
    String line = "x".repeat(ShellFrames.REQUEST_BYTES_MAX);
    try (ShellServer server = echo(file, LONG)) {
      assertEquals(line, new ShellClient(file).call(line, LONG).out());
      assertThrows(IOException.class, () -> new ShellClient(file).call(line + "x", LONG));
    }
  }

  @Test
  void theSocketIsTheOwnersAlone() throws IOException {
    try (ShellServer server = echo(new SocketFile(dir), LONG)) {
      assertEquals(
          "rw-------",
          PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.resolve("shell.sock"))));
      try (var entries = Files.list(dir)) {
        assertEquals(1, entries.count());
      }
    }
  }

  @Test
  void whatAKilledNodeLeftIsReplaced() throws IOException {
    try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(dir.resolve("shell.sock")));
    }
    SocketFile file = new SocketFile(dir);
    assertThrows(IOException.class, () -> new ShellClient(file).call("a", LONG));
    try (ShellServer server = echo(file, LONG)) {
      assertEquals("a", new ShellClient(file).call("a", LONG).out());
    }
  }

  @Test
  void aDirectoryWithALongNameHasItsSocketElsewhere() throws IOException {
    Path deep = Files.createDirectories(dir.resolve("d".repeat(SocketFile.PATH_BYTES_MAX)));
    SocketFile file = new SocketFile(deep);
    Path place;
    try (ShellServer server = echo(file, LONG)) {
      place = file.address().getPath();
      assertFalse(place.startsWith(deep));
      assertEquals("a", new ShellClient(file).call("a", LONG).out());
    }
    assertFalse(Files.exists(place.getParent()));
    assertThrows(IOException.class, file::address);
  }

  @Test
  void aRequestThatNeverComesIsNotWaitedFor() throws IOException {
    SocketFile file = new SocketFile(dir);
    try (ShellServer server = echo(file, Duration.ofMillis(50));
        SocketChannel silent = SocketChannel.open(file.address())) {
      assertEquals(-1, silent.read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  void aNodeThatTakesNoRequestIsNotWaitedFor() throws IOException {
    try (ServerSocketChannel stopped = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      stopped.bind(UnixDomainSocketAddress.of(dir.resolve("shell.sock")));
      IOException failure =
          assertThrows(
              IOException.class,
              () ->
                  new ShellClient(new SocketFile(dir))
                      .run("a", nullOutputStream(), nullOutputStream(), Duration.ofMillis(50)));
      assertTrue(failure.getMessage().startsWith("the node does not answer"));
    }
  }

  @Test
  void aHugeRequestIsRefusedBeforeItIsRead() throws IOException {
    SocketFile file = new SocketFile(dir);
    try (ShellServer server = echo(file, LONG);
        SocketChannel garbage = SocketChannel.open(file.address())) {
      garbage.write(ByteBuffer.allocate(4).putInt(Integer.MAX_VALUE).flip());
      assertEquals(-1, garbage.read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  void aCallerThatGoesAwayInterruptsItsCommand() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    ShellServer.Shell endless =
        (line, out, err) -> {
          running.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
          }
          return 1;
        };
    SocketFile file = new SocketFile(dir);
    try (ShellServer server = ShellServer.open(file, endless, LONG)) {
      try (SocketChannel caller = SocketChannel.open(file.address())) {
        caller.write(ByteBuffer.allocate(5).putInt(1).put((byte) 'x').flip());
        assertTrue(running.await(LONG.toSeconds(), TimeUnit.SECONDS));
      }
      assertTrue(interrupted.await(LONG.toSeconds(), TimeUnit.SECONDS));
    }
  }

  /** Says what it was told, and on standard error how long that was. */
  private static ShellServer echo(SocketFile file, Duration requestTime) throws IOException {
    return ShellServer.open(
        file,
        (line, out, err) -> {
          out.print(line);
          err.print(line.length());
          return 7;
        },
        requestTime);
  }
}
