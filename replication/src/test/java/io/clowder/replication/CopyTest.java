// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.replication.CopyWorld.N1;
import static io.clowder.replication.CopyWorld.N2;
import static io.clowder.replication.CopyWorld.N3;
import static io.clowder.replication.CopyWorld.await;
import static io.clowder.replication.CopyWorld.bytes;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.CopyWorld.Box;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class CopyTest {
  private static final long LARGE_LOG = 64L << 20;
  private static final long SMALL_LOG = 64 << 10;

  @TempDir private Path directory;
  private CopyWorld world;

  @AfterEach
  void close() throws IOException {
    world.close();
  }

  private void found(long logBytes) throws IOException {
    world = new CopyWorld(directory, logBytes);
    world.found();
  }

  private SortedMap<String, String> put(String prefix, int count, int length) {
    SortedMap<String, String> written = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String key = prefix + i;
      String value = (key + "=").repeat(1 + length / (key.length() + 1));
      world.put(key, value);
      written.put(key, value);
    }
    return written;
  }

  private void assertThere(SortedMap<String, String> written) {
    written.forEach((key, value) -> assertEquals(value, world.get(world.primary(), key), key));
  }

  /** All copies have applied as much, and have the same entries. */
  private void assertEqualCopies() {
    long seq = world.write(Op.of(new Step.Put(Contents.MARK, bytes(""))));
    String expected = "";
    for (NodeId node : world.boxes.keySet()) {
      Reply.Digested found = digest(node, seq);
      assertEquals("", found.problem(), node + "");
      assertTrue(expected.isEmpty() || expected.equals(found.digest()), node + "");
      expected = found.digest();
    }
  }

  private Reply.Digested digest(NodeId node, long seq) {
    await(
        node + " has come to " + seq,
        () -> {
          Copy copy = world.box(node).copy;
          return copy != null && copy.view().committed() >= seq;
        });
    return (Reply.Digested) world.until(new Question.Digest(seq), () -> node, Reply.Digested.class);
  }

  // ---- the course of things --------------------------------------------------------------------

  @Test
  void oneCopyIsEnoughToBeginAndTheOthersComeByThemselves() throws IOException {
    found(LARGE_LOG);
    SortedMap<String, String> written = put("k", 20, 10);
    assertThere(written);
    for (Box box : world.boxes.values()) {
      assertEquals(written.get("k7"), world.get(box.node, "k7"), "read at " + box.node);
    }
    assertEqualCopies();
    View view = world.box(world.primary()).view();
    assertTrue(view.isPrimary());
    assertEquals(20, view.entries());
    assertEquals(1, view.oldest());
    assertEquals(2, view.lags().size());
    assertEquals(view.committed(), view.persisted());
  }

  @Test
  void whatWasAcknowledgedIsOnEveryDisk() throws IOException {
    found(LARGE_LOG);
    SortedMap<String, String> written = put("k", 100, 100);
    List<ReplicaId> ids = new ArrayList<>();
    for (Box box : world.boxes.values()) {
      ids.add(box.copy().id());
    }
    for (Box box : world.boxes.values()) {
      box.kill();
    }
    for (Box box : world.boxes.values()) {
      box.start();
      assertEquals(ids.remove(0), box.copy().id());
      assertTrue(box.view().end() >= 100, "" + box.view());
    }
    world.awaitInSync(3);
    assertThere(written);
    assertEqualCopies();
  }

  @Test
  void eachMayBeStoppedInTurn() throws IOException {
    found(SMALL_LOG);
    SortedMap<String, String> written = new TreeMap<>();
    for (NodeId node : List.of(N1, N2, N3)) {
      Box box = world.box(node);
      ReplicaId id = box.copy().id();
      written.putAll(put(node + "-", 300, 300));
      box.stop();
      if (world.primary().equals(node)) {
        throw new AssertionError("it was the primary, and did not hand over");
      }
      written.putAll(put(node + "+", 20, 300));
      box.start();
      assertEquals(id, box.copy().id());
      world.awaitInSync(3);
    }
    assertThere(written);
    assertEqualCopies();
    for (Box box : world.boxes.values()) {
      assertTrue(box.view().snapshot() > 0, "" + box.view());
    }
  }

  @Test
  void whenThePrimaryDiesAnotherHasEverything() throws IOException {
    found(LARGE_LOG);
    SortedMap<String, String> written = put("k", 50, 100);
    NodeId first = world.primary();
    world.box(first).kill();
    written.putAll(put("l", 50, 100));
    assertNotEquals(first, world.primary());
    assertThere(written);
    world.box(first).start();
    world.awaitInSync(3);
    assertEqualCopies();
  }

  @Test
  void whoIsFarBehindIsGivenASnapshot() throws IOException {
    found(SMALL_LOG);
    SortedMap<String, String> written = put("k", 50, 100);
    Box behind = world.box(world.backup());
    long end = behind.view().end();
    behind.kill();
    written.putAll(put("l", 600, 500));
    await("it is too far behind", () -> world.box(world.primary()).view().oldest() > end + 1);
    behind.start();
    world.awaitInSync(3);
    assertTrue(behind.view().snapshot() > end, "" + behind.view());
    assertThere(written);
    assertEqualCopies();

    behind.kill();
    behind.start();
    world.awaitInSync(3);
    assertEqualCopies();
  }

  @Test
  void handingOverLosesNothing() throws Exception {
    found(LARGE_LOG);
    SortedMap<String, String> written = new ConcurrentSkipListMap<>();
    AtomicBoolean isDone = new AtomicBoolean();
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; !isDone.get(); i++) {
                world.put("k" + i, "v" + i);
                written.put("k" + i, "v" + i);
              }
            });
    for (int i = 0; i < 4; i++) {
      NodeId former = world.primary();
      int count = written.size();
      await("writes", () -> written.size() > count + 10);
      world.until(new Question.HandOver(null), () -> former, Reply.Begun.class);
      await("another primary", () -> !world.primary().equals(former));
    }
    isDone.set(true);
    writing.get(60, TimeUnit.SECONDS);
    assertThere(written);
    assertEqualCopies();
  }

  @Test
  void whoeverWasJustElectedHandsOverAsSoonAsItCan() throws IOException {
    found(LARGE_LOG);
    for (int i = 0; i < 10; i++) {
      NodeId former = world.primary();
      NodeId next = world.backup();
      await("it knows", () -> world.box(former).view().isPrimary());
      assertEquals(new Reply.Begun(), world.ask(former, new Question.HandOver(next)));
      await("another primary", () -> world.primary().equals(next));
    }
    NodeId primary = world.primary();
    await("it knows", () -> world.box(primary).view().isPrimary());
    Question unknown = new Question.HandOver(new NodeId("n9"));
    assertEquals(
        new Reply.Refused(Refusal.NOT_ENOUGH_COPIES, Outcome.DID_NOT_HAPPEN),
        world.ask(primary, unknown));
    assertEquals(new Reply.Begun(), world.ask(primary, new Question.HandOver(primary)));
    assertEquals(
        new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN),
        world.ask(world.backup(), unknown));
  }

  // ---- damage ----------------------------------------------------------------------------------

  private static void flip(Path file, double where) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int used = bytes.length;
    while (used > 0 && bytes[used - 1] == 0) {
      used--;
    }
    // Nothing else of the file is touched: it may be in use.
    int at = (int) (used * where);
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      open.write(bytes[at] ^ 0x10);
    }
  }

  private static Path only(Path directory, String suffix) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(it -> it.toString().endsWith(suffix)).sorted().findFirst().orElseThrow();
    }
  }

  private void assertMadeAnew(Box box, ReplicaId former, SortedMap<String, String> written) {
    assertNotEquals(former, box.copy().id());
    await("it is in sync", () -> world.config().insync().contains(box.copy().id()));
    world.awaitInSync(3);
    assertThere(written);
    assertEqualCopies();
  }

  @Test
  void aDamagedJournalIsAnotherReplicaAndMadeAnew() throws IOException {
    found(LARGE_LOG);
    SortedMap<String, String> written = put("k", 100, 100);
    Box box = world.box(world.primary());
    ReplicaId id = box.copy().id();
    box.kill();
    world.put("while", "away");
    flip(only(box.path(), ".journal"), 0.5);
    box.start();
    assertMadeAnew(box, id, written);
    try (Stream<Path> files = Files.walk(box.path().resolve("journals/stores"))) {
      assertEquals(1, files.filter(it -> it.toString().endsWith(".journal")).count());
    }
  }

  @Test
  void aDamagedSnapshotIsAnotherReplicaAndMadeAnew() throws IOException {
    found(SMALL_LOG);
    SortedMap<String, String> written = put("k", 300, 500);
    Box box = world.box(world.backup());
    await("a snapshot", () -> box.view().snapshot() > 0);
    ReplicaId id = box.copy().id();
    box.kill();
    world.put("while", "away");
    flip(only(box.path(), ".snapshot"), 0.5);
    box.start();
    assertMadeAnew(box, id, written);
    try (Stream<Path> files = Files.walk(box.path().resolve("snapshots"))) {
      assertTrue(
          files
              .filter(Files::isRegularFile)
              .noneMatch(it -> it.toString().contains("/" + id.incarnation() + "/")));
    }
  }

  @Test
  void aLostSnapshotIsAnotherReplicaAndMadeAnew() throws IOException {
    found(SMALL_LOG);
    SortedMap<String, String> written = put("k", 300, 500);
    Box box = world.box(world.backup());
    await("a snapshot", () -> box.view().snapshot() > 0);
    world.put("more", "so that the note of it is durable");
    ReplicaId id = box.copy().id();
    box.kill();
    world.put("while", "away");
    Files.delete(only(box.path(), ".snapshot"));
    box.start();
    assertMadeAnew(box, id, written);
  }

  @Test
  void whatIsFoundDamagedWhileItRunsCanBeGivenUp() throws IOException {
    found(SMALL_LOG);
    SortedMap<String, String> written = put("k", 100, 100);
    Box box = world.box(world.backup());
    ReplicaId id = box.copy().id();
    flip(only(box.path(), ".journal"), 0.5);
    long seq = world.write(Op.of(new Step.Put(Contents.MARK, bytes(""))));
    Reply.Digested found = digest(box.node, seq);
    assertEquals(digest(world.primary(), seq).digest(), found.digest());
    assertTrue(found.problem().contains("journal: "), found.problem());

    assertInstanceOf(
        Reply.Refused.class, world.ask(box.node, new Question.Retire()), "it counts still");
    world.propose(new ConfigCommand.Expel(ConfigCommand.At.of(world.config()), box.node));
    world.until(new Question.Retire(), () -> box.node, Reply.Begun.class);
    await("another incarnation", () -> !box.copy().id().equals(id));
    world.propose(new ConfigCommand.Invite(ConfigCommand.At.of(world.config()), box.node));
    assertMadeAnew(box, id, written);
  }

  // ---- single things ---------------------------------------------------------------------------

  @Test
  void aCopyThatWasTakenAwayIsIdle() throws IOException {
    found(LARGE_LOG);
    world.put("k", "v");
    NodeId node = world.backup();
    world.propose(new ConfigCommand.Expel(At.of(world.config()), node));
    world.awaitInSync(2);
    await("it knows", () -> world.config().equals(world.box(node).view().config()));
    Reply.Refused refused = new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN);
    for (Freshness freshness : List.of(Freshness.LINEARIZABLE, Freshness.LOCAL)) {
      assertEquals(
          refused, world.ask(node, new Question.Read(freshness, new Query.Get("k"))), "a read");
    }
    assertEquals(
        refused, world.ask(node, new Question.Write(new RequestId(9, 1), Op.of())), "a write");
    world.put("k", "w");

    world.propose(new ConfigCommand.Invite(At.of(world.config()), node));
    world.awaitInSync(3);
    assertEquals("w", world.get(node, "k"));
    assertEqualCopies();
  }

  @Test
  void aLocalReadIsAnsweredAtOnce() throws IOException {
    found(LARGE_LOG);
    world.put("k", "v");
    Box box = world.box(world.primary());
    List<Thread> threads = new ArrayList<>();
    Question read = new Question.Read(Freshness.LOCAL, new Query.Get("k"));
    box.copy()
        .ask(
            read,
            reply -> {
              Answer.Entries entries = (Answer.Entries) ((Reply.Answered) reply).answer();
              assertEquals("k", entries.rows().get(0).key());
              threads.add(Thread.currentThread());
            });
    assertEquals(List.of(Thread.currentThread()), threads);
  }

  private Reply local(NodeId node, String key) {
    return world.ask(node, new Question.Read(Freshness.LOCAL, new Query.Get(key)));
  }

  private static String value(Reply reply) {
    Answer.Entries entries = (Answer.Entries) ((Reply.Answered) reply).answer();
    return entries.rows().isEmpty() ? "" : new String(entries.rows().get(0).value(), UTF_8);
  }

  @Test
  void aLocalReadDoesNotGoBackWhenTheCopyIsOpenedAgain() throws IOException {
    found(LARGE_LOG);
    long seq = world.put("k", "v");
    Box box = world.box(world.backup());
    await("it knows", () -> box.view().committed() >= seq);
    assertEquals("v", value(local(box.node, "k")));
    for (Box each : world.boxes.values()) {
      each.kill();
    }
    box.start();
    assertInstanceOf(Reply.Refused.class, local(box.node, "k"), "nobody says that it is committed");
    for (Box each : world.boxes.values()) {
      if (each != box) {
        each.start();
      }
    }
    world.awaitInSync(3);
    await("it knows again", () -> local(box.node, "k") instanceof Reply.Answered);
    assertEquals("v", value(local(box.node, "k")));
  }

  @Test
  void aLocalReadOfWhatWasInSyncNeedsNoPrimary() throws IOException {
    found(LARGE_LOG);
    world.put("k", "v");
    Box box = world.box(world.backup());
    for (Box each : world.boxes.values()) {
      each.kill();
    }
    box.floor = 0;
    box.start();
    await("an answer", () -> local(box.node, "k") instanceof Reply.Answered);
  }

  @Test
  void aLocalReadOfACopyThatIsNewIsNotOfNothing() throws IOException {
    world = new CopyWorld(directory, LARGE_LOG);
    world.box(N1).start();
    world.box(N2).start();
    world.found(2);
    world.awaitInSync(2);
    SortedMap<String, String> written = put("k", 200, 5_000);
    world.box(N3).start();
    await("an answer", () -> local(N3, "k199") instanceof Reply.Answered);
    assertEquals(written.get("k199"), value(local(N3, "k199")));
  }

  @Test
  void whoeverWatchesReadsTheLog() throws Exception {
    found(SMALL_LOG);
    long seq = world.put("k", "v");
    Box box = world.box(world.primary());
    LogRecord record = records(box, seq, 10).get(0);
    assertEquals(seq, record.seq());
    assertEquals("k", record.effects().get(0).key());
    assertEquals(List.of(), records(box, seq + 1, 10));
    Copy.Tail tail = box.copy().tail(3).toCompletableFuture().get(10, TimeUnit.SECONDS);
    assertEquals(record, tail.records().get(tail.records().size() - 1));
    assertEquals(seq, tail.committed());

    put("l", 600, 500);
    await("the log begins later", () -> box.view().oldest() > 1);
    CompletionException failure =
        assertThrows(
            CompletionException.class,
            () ->
                box.copy()
                    .records(1, 10)
                    .toCompletableFuture()
                    .orTimeout(10, TimeUnit.SECONDS)
                    .join());
    CoordinationException refused =
        assertInstanceOf(CoordinationException.class, failure.getCause());
    assertEquals(CoordinationException.Reason.CONFLICT, refused.reason());
    List<Long> applied = List.copyOf(box.applied);
    for (int i = 1; i < applied.size(); i++) {
      assertEquals(applied.get(i - 1) + 1, applied.get(i));
    }
  }

  private static List<LogRecord> records(Box box, long from, int count) throws Exception {
    return box.copy().records(from, count).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  @Test
  void aRemoteClerkIsTold() throws Exception {
    found(LARGE_LOG);
    world.put("k", "v");
    NodeId primary = world.primary();
    Reply reply =
        world.box(world.backup()).ask(primary, new Question.Describe()).get(10, TimeUnit.SECONDS);
    Reply.Described described = assertInstanceOf(Reply.Described.class, reply);
    View view = world.box(primary).view();
    assertEquals(view.id(), described.replica());
    assertEquals(view.life(), described.life());
    assertEquals(world.config().life(), described.life());
    assertEquals(world.config().epoch(), described.epoch());
  }

  @Test
  void aRemoteClerkDoesNotWaitForUsersHere() throws Exception {
    found(LARGE_LOG);
    NodeId primary = world.primary();
    CompletableFuture<Void> letGo = new CompletableFuture<>();
    CompletableFuture<Void> entered = new CompletableFuture<>();
    world
        .box(primary)
        .copy()
        .ask(
            new Question.Describe(),
            reply -> {
              entered.complete(null);
              letGo.join();
            });
    entered.get(10, TimeUnit.SECONDS);
    Reply reply =
        world.box(world.backup()).ask(primary, new Question.Describe()).get(10, TimeUnit.SECONDS);
    assertInstanceOf(Reply.Described.class, reply);
    letGo.complete(null);
  }

  @Test
  void whoeverAsksAClosedCopyIsRefused() throws IOException {
    found(LARGE_LOG);
    Box box = world.box(world.backup());
    Copy copy = box.copy();
    box.stop();
    CompletableFuture<Reply> told = new CompletableFuture<>();
    copy.ask(new Question.Describe(), told::complete);
    assertEquals(
        new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN),
        told.orTimeout(10, TimeUnit.SECONDS).join());
    copy.close();
  }
}
