// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import io.clowder.api.lock.LockInfo;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The bytes of every request and result: a log written today is read for ever. */
class LockVocabularyTest {
  private static final NodeId N1 = new NodeId("n1");

  @Test
  void requests() {
    Map<LockRequest, String> golden = new LinkedHashMap<>();
    golden.put(
        new LockRequest.Open(7, -1, 300, N1), "01010000000000000007ffffffffffffffffac02026e31");
    golden.put(
        new LockRequest.Acquire(7, 300, 2, true, "job"), "02010000000000000007ac020201036a6f62");
    golden.put(new LockRequest.Cancel(7, 300, 2), "03010000000000000007ac0202");
    golden.put(new LockRequest.Release("job", 300), "0401036a6f62ac02");
    golden.put(new LockRequest.Info("job"), "0501036a6f62");
    golden.put(new LockRequest.Page("", null, 1000), "06010000e807");
    golden.put(new LockRequest.Page("j", "job", 1), "0601016a01036a6f6201");
    golden.forEach(
        (request, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(request.encode()));
          assertEquals(request, LockRequest.decode(HexFormat.of().parseHex(hex)));
        });
    Set<Class<?>> kinds = new HashSet<>();
    for (Class<?> group : LockRequest.class.getPermittedSubclasses()) {
      kinds.addAll(List.of(group.getPermittedSubclasses()));
    }
    golden.keySet().forEach(request -> kinds.remove(request.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void results() {
    Map<LockResult, String> golden = new LinkedHashMap<>();
    golden.put(new LockResult.Opened(), "0101");
    golden.put(new LockResult.NotOpen(7), "02010000000000000007");
    golden.put(new LockResult.Granted(9, 300), "03010000000000000009ac02");
    golden.put(new LockResult.Queued(9), "04010000000000000009");
    golden.put(new LockResult.Busy(), "0501");
    golden.put(new LockResult.Full(true), "060101");
    golden.put(new LockResult.Cancelled(), "0701");
    golden.put(new LockResult.Released(), "0801");
    golden.put(new LockResult.Refused(300), "0901ac02");
    LockInfo lock = new LockInfo("job", 17, N1, 9, 5, List.of(N1));
    golden.put(
        new LockResult.Locks(List.of(lock)),
        "0a0101036a6f6211026e310000000000000009000000000000000501026e31");
    golden.forEach(
        (result, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(result.encode()));
          assertEquals(result, LockResult.decode(HexFormat.of().parseHex(hex)));
        });
    Set<Class<?>> kinds = new HashSet<>(Arrays.asList(LockResult.class.getPermittedSubclasses()));
    golden.keySet().forEach(result -> kinds.remove(result.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }
}
