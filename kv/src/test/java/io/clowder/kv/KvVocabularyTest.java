// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The bytes of every request and result: a log written today is read for ever. */
class KvVocabularyTest {
  private static final byte[] KEY = {'k', 'e', 'y'};
  private static final byte[] VALUE = {0, (byte) 0xFF};
  private static final byte[] JOB = {'j', 'o', 'b'};

  @Test
  void requests() {
    Map<KvRequest, String> golden = new LinkedHashMap<>();
    golden.put(new KvRequest.Put(KEY, VALUE), "0101036b65790200ff");
    golden.put(new KvRequest.Delete(KEY), "0201036b6579");
    golden.put(new KvRequest.CompareAndSet(KEY, 300, VALUE), "0301036b6579ac020200ff");
    golden.put(new KvRequest.Get(KEY), "0401036b6579");
    golden.put(new KvRequest.Page(KEY, null, 1000), "0501036b657900e807");
    golden.put(new KvRequest.Page(KEY, new byte[] {'a'}, 1), "0501036b657901016101");
    golden.put(
        new KvRequest.Fenced(JOB, 300, new KvRequest.Put(KEY, VALUE)),
        "0601036a6f62ac020101036b65790200ff");
    golden.put(
        new KvRequest.Fenced(JOB, 1, new KvRequest.Delete(KEY)), "0601036a6f62010201036b6579");
    golden.put(
        new KvRequest.Fenced(JOB, Long.MAX_VALUE, new KvRequest.CompareAndSet(KEY, 300, VALUE)),
        "0601036a6f62ffffffffffffffff7f0301036b6579ac020200ff");
    golden.forEach(
        (request, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(request.encode()));
          byte[] bytes = HexFormat.of().parseHex(hex);
          KvRequest read = KvRequest.decode(bytes);
          assertEquals(request.getClass(), read.getClass());
          assertArrayEquals(bytes, read.encode());
        });
    Set<Class<?>> kinds = kinds(KvRequest.class);
    golden.keySet().forEach(request -> kinds.remove(request.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void results() {
    Map<KvResult, String> golden = new LinkedHashMap<>();
    golden.put(new KvResult.Changed(17), "010111");
    golden.put(new KvResult.Conflict(300), "0201ac02");
    golden.put(new KvResult.Removed(true), "030101");
    golden.put(new KvResult.Entries(List.of()), "040100");
    golden.put(new KvResult.Stale(300), "0501ac02");
    golden.put(
        new KvResult.Entries(List.of(new KvResult.Row(KEY, VALUE, 17))), "040101036b65790200ff11");
    golden.forEach(
        (result, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(result.encode()));
          byte[] bytes = HexFormat.of().parseHex(hex);
          assertArrayEquals(bytes, KvResult.decode(bytes).encode());
        });
    Set<Class<?>> kinds = kinds(KvResult.class);
    golden.keySet().forEach(result -> kinds.remove(result.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
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
