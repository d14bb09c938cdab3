// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtCluster.and;
import static io.clowder.itests.DhtCluster.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.dht.DhtVersion;
import io.clowder.itests.probe.Ring;
import io.clowder.itests.probe.Ring.Entry;
import io.clowder.itests.probe.Ring.With;
import io.clowder.itests.probe.Store.Failure;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.Before;
import org.junit.Test;
import org.junit.function.ThrowingRunnable;
import org.w3c.dom.Document;

/**
 * What a ring of containers promises to who uses it, whatever its mode. Each test has keys or rings
 * of its own.
 */
abstract class RingPromises {
  private static final String MAIN = "main";

  private List<Ring> rings = List.of();

  /** Four nodes, with a ring {@code main} on the first three at least. */
  abstract DhtCluster nodes();

  /** Of a ring on these three. */
  abstract Map<String, String> settings();

  @Before
  public void threeUseIt() throws Exception {
    rings = nodes().rings(MAIN, "n1", "n2", "n3");
  }

  @Test
  public void whatOneNodeWasAcknowledgedEachNodeReads() throws Exception {
    String last = "0.0";
    byte[] key = "read/a".getBytes(UTF_8);
    for (int i = 0; i < 60; i++) {
      String version = rings.get(i % 3).put("read/a", "v" + i);
      assertLater(version, last);
      last = version;
      for (Ring ring : rings) {
        assertEquals(new Entry("v" + i, version, -1), ring.get("read/a"));
      }
    }
    Entry newest = new Entry("v59", last, -1);
    for (Ring ring : rings) {
      assertTrue(within(() -> newest.equals(ring.get(key, "ANY"))));
      assertNull(ring.get("read/none"));
      assertNull(ring.get("read/none".getBytes(UTF_8), "ANY"));
      assertEquals(rings.get(0).keepers(key), ring.keepers(key));
      assertEquals(List.of(), ring.reasonsToStay("n1"));
    }
    assertEquals(3, rings.get(0).keepers(key).stream().distinct().count());
  }

  static void assertLater(String version, String before) {
    assertTrue(
        version + " after " + before,
        DhtVersion.parse(version).compareTo(DhtVersion.parse(before)) > 0);
  }

  @Test
  public void conditionsHoldAndVersionsNeverGoBack() throws Exception {
    byte[] key = "version/a".getBytes(UTF_8);
    byte[] value = "x".getBytes(UTF_8);
    String last = "0.0";
    for (int i = 0; i < 12; i++) {
      Ring one = rings.get(i % 3);
      Ring other = rings.get((i + 1) % 3);
      String first = one.put(key, value, With.version("0.0"));
      assertLater(first, last);
      refused("CONFLICT", "version " + first, () -> other.put(key, value, With.version("0.0")));
      last = other.put(key, value, With.version(first));
      assertLater(last, first);
      String now = last;
      refused("CONFLICT", "version " + now, () -> one.remove(key, With.version(first)));
      assertTrue(one.remove(key, i % 2 == 0 ? With.NOTHING : With.version(now)));
      assertNull(other.get(key, "NEWEST"));
      assertFalse(other.remove(key, With.NOTHING));
      refused("CONFLICT", "no value", () -> other.put(key, value, With.version(now)));
    }
  }

  @Test
  public void aValueIsThereForAsLongAsItWasSaid() throws Exception {
    byte[] key = "ttl/a".getBytes(UTF_8);
    byte[] value = "short".getBytes(UTF_8);
    String first = rings.get(0).put(key, value, new With("", 60_000, 0));
    Entry found = rings.get(1).get(key, "NEWEST");
    assertNotNull(found);
    assertTrue(found.toString(), found.leftMillis() > 0 && found.leftMillis() <= 60_000);
    String second = rings.get(1).put(key, value, new With(first, 300, 0));
    for (Ring ring : rings) {
      assertTrue(within(() -> ring.get(key, "NEWEST") == null));
      assertTrue(within(() -> ring.get(key, "ANY") == null));
      assertFalse(ring.remove(key, With.NOTHING));
    }
    assertLater(rings.get(2).put(key, value, With.version("0.0")), second);
    refused("INVALID", "time to live", () -> rings.get(0).remove(key, new With("", 1, 0)));
  }

