// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A node's shell, asked through its socket: a length and a line; back come frames of a kind, a
 * length and bytes, the last with the exit status.
 */
record Shell(Path nodeDir) {
  private static final int ERR = 2;
  private static final int EXIT = 3;

  /** What a command said. */
  record Answer(int status, String out, String err) {}

  /** As {@link #run}, and expects it to succeed; what it said. */
  String done(String line) throws IOException {
    Answer answer = run(line);
    if (answer.status() != 0) {
      throw new AssertionError("failed: " + line + ": " + answer);
    }
    return answer.out();
  }

  /**
   * Runs a line.
   *
   * @throws IOException if the node is away, or goes while it is at it: it may have been done
   */
  Answer run(String line) throws IOException {
    Path pointer = nodeDir.resolve("shell.path");
    Path socket =
        Files.exists(pointer) ? Path.of(Files.readString(pointer)) : nodeDir.resolve("shell.sock");
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      DataOutputStream to = new DataOutputStream(Channels.newOutputStream(channel));
      byte[] request = line.getBytes(StandardCharsets.UTF_8);
      to.writeInt(request.length);
      to.write(request);
      DataInputStream from =
          new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel)));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      while (true) {
        int kind = from.readByte();
        int length = from.readInt();
        byte[] bytes = from.readNBytes(length);
        if (bytes.length < length) {
          throw new EOFException("the connection ended within a frame");
        }
        if (kind == EXIT) {
          return new Answer(
              bytes[0],
              out.toString(StandardCharsets.UTF_8).strip(),
              err.toString(StandardCharsets.UTF_8).strip());
        }
        (kind == ERR ? err : out).write(bytes);
      }
    }
  }
}
