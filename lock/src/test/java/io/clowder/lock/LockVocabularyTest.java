// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockSession;
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
    Want want = new Want(Claim.Mode.PERMITS, 2, 300, 9, 1500, "why");
    golden.put(
        new LockRequest.Open(7, -1, 300, N1), "01020000000000000007ffffffffffffffffac02026e31");
    golden.put(new LockRequest.Enter(7, 300, "b"), "02020000000000000007ac020162");
    golden.put(new LockRequest.Leave(7, 300), "03020000000000000007ac02");
    golden.put(
        new LockRequest.Acquire(7, 300, 2, 1, 10_000, "job", want),
        "04020000000000000007ac020201904e036a6f620302ac0209dc0b03776879");
    golden.put(new LockRequest.Cancel(7, 300, 2), "05020000000000000007ac0202");
    golden.put(new LockRequest.Release("job", 300, "why"), "0602036a6f62ac0203776879");
    golden.put(new LockRequest.Promote("job", N1), "0702036a6f62026e31");
    golden.put(new LockRequest.Settle(), "0802");
    golden.put(new LockRequest.Show("job", 300), "0902036a6f62ac02");
    golden.put(new LockRequest.Info("job"), "0a02036a6f62");
    golden.put(new LockRequest.Page("", null, 1000), "0b020000e807");
    golden.put(new LockRequest.Page("j", "job", 1), "0b02016a01036a6f6201");
    golden.put(new LockRequest.Bundles(300), "0c02ac02");
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
    golden.put(new LockResult.Done(), "0102");
    golden.put(new LockResult.NotOpen(7), "02020000000000000007");
    golden.put(new LockResult.NotEntered(), "0302");
    golden.put(new LockResult.Granted(9, 300), "04020000000000000009ac02");
    golden.put(new LockResult.Queued(9), "05020000000000000009");
    golden.put(new LockResult.Busy(), "0602");
    golden.put(new LockResult.Full(LockResult.Full.What.LOCKS), "070201");
    golden.put(new LockResult.Full(LockResult.Full.What.WAITERS), "070202");
    golden.put(new LockResult.Full(LockResult.Full.What.BUNDLES), "070203");
    golden.put(new LockResult.OtherKind(300), "0802ac02");
    golden.put(new LockResult.Cancelled(), "0902");
    golden.put(new LockResult.Refused(300), "0a02ac02");
    LockInfo.Holder holder =
        new LockInfo.Holder(17, N1, 9, "b", Claim.Mode.SHARED, 0, 5, true, "why");
    LockInfo.Waiter waiter = new LockInfo.Waiter(N1, 9, "b", Claim.Mode.EXCLUSIVE, 0, 3, 6, "so");
    LockInfo lock = new LockInfo("job", 4, List.of(holder), 300, List.of(waiter), 301, 8);
    golden.put(
        new LockResult.Locks(List.of(lock)),
        "0b0201036a6f62040000000000000008ac020111026e3100000000000000090162020000000000000000050103776879ad0201026e3100000000000000090162010003000000000000000602736f");
    golden.put(
        new LockResult.Bundles(List.of(new LockSession(N1, 9, "b", 5, 300, 2))),
        "0c0201026e31000000000000000901620000000000000005ac0202");
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
