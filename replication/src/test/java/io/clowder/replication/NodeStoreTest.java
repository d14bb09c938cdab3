// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.replication.StoreWorld.get;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.Change;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreAdmin.LossReport;
import io.clowder.api.store.StoreAdmin.Verification;
import io.clowder.api.store.StoreRole;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.Watch;
import io.clowder.api.store.WriteOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store as its users and its operators have it: whom they ask, and what they are told. */
class NodeStoreTest {
  @TempDir private Path directory;
  private StoreWorld world;

  private void found() throws IOException {
    world = new StoreWorld(directory).start(1, 2, 3).awaitInSync(3);
  }

  @AfterEach
  void close() throws IOException {
    world.close();
  }

  private ReplicatedStore store(int node) {
    return world.node(node).store();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private long put(int node, String key, String value) {
    return get(store(node).put(key, bytes(value)));
  }

  private String value(int node, String key, Freshness freshness) {
    KvEntry entry = get(store(node).get(key, freshness));
    return entry == null ? "" : new String(entry.value(), UTF_8);
  }

  private static CoordinationException failure(Supplier<CompletionStage<?>> call) {
    return assertThrows(CoordinationException.class, () -> get(call.get()));
  }

  // ---- users ---------------------------------------------------------------------------------

  @Test
  void anyNodeServesAndEveryNodeReadsWhatWasAcknowledged() throws IOException {
    found();
    for (int node = 1; node <= 3; node++) {
      final long version = put(node, "k", "v" + node);
      for (int reader = 1; reader <= 3; reader++) {
        assertEquals("v" + node, value(reader, "k", Freshness.LINEARIZABLE));
        assertEquals("v" + node, value(reader, "k", Freshness.bounded(Duration.ofMillis(1))));
      }
      assertEquals(version, get(store(1).get("k", Freshness.LINEARIZABLE)).version());
    }
    put(1, "l", "w");
    List<KvEntry> rows = get(store(2).scan("", null, 10, Freshness.LINEARIZABLE));
    assertEquals(List.of("k", "l"), rows.stream().map(KvEntry::key).toList());
    assertTrue(get(store(3).delete("k", WriteOptions.NONE)));
    assertEquals("", value(1, "k", Freshness.LINEARIZABLE));
  }

  @Test
  void aNodeWithoutACopyAsksThoseWhoHaveOne() throws IOException {
    found();
    world.start(4);
    put(4, "k", "v");
    assertEquals("v", value(4, "k", Freshness.LINEARIZABLE));
    assertEquals("v", value(4, "k", Freshness.LOCAL));
    assertEquals(StoreRole.CLIENT, store(4).status().role());
    assertNull(store(4).status().copy());
    assertThrows(CoordinationException.class, () -> store(4).watch("", 0, new Heard()));
  }

  /** It is heard by those who do not reach consensus for it either, so nobody else would know. */
  @Test
  void aPrimaryThatIsCutOffFromConsensusSaysThatItIsNotWell() throws IOException {
    found();
    NodeStore primary = world.node(world.primary());
    world.isMute = true;
    world.stop(world.backup(), true);
    CompletableFuture<Long> write = primary.store().put("k", bytes("v")).toCompletableFuture();
    CopyWorld.await(
        "a problem", () -> primary.problems().toString().contains("consensus does not answer"));
    assertTrue(primary.isAlive(), "consensus only takes long");
    world.isReached = false;
    assertFalse(primary.isAlive());
    world.isReached = true;
    world.isMute = false;
    get(write);
    assertTrue(primary.isAlive());
  }

  @Test
  void writesOutliveTheirPrimaryAndAreDoneOnce() throws IOException {
    found();
    int primary = world.primary();
    int other = world.backup();
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      writes.add(store(other).put("k" + i, bytes("v")).toCompletableFuture());
      if (i == 250) {
        world.stop(primary, true);
      }
    }
    Set<Long> versions = new TreeSet<>();
    writes.forEach(it -> versions.add(get(it)));
    assertEquals(500, versions.size());
    assertNotEquals(primary, world.primary());
    assertEquals("v", value(other, "k0", Freshness.LINEARIZABLE));
    assertEquals("v", value(other, "k499", Freshness.LINEARIZABLE));
    assertEquals(500, get(store(other).scan("k", null, 1000, Freshness.LINEARIZABLE)).size());
  }

