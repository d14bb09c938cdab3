// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.failure.detector.ViewState.Stance;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ViewSnapshotTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId C = new NodeId("c");

  /** Segment 2, view 2 of position 302; a and b suspect c in its life 99. */
  private static final String WHOLE =
      "01"
          + "00000002"
          + "02"
          + "ae02"
          + ("03" + "0161" + "0162" + "0163")
          + ("01" + "0163")
          + "02"
          + ("0161" + "ac02" + "0000000000000061" + "01" + "0163" + "63")
          + ("0162" + "05" + "0000000000000062" + "01" + "0163" + "63");

  @Test
  void theBytesOfEveryPart() throws IOException {
    TreeMap<NodeId, Long> suspects = new TreeMap<>(Map.of(C, 99L));
    ViewState state =
        new ViewState(
            2,
            new TreeSet<>(Set.of(A, B, C)),
            new TreeSet<>(Set.of(C)),
            new TreeMap<>(Map.of(A, new Stance(300, 97, suspects), B, new Stance(5, 98, suspects))),
            2,
            302);
    assertEquals(WHOLE, write(state));
    assertEquals(state, read(WHOLE));
    assertSame(ViewState.EMPTY, read(""));
    assertEquals(ViewState.EMPTY, read(write(ViewState.EMPTY)));
  }

  @Test
  void whatIsCutShortOrGoesOnIsRefused() {
    for (int length = 2; length < WHOLE.length(); length += 2) {
      String cut = WHOLE.substring(0, length);
      assertThrows(IOException.class, () -> read(cut));
    }
    corrupt("1 bytes too many", WHOLE + "00");
  }

  @Test
  void anotherFormatIsRefused() {
    IOException failure = assertThrows(IOException.class, () -> read("0200"));
    assertEquals("fd snapshot of format 2, which is not known here", failure.getMessage());
  }

  @Test
  void whatNoEntriesLeadToIsRefused() {
    corrupt("segment", "01" + "ffffffff" + "01" + "01" + "010161" + "00" + "00");
    corrupt("segment", "01" + "00000000" + "00" + "00" + "00" + "00" + "00");
    corrupt("number", "01" + "00000000" + "00" + "00" + "010161" + "00" + "00");
    corrupt("position", "01" + "00000000" + "02" + "01" + "010161" + "00" + "00");
    corrupt("a stranger is removed", "01" + "00000000" + "01" + "01" + "010161" + "010162" + "00");
    corrupt(
        "too many are removed", "01" + "00000000" + "01" + "01" + "0201610162" + "010162" + "00");
    String abc = "01" + "00000000" + "01" + "01" + "03016101620163" + "010163";
    corrupt("a stranger's word", abc + "01" + "016401" + "0000000000000001" + "00");
    corrupt("a word of no life", abc + "01" + "016100" + "0000000000000001" + "00");
    corrupt("a stranger is suspected", abc + "01" + "016101" + "0000000000000001" + "01016401");
    corrupt("one suspects itself", abc + "01" + "016101" + "0000000000000001" + "01016101");
    corrupt("a removed one's word", abc + "01" + "016301" + "0000000000000001" + "01016101");
  }

  private static void corrupt(String what, String hex) {
    IOException failure = assertThrows(IOException.class, () -> read(hex));
    assertEquals("fd snapshot is corrupt: " + what, failure.getMessage());
  }

  private static ViewState read(String hex) throws IOException {
    return ViewSnapshot.read(new ByteArrayInputStream(HexFormat.of().parseHex(hex)));
  }

  private static String write(ViewState state) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ViewSnapshot.write(state, out);
    return HexFormat.of().formatHex(out.toByteArray());
  }
}
