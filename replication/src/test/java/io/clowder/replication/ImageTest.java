// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.Limits;
import io.clowder.api.store.RequestId;
import io.clowder.replication.LogRecord.Effect;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A snapshot's bytes: what is written today is read for ever. */
class ImageTest {
  private static final String GOLDEN =
      "01" // format
          + "0000000000000003" // seq
          + "0000000000000002" // epoch
          + "0000000000000002" // entries
          + "00000005"
          + "016b030109"
          + "00000004"
          + "016c0300"
          + "0000001d" // requests
          + "02"
          + "00000000000000070001"
          + "05010300"
          + "ffffffffffffffff000101"
          + "020107";

  private static Contents contents() {
    Contents contents = new Contents();
    List<Effect> effects = List.of(new Effect("k", new byte[] {9}), new Effect("l", new byte[0]));
    contents.apply(LogRecord.opening(1, 1));
    contents.apply(new LogRecord(2, 3, new RequestId(7, 5), effects, new Answer.Changed(3, false)));
    contents.apply(new LogRecord(2, 4, new RequestId(-1, 1), List.of(), new Answer.Conflict(1, 7)));
    return contents;
  }

  private static Image read(byte[] bytes) throws IOException {
    return Image.read(new ByteArrayInputStream(bytes));
  }

  @Test
  void theBytes() throws IOException {
    byte[] bytes = BoxDisk.write(contents().image(3, 2));
    assertEquals(GOLDEN, HexFormat.of().formatHex(bytes));
    Image image = read(bytes);
    assertEquals(3, image.seq());
    assertEquals(2, image.epoch());
    assertArrayEquals(bytes, BoxDisk.write(image));
  }

  @Test
  void oneThatIsCutOffIsDamaged() {
    byte[] bytes = HexFormat.of().parseHex(GOLDEN);
    for (int length = 0; length < bytes.length; length++) {
      byte[] part = Arrays.copyOf(bytes, length);
      assertThrows(IOException.class, () -> read(part), length + " bytes");
    }
  }

  @Test
  void oneOfAnotherFormatIsNotRead() {
    byte[] bytes = HexFormat.of().parseHex(GOLDEN);
    bytes[0] = 2;
    assertThrows(IOException.class, () -> read(bytes));
  }

  /** Whatever flips: it is something else, or it is refused; it never ends in an error. */
  @Test
  void aDamagedOneIsRefusedOrIsAnother() {
    byte[] bytes = HexFormat.of().parseHex(GOLDEN);
    for (int bit = 0; bit < 8 * bytes.length; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        Image image = read(flipped);
        assertEquals(false, Arrays.equals(bytes, BoxDisk.write(image)), "bit " + bit);
      } catch (IOException e) {
        // As it should be.
      }
    }
  }

  @Test
  void aLargeOneIsWrittenInParts() throws IOException {
    Contents contents = new Contents();
    for (int seq = 1; seq <= 40; seq++) {
      Effect effect = new Effect("k" + seq, new byte[seq == 7 ? Limits.VALUE_BYTES : 5_000]);
      contents.apply(
          new LogRecord(1, seq, RequestId.NONE, List.of(effect), new Answer.Changed(seq, false)));
    }
    byte[] bytes = BoxDisk.write(contents.image(40, 1));
    Image image = read(bytes);
    assertEquals(40, image.entries().size());
    assertArrayEquals(bytes, BoxDisk.write(image));
  }
}
