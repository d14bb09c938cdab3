// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.replication.CopyWorld.await;
import static io.clowder.replication.CopyWorld.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.storage.Storage.DiskFullException;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.CopyWorld.Box;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a copy ends: by its disk, by a bug, or because it is told to. */
@Timeout(120)
final class CopyEndTest {
  @TempDir private Path directory;
  private final Map<NodeId, FailingStorage> disks = new TreeMap<>();
  private CopyWorld world;

  @BeforeEach
  void found() throws IOException {
    world = new CopyWorld(directory, Copy.Setting.LOG_BYTES);
    for (Box box : world.boxes.values()) {
      box.around =
          storage -> {
            FailingStorage failing = new FailingStorage(storage);
            disks.put(box.node, failing);
            return failing;
          };
    }
    world.found();
  }

  @AfterEach
  void close() throws IOException {
    world.close();
  }

  private static CompletableFuture<Reply> write(Copy copy, long number) {
    CompletableFuture<Reply> told = new CompletableFuture<>();
    Op op = Op.of(new Step.Put("k" + number, bytes("v")));
    copy.ask(new Question.Write(new RequestId(8, number), op), told::complete);
    return told.orTimeout(60, TimeUnit.SECONDS);
  }

  private static final Reply.Refused UNKNOWN =
      new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.MAY_HAVE_HAPPENED);
  private static final Reply.Refused NOT_DONE =
      new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN);

  private void assertComesBack(Box box) throws IOException {
    box.kill();
    long seq = world.put("another", "serves");
    assertNotEquals(box.node, world.primary());
    box.start();
    world.awaitInSync(3);
    await("it has what it missed", () -> box.view().committed() >= seq);
    assertEquals("serves", world.get(box.node, "another"));
  }

  @Test
  void aSyncThatFailedIsTheEnd() throws IOException {
    Box box = world.box(world.primary());
    disks.get(box.node).failure = new IOException("the medium is worn out");
    assertEquals(UNKNOWN, write(box.copy(), 1).join());
    await("it has said so", () -> !box.failure.isEmpty());
    assertTrue(box.failure.contains("the medium is worn out"), box.failure);
    assertEquals(NOT_DONE, write(box.copy(), 2).join());
    assertComesBack(box);
  }

  @Test
  void whoeverIsInterruptedWhileItClosesLeavesNoFilesOpen() throws IOException {
    Box box = world.box(world.primary());
    FailingStorage disk = disks.get(box.node);
    Thread.currentThread().interrupt();
    box.copy().close();
    assertTrue(Thread.interrupted(), "whoever interrupted is heard");
    assertEquals(disk.opened.get(), disk.closed.get());
  }

  @Test
  void aFullDiskIsTheEnd() throws IOException {
    Box box = world.box(world.primary());
    disks.get(box.node).failure = new DiskFullException("no room in it", new IOException());
    assertEquals(UNKNOWN, write(box.copy(), 1).join());
    await("it has said so", () -> !box.failure.isEmpty());
    assertTrue(box.failure.startsWith("the disk is full; make room"), box.failure);
    assertComesBack(box);
  }

  @Test
  void aBugIsTheEnd() throws IOException {
    Box box = world.box(world.primary());
    box.fault = new IllegalStateException("a listener fails");
    // Whether this one is told of its success before is of no account; the next is not taken.
    write(box.copy(), 1).join();
    await("it has said so", () -> !box.failure.isEmpty());
    assertEquals(NOT_DONE, write(box.copy(), 2).join());
    assertTrue(box.failure.contains("a listener fails"), box.failure);
    box.fault = null;
    assertComesBack(box);
  }

  @Test
  void whoeverHangsOnItsDiskYieldsAndCanBeEnded() throws IOException {
    Box box = world.box(world.primary());
    CountDownLatch hung = new CountDownLatch(1);
    disks.get(box.node).hung = hung;
    CompletableFuture<Reply> told = write(box.copy(), 1);
    await("another primary", () -> !world.primary().equals(box.node));
    await("it knows", () -> box.view().isDiskHung() && !box.view().isPrimary());
    assertEquals(UNKNOWN, told.join());
    CompletableFuture<Void> closed = CompletableFuture.runAsync(box.copy()::close);
    await("it is closed, the disk notwithstanding", closed::isDone);
    hung.countDown();
    assertComesBack(box);
  }

  @Test
  void aPrimaryWithoutRoomTakesNoWritesAndYields() {
    NodeId primary = world.primary();
    disks.get(primary).freeBytes = 1;
    await("another primary", () -> !world.primary().equals(primary));
    assertTrue(world.box(primary).view().isSpaceLow());
    world.put("another", "serves");

    disks.values().forEach(it -> it.freeBytes = 1);
    Box next = world.box(world.primary());
    await("it has looked", () -> next.view().isSpaceLow());
    Reply full = new Reply.Refused(Refusal.NO_SPACE, Outcome.DID_NOT_HAPPEN);
    await("a refusal", () -> write(world.box(world.primary()).copy(), 1).join().equals(full));
    disks.get(primary).freeBytes = Long.MAX_VALUE;
    disks.values().forEach(it -> it.freeBytes = Long.MAX_VALUE);
    world.put("there is", "room again");
  }

  @Test
  void whoeverWaitsIsToldWhenItIsAborted() throws IOException {
    Box box = world.box(world.primary());
    world.boxes.values().stream().filter(it -> !it.equals(box)).forEach(it -> world.cut(it.node));
    Copy copy = box.copy();
    CompletableFuture<Reply> told = write(copy, 1);
    await("it is taken", () -> copy.view().end() > copy.view().committed());
    box.stop();
    assertEquals(UNKNOWN, told.join());
    assertEquals(NOT_DONE, write(copy, 2).join());
  }
}
