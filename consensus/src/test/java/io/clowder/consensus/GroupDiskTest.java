// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.protocol.Event;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** A disk that fails, fills up, or cannot be read. */
class GroupDiskTest {
  private static final long MIB = 1 << 20;

  @Test
  void aFailedSyncStopsTheReplicaForGood() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    node.storage.journal().failure = new IOException("Input/output error");
    CompletionStage<Committed> lost = node.submit("b");
    node.settle();
    String problem = "disk: Input/output error; restart the node once the disk is well";
    assertEquals(List.of(problem), node.status().problems());
    assertEquals("down", node.status().role());
    assertFalse(node.storage.journal().open);
    assertEquals("2:a ", node.diary.lines(), "what was not synced was applied");

    node.storage.journal().failure = null;
    node.pass(Duration.ofSeconds(6));
    assertEquals(1, node.protocol.opened, "it must not believe the disk again");
    assertEquals(Reason.TIMEOUT, failure(lost).reason());
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure(lost).outcome());
    assertTrue(failure(lost).getMessage().endsWith(problem), failure(lost).getMessage());
  }

  @Test
  void aNodeThatRestartsReadsItsDiskBack() {
    OneNode first = OneNode.serving();
    first.submit("a");
    first.settle();
    first.storage.journal().failure = new IOException("Input/output error");
    first.submit("b");
    first.settle();
    first.storage.journal().failure = null;

    OneNode again = new OneNode(first.storage, "instant", N1);
    again.group.addProtocol("instant", again.protocol);
    again.settle();
    assertEquals("2:a 3-1 ", again.diary.lines());
  }

  @Test
  void aFullDiskIsOpenedAgainWhenThereIsRoom() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    node.storage.journal().failure =
        new Storage.DiskFullException("main/0 needs 4 KiB", new IOException("full"));
    CompletionStage<Committed> waiting = node.submit("b");
    node.settle();
    assertEquals(List.of("disk: main/0 needs 4 KiB"), node.status().problems());
    assertEquals("down", node.status().role());

    node.pass(Duration.ofMillis(1_500));
    assertFalse(waiting.toCompletableFuture().isDone());
    node.storage.journal().failure = null;
    node.pass(Duration.ofMillis(1_500));
    assertEquals("did b", text(done(waiting).result()));
    assertEquals("2:a 3:b ", node.diary.lines());
    assertEquals(List.of(), node.status().problems());
  }

  @Test
  void littleSpaceRefusesNewWorkAndKeepsReading() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    node.storage.freeBytes = MIB - 1;
    node.protocol.resigns = false;
    node.pass(Duration.ofSeconds(2));
    CompletionStage<Committed> refused = node.submit("b");
    CompletionStage<byte[]> query = node.query(ReadConsistency.LINEARIZABLE);
    node.settle();
    String problem = "disk: 0 MiB free on n1, new work is refused under 1 MiB";
    assertEquals(Reason.UNAVAILABLE, failure(refused).reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(refused).outcome());
    assertEquals(problem, failure(refused).getMessage());
    assertEquals(List.of(problem), node.status().problems());
    assertEquals("2:a ", text(done(query)));
    assertTrue(
        node.protocol.events.stream().anyMatch(Event.Resign.class::isInstance),
        "somebody with room should lead");

    node.storage.freeBytes = MIB;
    node.pass(Duration.ofSeconds(2));
    CompletionStage<Committed> taken = node.submit("c");
    node.settle();
    assertEquals("did c", text(done(taken).result()));
    assertEquals(List.of(), node.status().problems());
  }

  @Test
  void aCorruptJournalIsNotOpenedAgain() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1);
    node.storage.openFailure = new Storage.CorruptionException("main/0.log at 4096: bad checksum");
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    assertEquals(List.of("disk: main/0.log at 4096: bad checksum"), node.status().problems());
    node.storage.openFailure = null;
    node.pass(Duration.ofSeconds(5));
    assertEquals("down", node.status().role());
    assertEquals(0, node.protocol.opened);
  }

  @Test
  void aJournalThatCannotBeOpenedIsTriedEverySecond() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1);
    node.storage.openFailure = new IOException("Permission denied");
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    assertEquals(List.of("disk: Permission denied"), node.status().problems());
    node.storage.openFailure = null;
    node.pass(Duration.ofMillis(900));
    assertEquals("down", node.status().role());
    node.pass(Duration.ofMillis(200));
    assertEquals("leader", node.status().role());
    assertEquals(List.of(), node.status().problems());
  }

  @Test
  void aJournalOfAnotherVersionStopsTheReplicaLoudly() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    MemoryJournal journal = new MemoryJournal();
    storage.journals.put("main/0", journal);
    journal.reopened((tag, bytes) -> {});
    journal.append(0, new byte[] {9}, 0, 1);
    journal.sync();
    journal.close();
    OneNode node = new OneNode(storage, "instant", N1);
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    assertEquals("down", node.status().role());
    assertTrue(
        node.status()
            .problems()
            .get(0)
            .endsWith("journal main/0 holds what this version cannot read: a record of kind 9"),
        node.status().problems()::toString);
  }
}
