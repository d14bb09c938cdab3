// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static io.clowder.api.consensus.ReadConsistency.LINEARIZABLE;
import static io.clowder.api.consensus.ReadConsistency.LOCAL;
import static io.clowder.api.consensus.ReadConsistency.SEQUENTIAL;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.lock.Fence;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class ReplicatedKvTest {
  private static final byte[] VALUE = {1, 2, 3};

  private final LocalConsensus consensus = new LocalConsensus(new KvMachine());
  private final ReplicatedKv store = new ReplicatedKv(consensus, Duration.ofMillis(700));

  @Test
  void whatIsPutCanBeReadAndDeleted() {
    assertEquals(1, join(store.put("a", VALUE)));
    KvEntry entry = join(store.get("a", LINEARIZABLE));
    assertEquals("a", entry.key());
    assertArrayEquals(VALUE, entry.value());
    assertEquals(1, entry.version());
    assertTrue(join(store.delete("a")));
    assertNull(join(store.get("a", LINEARIZABLE)));
    assertEquals(false, join(store.delete("a")));
  }

  @Test
  void readsAskForTheConsistencyWantedAndKeepTheTimeOut() {
    join(store.get("a", LOCAL));
    join(store.list("", null, 1, SEQUENTIAL));
    join(store.put("a", VALUE));
    assertEquals(List.of(LOCAL, SEQUENTIAL), consensus.asked);
    assertEquals(List.of(Duration.ofMillis(700)), consensus.deadlines.stream().distinct().toList());
  }

  @Test
  void aConflictNamesTheVersionFound() {
    join(store.put("a", VALUE));
    refused(Reason.CONFLICT, "a has version 1, not 9", store.compareAndSet("a", 9, VALUE));
    refused(
        Reason.CONFLICT,
        "a has version 1, and should be absent",
        store.compareAndSet("a", 0, VALUE));
    refused(Reason.CONFLICT, "b is absent, not 3", store.compareAndSet("b", 3, VALUE));
    assertEquals(5, join(store.compareAndSet("a", 1, VALUE)));
  }

  @Test
  void aWriteWithAFenceDoesWhatItDoesWithoutOne() {
    Fence fence = new Fence("job", 5);
    assertEquals(1, join(store.put("a", VALUE, fence)));
    assertArrayEquals(VALUE, join(store.get("a", LINEARIZABLE)).value());
    assertEquals(2, join(store.compareAndSet("a", 1, VALUE, fence)));
    refused(Reason.CONFLICT, "a has version 2, not 1", store.compareAndSet("a", 1, VALUE, fence));
    assertEquals(true, join(store.delete("a", fence)));
    assertEquals(false, join(store.delete("a", new Fence("job", 6))));
    assertNull(join(store.get("a", LINEARIZABLE)));
    assertEquals(List.of(Duration.ofMillis(700)), consensus.deadlines.stream().distinct().toList());
  }

  @Test
  void aStaleWriteIsRefusedAndNamesTheTokenSeen() {
    join(store.put("a", VALUE, new Fence("job", 7)));
    Fence paused = new Fence("job", 6);
    String message = "token 6 is stale: resource job has seen 7";
    refused(Reason.CONFLICT, message, store.put("a", new byte[0], paused));
    refused(Reason.CONFLICT, message, store.delete("a", paused));
    refused(Reason.CONFLICT, message, store.compareAndSet("a", 1, new byte[0], paused));
    assertArrayEquals(VALUE, join(store.get("a", LINEARIZABLE)).value());
    assertEquals(1, join(store.get("a", LINEARIZABLE)).version());
  }

  @Test
  void aFenceThatMakesNoSenseIsRefusedBeforeItIsSent() {
    String longest = "é".repeat(Limits.KEY_BYTES / 2);
    refused(Reason.INVALID, "token 0: use 1 or more", store.put("a", VALUE, new Fence("job", 0)));
    refused(Reason.INVALID, "token -1: use 1 or more", store.delete("a", new Fence("job", -1)));
    refused(Reason.INVALID, "the resource is empty", store.delete("a", new Fence("", 1)));
    refused(
        Reason.TOO_LARGE,
        "the resource has 1026 bytes: at most 1024",
        store.compareAndSet("a", 0, VALUE, new Fence(longest + "é", 1)));
    refused(
        Reason.INVALID,
        "the resource is not Unicode: it holds half of a surrogate pair",
        store.put("a", VALUE, new Fence("job\uD800", 1)));
    refused(Reason.INVALID, "the key is empty", store.put("", VALUE, new Fence("job", 1)));
    assertEquals(List.of(), consensus.deadlines);

    assertEquals(1, join(store.put("a", VALUE, new Fence(longest, Long.MAX_VALUE))));
    assertEquals(2, join(store.put("a", VALUE, new Fence("j", 1))));
  }

  @Test
  void whatIsOverALimitIsRefusedBeforeItIsSent() {
    String longest = "é".repeat(Limits.KEY_BYTES / 2);
    refused(
        Reason.TOO_LARGE, "the key has 1026 bytes: at most 1024", store.put(longest + "é", VALUE));
    refused(
        Reason.TOO_LARGE,
        "the value has 1048577 bytes: at most 1048576",
        store.put("a", new byte[Limits.VALUE_BYTES + 1]));
    refused(Reason.INVALID, "the key is empty", store.get("", LOCAL));
    refused(Reason.INVALID, "the key is empty", store.delete(""));
    refused(
        Reason.INVALID,
        "the key is not Unicode: it holds half of a surrogate pair",
        store.put("a\uD800", VALUE));
    refused(
        Reason.INVALID, "expected version -1: use 0 or more", store.compareAndSet("a", -1, VALUE));
    refused(Reason.INVALID, "a list of 0: use 1 to 1000", store.list("", null, 0, LOCAL));
    refused(Reason.INVALID, "a list of 1001: use 1 to 1000", store.list("", null, 1001, LOCAL));
    refused(
        Reason.INVALID,
        "the prefix is not Unicode: it holds half of a surrogate pair",
        store.list("\uDC00", null, 1, LOCAL));
    assertEquals(List.of(), consensus.deadlines);

    assertEquals(1, join(store.put(longest, new byte[Limits.VALUE_BYTES])));
    assertEquals(longest, join(store.get(longest, LOCAL)).key());
  }

  @Test
  void whatTheGroupFailsWithIsPassedOn() {
    consensus.failure =
        new CoordinationException(Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, "no quorum");
    assertEquals(consensus.failure, failure(store.put("a", VALUE)));
    assertEquals(consensus.failure, failure(store.get("a", LOCAL)));
  }

  @Test
  void aTimeOutOutOfRangeIsRefusedByItsName() {
    Exception failure =
        assertThrows(
            IllegalArgumentException.class, () -> new ReplicatedKv(consensus, Duration.ZERO));
    assertEquals("io.clowder.kv: timeout.millis is 0: use 1 to 600000", failure.getMessage());
  }

  @Test
  void listsByPrefix() {
    for (String key : List.of("b/2", "a/1", "b/1", "c")) {
      join(store.put(key, key.getBytes(UTF_8)));
    }
    assertEquals(
        List.of("b/1", "b/2"),
        join(store.list("b/", null, 10, LINEARIZABLE)).stream().map(KvEntry::key).toList());
    assertEquals(
        List.of("b/2"),
        join(store.list("b/", "b/1", 10, LINEARIZABLE)).stream().map(KvEntry::key).toList());
  }

  private static void refused(Reason reason, String message, CompletionStage<?> stage) {
    CoordinationException failure = failure(stage);
    assertEquals(message, failure.getMessage());
    assertEquals(reason, failure.reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure.outcome());
  }

  private static CoordinationException failure(CompletionStage<?> stage) {
    Throwable cause = assertThrows(CompletionException.class, () -> join(stage)).getCause();
    return assertInstanceOf(CoordinationException.class, cause);
  }

  private static <T> T join(CompletionStage<T> stage) {
    assertTrue(stage.toCompletableFuture().isDone());
    return stage.toCompletableFuture().join();
  }
}