  @Test
  public void keysAndValuesAreAnyBytesUpToTheirLimits() throws Exception {
    byte[] binary = {0, -1, (byte) 0xC3, 0x28, 0};
    byte[] longest = new byte[Limits.KEY_BYTES];
    byte[] value = "bytes".getBytes(UTF_8);
    byte[] largest = "x".repeat(Limits.VALUE_BYTES).getBytes(UTF_8);
    for (byte[] key : List.of(binary, longest, new byte[1])) {
      String version = rings.get(0).put(key, value, With.NOTHING);
      assertEquals(new Entry("bytes", version, -1), rings.get(1).get(key, "NEWEST"));
      assertTrue(rings.get(2).remove(key, With.NOTHING));
    }
    rings.get(1).put(binary, largest, new With("", 0, 3));
    Entry found = rings.get(2).get(binary, "NEWEST");
    assertNotNull(found);
    assertEquals(Limits.VALUE_BYTES, found.value().length());
    assertTrue(rings.get(0).remove(binary, With.NOTHING));
    for (Ring ring : rings) {
      byte[] empty = {};
      byte[] tooLong = new byte[Limits.KEY_BYTES + 1];
      byte[] tooLarge = new byte[Limits.VALUE_BYTES + 1];
      refused("INVALID", "the key is empty", () -> ring.put(empty, value, With.NOTHING));
      refused("INVALID", "the key is empty", () -> ring.get(empty, "NEWEST"));
      refused("INVALID", "the key is empty", () -> ring.get(empty, "ANY"));
      refused("INVALID", "the key is empty", () -> ring.keepers(empty));
      refused("TOO_LARGE", "1025 bytes", () -> ring.put(tooLong, value, With.NOTHING));
      refused("TOO_LARGE", "1025 bytes", () -> ring.remove(tooLong, With.NOTHING));
      refused("TOO_LARGE", "1048577 bytes", () -> ring.put(binary, tooLarge, With.NOTHING));
      refused("INVALID", "4 copies", () -> ring.put(binary, value, new With("", 0, 4)));
      assertNull(ring.get(binary, "NEWEST"));
    }
  }

  static void refused(String reason, String part, ThrowingRunnable call) {
    Failure failure = assertThrows(part, Failure.class, call);
    String message = String.valueOf(failure.getMessage());
    assertEquals(message, reason, failure.reason());
    assertEquals(message, "DID_NOT_HAPPEN", failure.outcome());
    assertTrue(message, message.contains(part));
  }

  @Test
  public void aRingInMemoryGetsBackWhatOthersHave() throws Exception {
    Map<String, String> memory = and(settings(), "durable", "false");
    nodes().configure("memory", memory, "n1", "n2", "n3");
    nodes().awaitIdeal("memory", "n1", "n2", "n3");
    Ring n2 = nodes().ring("n2", "memory");
    List<Entry> written = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      written.add(new Entry("v" + i, n2.put("memory/" + i, "v" + i), -1));
    }
    nodes().unconfigure("memory", "n2");
    nodes().configure("memory", memory, "n2");
    nodes().awaitIdeal("memory", "n1", "n2", "n3");
    for (int i = 0; i < 50; i++) {
      Ring again = nodes().ring("n2", "memory");
      byte[] key = ("memory/" + i).getBytes(UTF_8);
      assertEquals(written.get(i), again.get(key, "NEWEST"));
      assertEquals(written.get(i), again.get(key, "ANY"));
      assertNull("of another ring", rings.get(0).get(key, "NEWEST"));
    }
    assertEquals(50, nodes().ring("n1", "memory").balance().get(1).keys());
    nodes().unconfigure("memory", "n1", "n2", "n3");
  }

  static void awaitMissing(FelixNode node, String part) throws Exception {
    boolean isThere = within(() -> String.join("\n", node.probe().missing()).contains(part));
    assertTrue(part + " in " + node.probe().missing(), isThere);
  }

  static void assertPicture(String text) throws Exception {
    Document picture =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(text.getBytes(UTF_8)));
    assertEquals("svg", picture.getDocumentElement().getTagName());
    assertTrue(text, text.contains("n1") && text.contains("n2") && text.contains("n3"));
  }

  static String failed(FelixNode node, String line) {
    return String.valueOf(
            assertThrows(line, IllegalStateException.class, () -> node.probe().shell(line))
                .getMessage())
        .strip();
  }
}
