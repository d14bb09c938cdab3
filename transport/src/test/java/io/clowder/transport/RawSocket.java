// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.Address;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A plain socket that speaks to a transport, well or badly. */
final class RawSocket implements AutoCloseable {
  private static final int MILLIS_MAX = 20_000;

  private final Socket socket;
  private final DataInputStream in;

  RawSocket(Address to) throws IOException {
    this(new Socket(to.host(), to.port()));
  }

  RawSocket(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(MILLIS_MAX);
    in = new DataInputStream(socket.getInputStream());
  }

  void send(ByteBuffer frame) throws IOException {
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    send(bytes);
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  /** Reads a greeting. */
  Greeting greeting() throws IOException {
    ByteBuffer body = body();
    return Greeting.read(body.get(), body.slice());
  }

  /** Reads a message and returns its payload. */
  String message() throws IOException {
    ByteBuffer body = body();
    assertEquals(Frame.MESSAGE, body.get());
    body.position(body.position() + 1 + body.get(body.position()));
    return StandardCharsets.UTF_8.decode(body).toString();
  }

  /** Reads a frame and returns its type. */
  int type() throws IOException {
    return body().get();
  }

  /** The other side must close, after at most {@code bytesMax} more bytes. */
  void expectClosed(int bytesMax) throws IOException {
    int count = 0;
    try {
      while (in.read() >= 0) {
        count++;
      }
    } catch (SocketException e) {
      // Reset, because it did not read all that was sent: closed too.
      assertEquals("Connection reset", e.getMessage());
    }
    assertEquals(Math.min(count, bytesMax), count);
  }

  private ByteBuffer body() throws IOException {
    byte[] body = new byte[in.readInt()];
    in.readInt();
    in.readFully(body);
    return ByteBuffer.wrap(body);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