  @Test
  void noWriteFailsWhenThePlaceIsHandedOver() throws IOException {
    found();
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 100; i++) {
        writes.add(store(1 + i % 3).put("k" + i, bytes("v")).toCompletableFuture());
      }
      int next = world.backup();
      StoreStatus status = get(world.node(1).steward().switchover(world.id(next)));
      assertEquals(world.id(next), status.primary());
    }
    writes.forEach(StoreWorld::get);
  }

  @Test
  void aRetryIsToldTheFirstAnswerWhicheverNodeIsAsked() throws IOException {
    found();
    WriteOptions named = WriteOptions.named(new RequestId(77, 1));
    final long version = get(store(1).put("k", bytes("a"), named));
    put(2, "k", "b");
    get(world.node(1).steward().switchover(null));
    assertEquals(version, get(store(3).put("k", bytes("a"), named)));
    assertEquals("b", value(1, "k", Freshness.LINEARIZABLE));
  }

  @Test
  void aStaleTokenIsRefusedAfterAFailOverToo() throws IOException {
    found();
    get(store(1).put("k", bytes("new"), WriteOptions.fenced(new Fence("job", 7))));
    int primary = world.primary();
    int other = world.backup();
    world.stop(primary, true);
    CoordinationException stale =
        failure(
            () -> store(other).put("k", bytes("old"), WriteOptions.fenced(new Fence("job", 6))));
    assertEquals(Reason.CONFLICT, stale.reason());
    assertEquals("token 6 is stale: resource job has seen 7", stale.getMessage());
  }

  @Test
  void aConflictSaysWhatWasFoundAndChangesNothing() throws IOException {
    found();
    long version = put(1, "a", "1");
    CoordinationException conflict =
        failure(() -> store(2).compareAndSet("a", 0, bytes("2"), WriteOptions.NONE));
    assertEquals("a has version " + version + ", and should be absent", conflict.getMessage());
    assertEquals(Outcome.DID_NOT_HAPPEN, conflict.outcome());
    List<Step> batch =
        List.of(new Step.Put("b", bytes("1")), new Step.CompareAndSet("c", 5, bytes("1")));
    conflict = failure(() -> store(3).apply(batch, WriteOptions.NONE));
    assertEquals("c is absent, not 5", conflict.getMessage());
    assertEquals("", value(1, "b", Freshness.LINEARIZABLE));
  }

  @Test
  void whatMakesNoSenseIsRefused() throws IOException {
    found();
    ReplicatedStore store = store(1);
    byte[] large = new byte[Limits.VALUE_BYTES + 1];
    assertEquals("the key is empty", failure(() -> store.put("", bytes("1"))).getMessage());
    assertEquals(Reason.TOO_LARGE, failure(() -> store.put("k", large)).reason());
    assertEquals(Reason.TOO_LARGE, failure(() -> store.put("k".repeat(1025), bytes("1"))).reason());
    assertEquals(
        "the key begins with the character 0",
        failure(() -> store.put("\0mark", bytes("1"))).getMessage());
    assertEquals(Reason.INVALID, failure(() -> store.put("\ud800", bytes("1"))).reason());
    assertEquals(Reason.INVALID, failure(() -> store.apply(List.of(), WriteOptions.NONE)).reason());
    assertEquals(Reason.INVALID, failure(() -> store.scan("", null, 0, Freshness.LOCAL)).reason());
    assertEquals(
        Reason.INVALID,
        failure(() -> store.put("k", bytes("1"), WriteOptions.fenced(new Fence("r", 0)))).reason());
    assertEquals(
        Reason.INVALID,
        failure(() -> store.put("k", bytes("1"), WriteOptions.named(new RequestId(0, 1))))
            .reason());
    assertThrows(IllegalArgumentException.class, () -> Freshness.bounded(Duration.ZERO));
  }

  @Test
  void belowMinInsyncAWriteFailsFastAndHasNotHappened() throws IOException {
    world = new StoreWorld(directory).start(1);
    CopyWorld.await("a primary", () -> world.config().primary() != null);
    CoordinationException failure = failure(() -> store(1).put("k", bytes("v")));
    assertEquals(Reason.UNAVAILABLE, failure.reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure.outcome());
    assertTrue(failure.getMessage().contains("1 of at least 2 copies"), failure.getMessage());
    failure = failure(() -> store(1).get("k", Freshness.LINEARIZABLE));
    assertEquals(Reason.UNAVAILABLE, failure.reason());
    assertEquals("", value(1, "k", Freshness.LOCAL));
    world.start(2).awaitInSync(2);
    put(1, "k", "v");
  }

  @Test
  void withoutAPrimaryAWriteFailsAtItsDeadline() throws IOException {
    world = new StoreWorld(directory);
    world.setting =
        new StoreSetting(3, 2, Duration.ofMillis(200), Duration.ofSeconds(1), 64 << 20, 100 << 20);
    world.start(1, 2, 3).awaitInSync(3);
    int primary = world.primary();
    world.exchange.cut(world.id(primary));
    CoordinationException failure = failure(() -> store(world.backup()).put("k", bytes("v")));
    assertEquals(Reason.TIMEOUT, failure.reason());
    assertTrue(failure.getMessage().contains("n" + primary), failure.getMessage());
    assertTrue(failure.getMessage().contains("200 ms"), failure.getMessage());
  }

  @Test
  void aNodeThatClosesTellsWhoeverWaits() throws IOException {
    found();
    int other = world.backup();
    ReplicatedStore store = store(other);
    world.exchange.cut(world.id(world.primary()));
    CompletionStage<Long> waiting = store.put("k", bytes("v"));
    world.stop(other, false);
    CoordinationException failure = failure(() -> waiting);
    assertEquals(Reason.UNAVAILABLE, failure.reason());
    assertEquals(Reason.UNAVAILABLE, failure(() -> store.put("k", bytes("v"))).reason());
  }

  @Test
  void theStoreKeepsNoArrayOfItsUsers() throws IOException {
    found();
    for (int node = 1; node <= 3; node++) {
      byte[] value = bytes("a");
      get(store(node).put("k", value));
      value[0] = 'b';
      get(store(node).get("k", Freshness.LOCAL)).value()[0] = 'c';
      get(store(node).get("k", Freshness.LINEARIZABLE)).value()[0] = 'd';
      assertEquals("a", value(node, "k", Freshness.LINEARIZABLE));
    }
  }

  // ---- opening -------------------------------------------------------------------------------

  private StoreWorld oneNode(int timeoutMillis, Consumer<FailingStorage> how) {
    StoreWorld one = new StoreWorld(directory);
    one.setting =
        new StoreSetting(
            1, 1, Duration.ofMillis(timeoutMillis), Duration.ofSeconds(1), 64 << 20, 1 << 30);
    one.around =
        storage -> {
          FailingStorage failing = new FailingStorage(storage);
          how.accept(failing);
          return failing;
        };
    return one;
  }

  @Test
  void callsEndInTimeWhileACopyIsOpened() throws IOException {
    CountDownLatch slow = new CountDownLatch(1);
    world = oneNode(200, disk -> disk.slow = slow);
    world.start(1);
    assertEquals(Reason.TIMEOUT, failure(() -> store(1).put("k", bytes("v"))).reason());
    slow.countDown();
    world.awaitInSync(1);
  }

  @Test
  void theEndWaitsForACopyThatIsOpened() throws IOException {
    CountDownLatch slow = new CountDownLatch(1);
    List<FailingStorage> disks = new ArrayList<>();
    world =
        oneNode(
            20_000,
            disk -> {
              disk.slow = slow;
              disks.add(disk);
            });
    world.start(1);
    NodeStore node = world.node(1);
    CompletableFuture<Void> end = CompletableFuture.runAsync(node::close);
    slow.countDown();
    get(end);
    assertEquals(1, disks.get(0).opened.get());
    assertEquals(1, disks.get(0).closed.get());
  }

  @Test
  void whatGoesWrongWhenACopyIsOpenedIsSaid() throws IOException {
    world = oneNode(20_000, disk -> disk.fault = new AssertionError("of the disk"));
    world.start(1);
    CopyWorld.await("a problem", () -> world.node(1).problems().toString().contains("of the disk"));
  }

  /** Nobody suspects its node, and without its report nobody would be elected. */
  @Test
  void aCopyThatFailsSaysSo() throws IOException {
    found();
    int primary = world.primary();
    long epoch = world.config().epoch();
    world.node(primary).failed("of the test", new AssertionError("of the test"));
    CopyWorld.await("another primary", () -> world.config().epoch() > epoch);
    put(world.backup(), "k", "v");
  }

  // ---- watches -------------------------------------------------------------------------------

  private static final class Heard implements ChangeListener {
    final List<Change> changes = Collections.synchronizedList(new ArrayList<>());
    final CompletableFuture<CoordinationException> end = new CompletableFuture<>();

    @Override
    public void changed(List<Change> more) {
      changes.addAll(more);
    }

    @Override
    public void ended(CoordinationException reason) {
      end.complete(reason);
    }
  }

  @Test
  void aWatchHearsEveryChangeOnceOverAHandOver() throws IOException {
    found();
    Heard heard = new Heard();
    final long first = put(1, "a/1", "1");
    Watch watch = store(2).watch("a/", first, heard);
    put(1, "b/1", "1");
    final long second = put(3, "a/2", "2");
    get(world.node(1).steward().switchover(null));
    get(store(1).delete("a/1", WriteOptions.NONE));
    CopyWorld.await("three changes", () -> heard.changes.size() >= 3);
    assertEquals(first, heard.changes.get(0).seq());
    assertEquals(second, heard.changes.get(1).seq());
    assertNull(heard.changes.get(2).value());
    watch.close();
    put(1, "a/4", "4");
    assertEquals(3, heard.changes.size());
  }

  @Test
  void aWatchFromNowOnHearsNothingThatWasAcknowledgedBefore() throws IOException {
    found();
    int primary = world.primary();
    for (int i = 0; i < 50; i++) {
      long before = put(primary, "k", "before");
      Heard heard = new Heard();
      Watch watch = store(primary).watch("k", 0, heard);
      long after = put(primary, "k", "after");
      CopyWorld.await("a change", () -> !heard.changes.isEmpty());
      assertEquals(after, heard.changes.get(0).seq(), "not " + before);
      watch.close();
    }
  }

  @Test
  void aWatchWhosePlaceIsForgottenIsToldSo() throws IOException {
    world = new StoreWorld(directory);
    world.setting =
        new StoreSetting(3, 2, Duration.ofSeconds(20), Duration.ofSeconds(1), 4096, 1 << 30);
    world.start(1, 2, 3).awaitInSync(3);
    CopyWorld.await(
        "a log that begins later",
        () -> {
          put(1, "k", "v".repeat(1000));
          return store(1).status().copy().oldest() > 1;
        });
    Heard heard = new Heard();
    var unused = store(1).watch("", 1, heard);
    assertEquals(Reason.CONFLICT, get(heard.end).reason());
  }

  @Test
  void aWatchEndsWithItsCopyAndBeginsWithTheNext() throws IOException {
    found();
    int backup = world.backup();
    Heard heard = new Heard();
    var unused = store(backup).watch("", put(1, "k", "1") + 1, heard);
    get(world.node(1).steward().remove(world.id(backup)));
    assertEquals(Reason.UNAVAILABLE, get(heard.end).reason());
    assertThrows(CoordinationException.class, () -> store(backup).watch("", 0, heard));
    get(world.node(1).steward().add(world.id(backup)));
    Heard again = new Heard();
    unused = store(backup).watch("", 0, again);
    put(1, "k", "2");
    CopyWorld.await("a change", () -> !again.changes.isEmpty());
    assertEquals(List.of(), heard.changes);
  }

  @Test
  void aWatchEndsWhenItsCopyIsTakenAway() throws IOException {
    found();
    int backup = world.backup();
    Heard heard = new Heard();
    var unused = store(backup).watch("", 0, heard);
    get(world.node(1).steward().remove(world.id(backup)));
    assertEquals(Reason.UNAVAILABLE, get(heard.end).reason());
    CoordinationException refused =
        assertThrows(CoordinationException.class, () -> store(backup).watch("", 0, heard));
    assertEquals(Reason.UNAVAILABLE, refused.reason());
  }

  @Test
  void aWatchIsTheEndOfNobodyAfterTheStore() throws IOException {
    found();
    ReplicatedStore store = store(1);
    Heard heard = new Heard();
    var unused = store.watch("", 0, heard);
    world.stop(1, false);
    assertEquals(Reason.UNAVAILABLE, get(heard.end).reason());
    CoordinationException refused =
        assertThrows(CoordinationException.class, () -> store.watch("", 0, heard));
    assertEquals(Reason.UNAVAILABLE, refused.reason());
  }

  /** One that is being told until it is let go. */
  private static final class Slow implements ChangeListener {
    final CompletableFuture<Void> entered = new CompletableFuture<>();
    final CompletableFuture<Void> letGo = new CompletableFuture<>();
    final CompletableFuture<CoordinationException> end = new CompletableFuture<>();
    final AtomicBoolean isInside = new AtomicBoolean();

    @Override
    public void changed(List<Change> changes) {
      isInside.set(true);
      entered.complete(null);
      letGo.join();
      isInside.set(false);
    }

    @Override
    public void ended(CoordinationException reason) {
      if (isInside.get()) {
        end.completeExceptionally(new AssertionError("two calls at a time"));
      }
      end.complete(reason);
    }
  }

  @Test
  void aSlowListenerDelaysNobodyAndIsToldTheEndAfterwards() throws IOException {
    found();
    Slow slow = new Slow();
    Heard heard = new Heard();
    var first = store(1).watch("", 0, slow);
    var second = store(1).watch("", 0, heard);
    for (int i = 0; i < 3; i++) {
      put(1, "k" + i, "v");
      get(slow.entered);
    }
    CopyWorld.await("three changes", () -> heard.changes.size() == 3);
    world.stop(1, true);
    assertEquals(Reason.UNAVAILABLE, get(heard.end).reason());
    assertFalse(slow.end.isDone());
    slow.letGo.complete(null);
    assertEquals(Reason.UNAVAILABLE, get(slow.end).reason());
    first.close();
    second.close();
  }

  @Test
  void whoeverClosesAWatchHearsNothingOfItsEnd() throws IOException {
    found();
    Slow slow = new Slow();
    Watch watch = store(1).watch("", 0, slow);
    put(1, "k", "v");
    get(slow.entered);
    watch.close();
    world.stop(1, true);
    slow.letGo.complete(null);
    CopyWorld.await("it returns", () -> !slow.isInside.get());
    assertFalse(slow.end.isDone());
  }

  @Test
  void aListenerThatFailsHearsNoMore() throws IOException {
    found();
    CompletableFuture<CoordinationException> end = new CompletableFuture<>();
    var unused =
        store(1)
            .watch(
                "",
                0,
                new ChangeListener() {
                  @Override
                  public void changed(List<Change> changes) {
                    throw new IllegalStateException("no");
                  }

                  @Override
                  public void ended(CoordinationException reason) {
                    end.complete(reason);
                  }
                });
    put(1, "k", "v");
    assertEquals(Reason.INVALID, get(end).reason());
  }

  // ---- operators -----------------------------------------------------------------------------

  @Test
  void whoIsTakenForFailedComesBackByItself() throws IOException {
    found();
    int primary = world.primary();
    long epoch = world.config().epoch();
    StoreStatus status = get(world.node(1).steward().fail(world.id(primary)));
    assertTrue(!status.insync().contains(world.id(primary)), status.toString());
    world.awaitInSync(3);
    assertTrue(world.config().epoch() > epoch);
    put(1, "k", "v");
  }

  @Test
  void aCopyIsTakenAwayAndComesBackWhenItIsAdded() throws IOException {
    found();
    int backup = world.backup();
    int primary = world.primary();
    assertEquals(
        Reason.CONFLICT, failure(() -> world.node(1).steward().remove(world.id(primary))).reason());
    StoreStatus status = get(world.node(1).steward().remove(world.id(backup)));
    assertEquals(Set.of(world.id(backup)), status.removed());
    put(backup, "k", "v");
    assertEquals(StoreRole.CLIENT, store(backup).status().role());
    assertEquals("v", value(backup, "k", Freshness.LOCAL), "it asks the others");
    int third = 6 - backup - primary;
    assertEquals(
        Reason.CONFLICT,
        failure(() -> world.node(1).steward().remove(world.id(third))).reason(),
        "too few would be in sync");
    get(world.node(1).steward().add(world.id(backup)));
    world.awaitInSync(3);
    assertEquals(
        Reason.CONFLICT, failure(() -> world.node(1).steward().add(world.id(backup))).reason());
  }

  @Test
  void copiesAreComparedAtOneWrite() throws IOException {
    found();
    put(1, "k", "v");
    List<Verification> found = get(world.node(1).steward().verify(false));
    assertEquals(3, found.size());
    assertEquals(1, found.stream().map(Verification::digest).distinct().count());
    found.forEach(it -> assertEquals("", it.problem()));
  }

  @Test
  void whatIsDamagedOnTheDiskIsMadeAnewOneAfterTheOther() throws IOException {
    found();
    for (int i = 0; i < 100; i++) {
      put(1, "k" + i, "v".repeat(100));
    }
    int primary = world.primary();
    int backup = world.backup();
    world.damage(primary);
    world.damage(backup);
    List<Verification> found = get(world.node(1).steward().verify(false));
    assertEquals(2, found.stream().filter(it -> !it.problem().isEmpty()).count());
    List<Verification> repaired = get(world.node(1).steward().verify(true));
    assertEquals(2, repaired.stream().filter(Verification::isRepaired).count(), repaired + "");
    world.awaitInSync(3);
    found = get(world.node(1).steward().verify(false));
    found.forEach(it -> assertEquals("", it.problem()));
    assertEquals("v".repeat(100), value(backup, "k99", Freshness.LINEARIZABLE));
  }

  /** One who applied what the forced one lacks, and has a snapshot of it, must not keep it. */
  @Test
  void whoHasMoreThanTheForcedOneIsMadeAnew() throws IOException {
    world = new StoreWorld(directory);
    world.setting =
        new StoreSetting(3, 2, Duration.ofSeconds(20), Duration.ofSeconds(1), 4096, 1 << 30);
    world.start(1, 2, 3).awaitInSync(3);
    put(1, "k", "old");
    int primary = world.primary();
    int left = world.backup();
    int third = 6 - primary - left;
    world.stop(left, true);
    world.awaitInSync(2);
    put(primary, "k", "new");
    CopyWorld.await(
        "a snapshot of it",
        () -> {
          put(primary, "l", "v".repeat(1000));
          return store(third).status().copy().snapshot() > 10;
        });
    world.stop(third, true);
    world.stop(primary, true);
    world.start(left);
    var steward = world.node(left).steward();
    LossReport report = get(steward.forecast(world.id(left)));
    get(steward.forcePromote(world.id(left), report.consent()));
    world.start(third).awaitInSync(2);
    for (int i = 0; i < 30; i++) {
      put(left, "m" + i, "v".repeat(1000));
    }
    assertEquals("old", value(third, "k", Freshness.LINEARIZABLE));
    assertEquals("", value(third, "l", Freshness.LINEARIZABLE));
    world.start(primary).awaitInSync(3);
    List<Verification> found = get(steward.verify(false));
    found.forEach(it -> assertEquals("", it.problem()));
  }

  @Test
  void theLastResortSaysWhatItMayLoseAndIsAskedForTwice() throws IOException {
    found();
    put(1, "k", "old");
    int primary = world.primary();
    int left = world.backup();
    int third = 6 - primary - left;
    assertEquals(
        Reason.CONFLICT,
        failure(() -> world.node(left).steward().forecast(world.id(left))).reason(),
        "the primary answers");
    world.stop(left, true);
    world.awaitInSync(2);
    put(primary, "k", "new");
    world.stop(third, true);
    world.stop(primary, true);
    world.start(left);
    var steward = world.node(left).steward();
    LossReport report = get(steward.forecast(world.id(left)));
    assertTrue(report.lines().toString().contains("nowhere else"), report.lines().toString());
    assertEquals(
        Reason.CONFLICT, failure(() -> steward.forcePromote(world.id(left), "no")).reason());
    get(steward.forcePromote(world.id(left), report.consent()));
    world.start(third, primary).awaitInSync(3);
    assertEquals("old", value(primary, "k", Freshness.LINEARIZABLE));
    put(left, "k", "next");
    assertEquals("next", value(primary, "k", Freshness.LINEARIZABLE));
  }
}
