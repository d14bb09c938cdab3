// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * What goes over a shell socket: a request, which is a length and a line of UTF-8; then the
 * answer's frames, each a kind, a length and that many bytes; the first one is empty and says that
 * the request has arrived, the last one is the exit status.
 */
final class ShellFrames {
  /** The longest line that a node takes, in bytes: a value of the greatest size, all quoted. */
  static final int REQUEST_BYTES_MAX = 4 << 20;

  /** The longest frame of an answer, in bytes. */
  static final int FRAME_BYTES_MAX = 1 << 16;

  private static final byte OUT = 1;
  private static final byte ERR = 2;
  private static final byte EXIT = 3;

  private ShellFrames() {}

  static void writeRequest(DataOutputStream to, String line) throws IOException {
    byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > REQUEST_BYTES_MAX) {
      throw new IOException(
          "the command is " + bytes.length + " bytes long; the limit is " + REQUEST_BYTES_MAX);
    }
    to.writeInt(bytes.length);
    to.write(bytes);
    to.flush();
  }

  static String readRequest(DataInputStream from) throws IOException {
    int length = from.readInt();
    if (length < 0 || length > REQUEST_BYTES_MAX) {
      throw new IOException("a request of " + length + " bytes; the limit is " + REQUEST_BYTES_MAX);
    }
    return new String(exactly(from, length), StandardCharsets.UTF_8);
  }

  /** A stream whose bytes become frames of standard output; flush it before the exit status. */
  static OutputStream out(DataOutputStream to) {
    return new FrameStream(to, OUT);
  }

  /** A stream whose bytes become frames of standard error. */
  static OutputStream err(DataOutputStream to) {
    return new FrameStream(to, ERR);
  }

  /** Says that the request is there, however long its command will take. */
  static void writeTaken(DataOutputStream to) throws IOException {
    writeFrame(to, OUT, new byte[0], 0, 0);
  }

  static void writeExit(DataOutputStream to, int status) throws IOException {
    writeFrame(to, EXIT, new byte[] {(byte) status}, 0, 1);
  }

  /**
   * Copies an answer to its streams and gives the exit status.
   *
   * @param taken called when the request is known to have arrived
   */
  static int readAnswer(DataInputStream from, OutputStream out, OutputStream err, Runnable taken)
      throws IOException {
    while (true) {
      byte kind = from.readByte();
      taken.run();
      int length = from.readInt();
      if (length < 0 || length > FRAME_BYTES_MAX) {
        throw new IOException("a frame of " + length + " bytes; this is not a shell socket");
      }
      byte[] bytes = exactly(from, length);
      switch (kind) {
        case OUT -> {
          out.write(bytes);
          out.flush();
        }
        case ERR -> {
          err.write(bytes);
          err.flush();
        }
        case EXIT -> {
          return length == 1 ? bytes[0] : 1;
        }
        default ->
            throw new IOException("a frame of kind " + kind + "; this is not a shell socket");
      }
    }
  }

  private static byte[] exactly(DataInputStream from, int length) throws IOException {
    byte[] bytes = from.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("the connection ended early");
    }
    return bytes;
  }

  private static void writeFrame(DataOutputStream to, byte kind, byte[] bytes, int at, int length)
      throws IOException {
    // Output and errors may come from two threads of one command.
    synchronized (to) {
      to.writeByte(kind);
      to.writeInt(length);
      to.write(bytes, at, length);
      to.flush();
    }
  }

  private static final class FrameStream extends OutputStream {
    private final DataOutputStream to;
    private final byte kind;

    FrameStream(DataOutputStream to, byte kind) {
      this.to = to;
      this.kind = kind;
    }

    @Override
    public void write(int b) throws IOException {
      writeFrame(to, kind, new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      for (int at = 0; at < length; at += FRAME_BYTES_MAX) {
        writeFrame(to, kind, bytes, from + at, Math.min(FRAME_BYTES_MAX, length - at));
      }
    }
  }
}
