// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The bytes of every request and result: a log written today is read for ever. */
class ViewVocabularyTest {
  private static final String N1 = "026e31";
  private static final String N2 = "026e32";
  private static final String N3 = "026e33";

  @Test
  void requests() {
    Map<ViewRequest, String> golden = new LinkedHashMap<>();
    golden.put(new ViewRequest.Roster(300, nodes("n2", "n1")), "0101ac0202" + N1 + N2);
    golden.put(
        new ViewRequest.Opinion(
            new NodeId("n1"),
            300,
            new TreeMap<>(Map.of(new NodeId("n3"), 0L, new NodeId("n2"), 1L << 52))),
        "0201" + N1 + "ac02" + "02" + N2 + "8080808080808008" + N3 + "00");
    golden.put(
        new ViewRequest.Opinion(new NodeId("n1"), 1, new TreeMap<>()), "0201" + N1 + "01" + "00");
    golden.forEach(
        (request, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(request.encode()));
          assertEquals(request, ViewRequest.decode(HexFormat.of().parseHex(hex)));
        });
    Set<Class<?>> kinds = kinds(ViewRequest.class);
    golden.keySet().forEach(request -> kinds.remove(request.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void whatNoNodeWouldSayIsRefused() {
    refused("cut short: 0 bytes where 1 should be", "");
    refused("view request of kind 1 in version 2", "0102" + "00" + "01" + N1);
    refused("view request of unknown kind 4", "0401");
    refused("segment -1", "0101" + "ffffffffffffffffff01" + "01" + N1);
    refused("segment 2147483648", "0101" + "8080808008" + "01" + N1);
    refused("a group without members", "0101" + "00" + "00");
    refused("node n1 after n2", "0101" + "00" + "02" + N2 + N1);
    refused("node n1 after n1", "0101" + "00" + "02" + N1 + N1);
    refused("257 nodes where at most 256 may be", "0101" + "00" + "8102" + N1);
    refused("an opinion of no incarnation", "0201" + N1 + "00" + "00");
    refused("incarnation -1", "0201" + N1 + "ffffffffffffffffff01" + "00");
    refused("incarnation 4503599627370497", "0201" + N1 + "8180808080808008" + "00");
    refused("node n2 after n2", "0201" + N1 + "01" + "02" + N2 + "01" + N2 + "01");
    refused("view request of unknown kind 3", "0301");
    refused("1 bytes too many", "0101" + "00" + "01" + N1 + "00");
    refused(
        "node id '': use 1 to 64 letters, digits, '.', '_' or '-'", "0101" + "00" + "01" + "00");
    refused("65 bytes where at most 64 may be", "0101" + "00" + "01" + "41" + "61".repeat(65));
  }

  @Test
  void whatIsCutShortIsRefused() {
    byte[] roster = new ViewRequest.Roster(3, nodes("n1", "n2")).encode();
    byte[] opinion =
        new ViewRequest.Opinion(new NodeId("n1"), 5, new TreeMap<>(Map.of(new NodeId("n2"), 300L)))
            .encode();
    for (byte[] whole : new byte[][] {roster, opinion}) {
      for (int length = 0; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        assertThrows(WireFormatException.class, () -> ViewRequest.decode(cut));
      }
    }
  }

  @Test
  void aFullClusterIsAccepted() {
    SortedSet<NodeId> all = new TreeSet<>();
    IntStream.range(0, NodeCodec.NODES_MAX).forEach(i -> all.add(new NodeId("n" + i)));
    ViewRequest request = new ViewRequest.Roster(0, all);
    assertEquals(request, ViewRequest.decode(request.encode()));
  }

  private static void refused(String message, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    assertEquals(
        message,
        assertThrows(WireFormatException.class, () -> ViewRequest.decode(bytes)).getMessage());
  }

  private static SortedSet<NodeId> nodes(String... names) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    for (String name : names) {
      nodes.add(new NodeId(name));
    }
    return nodes;
  }

  private static Set<Class<?>> kinds(Class<?> type) {
    if (!type.isSealed()) {
      return Set.of(type);
    }
    Set<Class<?>> kinds = new HashSet<>();
    for (Class<?> part : type.getPermittedSubclasses()) {
      kinds.addAll(kinds(part));
    }
    return kinds;
  }
}
