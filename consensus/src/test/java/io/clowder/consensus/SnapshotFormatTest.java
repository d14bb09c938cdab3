// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.consensus.StateMachine;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SnapshotFormatTest {
  private static final int PIECE = 64 << 10;

  private static byte[] noise(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static byte[] snapshot(Map<String, StateMachine.Snapshot> machines) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SnapshotFormat.Head head = CodecTest.sampleHead();
    new SnapshotFormat.Capture(
            12, head.chain(), head.anchor(), head.encode(), new TreeMap<>(machines))
        .writeTo(out);
    return out.toByteArray();
  }

  private static byte[] snapshot(byte[] kv, byte[] lock) throws IOException {
    return snapshot(Map.of("kv", out -> out.write(kv), "lock", out -> out.write(lock)));
  }

  private static DataInputStream afterHead(byte[] content) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(content));
    SnapshotFormat.readHead(in);
    return in;
  }

  @Test
  void aSnapshotHasItsGoldenFrame() throws IOException {
    byte[] head = CodecTest.sampleHead().encode();
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(expected);
    out.writeInt(head.length);
    out.write(head);
    out.write(CodecTest.hex("0002 6b76 00000003 616263 00000000"));
    out.write(CodecTest.hex("0004 6c6f636b 00000000"));
    assertArrayEquals(expected.toByteArray(), snapshot(bytes("abc"), new byte[0]));
  }

  @Test
  void contentOfAnySizeComesBack() throws IOException {
    for (int size : new int[] {0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7}) {
      DataInputStream in = afterHead(snapshot(noise(size), bytes("l")));
      assertEquals("kv", in.readUTF());
      try (InputStream section = SnapshotFormat.section(in)) {
        assertArrayEquals(noise(size), section.readAllBytes(), "of " + size + " bytes");
      }
      assertEquals("lock", in.readUTF());
      try (InputStream section = SnapshotFormat.section(in)) {
        assertEquals('l', section.read());
        assertEquals(-1, section.read());
        assertEquals(-1, section.read(), "and again");
      }
      assertEquals(-1, in.read());
    }
  }

  @Test
  void aSectionThatIsNotReadIsSkipped() throws IOException {
    DataInputStream in = afterHead(snapshot(noise(2 * PIECE + 5), bytes("locks")));
    in.readUTF();
    try (InputStream section = SnapshotFormat.section(in)) {
      assertTrue(section.read() >= 0);
    }
    assertEquals("lock", in.readUTF());
    assertArrayEquals(bytes("locks"), SnapshotFormat.section(in).readAllBytes());
  }

  @Test
  void theBytesDoNotDependOnHowTheyWereWritten() throws IOException {
    byte[] content = noise(PIECE + 100);
    byte[] atOnce = snapshot(content, bytes("l"));
    byte[] byByte =
        snapshot(
            Map.of(
                "kv",
                out -> {
                  for (byte b : content) {
                    out.write(b);
                  }
                },
                "lock",
                out -> out.write(bytes("xlx"), 1, 1)));
    assertArrayEquals(atOnce, byByte);
  }

  @Test
  void whatIsCutShortIsNeverTakenForWhole() throws IOException {
    byte[] whole = snapshot(bytes("abc"), bytes("locks"));
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThrows(IOException.class, () -> readAll(cut), "of " + length + " bytes");
    }
    readAll(whole);
  }

  private static void readAll(byte[] content) throws IOException {
    DataInputStream in = afterHead(content);
    for (int i = 0; i < 2; i++) {
      in.readUTF();
      try (InputStream section = SnapshotFormat.section(in)) {
        section.read();
      }
    }
  }

  @Test
  void hostileLengthsAreRefusedBeforeTheyAreBelieved() {
    for (int length : new int[] {-1, Integer.MIN_VALUE, (1 << 30) + 1, Integer.MAX_VALUE}) {
      byte[] bytes = ByteBuffer.allocate(4).putInt(length).array();
      IOException refused = assertThrows(IOException.class, () -> afterHead(bytes));
      assertEquals("a snapshot's head of " + length + " bytes", refused.getMessage());
    }
    for (int length : new int[] {-1, PIECE + 1, Integer.MAX_VALUE}) {
      byte[] bytes = ByteBuffer.allocate(4).putInt(length).array();
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
      IOException refused =
          assertThrows(IOException.class, () -> SnapshotFormat.section(in).readAllBytes());
      assertEquals("a snapshot's piece of " + length + " bytes", refused.getMessage());
    }
  }

  @Test
  void aHeadThatMakesNoSenseIsAFailureOfTheFile() {
    byte[] bytes = CodecTest.hex("00000001 07");
    IOException refused = assertThrows(IOException.class, () -> afterHead(bytes));
    assertEquals("a snapshot's head: snapshot of version 7, known is 1", refused.getMessage());
  }
}
