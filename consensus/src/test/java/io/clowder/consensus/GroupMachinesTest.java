// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** A machine's bundle that goes, comes back, comes late, or is broken. */
class GroupMachinesTest {
  /** A machine whose every method but {@code apply} fails as the test says. */
  private static final class Broken implements StateMachine {
    private final Error failure = new NoClassDefFoundError("Gone");
    boolean applies = true;
    boolean restores = true;

    @Override
    public byte[] apply(Entry entry) {
      if (!applies) {
        throw failure;
      }
      return new byte[0];
    }

    @Override
    public byte[] query(byte[] query) {
      throw failure;
    }

    @Override
    public Snapshot snapshot() {
      return out -> {
        throw new IllegalStateException("no room");
      };
    }

    @Override
    public void restore(InputStream in) {
      if (!restores) {
        throw new IllegalStateException("of a newer version");
      }
    }
  }

  private final OneNode node = OneNode.serving();
  private final Broken broken = new Broken();

  private void submitAll(int count) {
    for (int i = 0; i < count; i++) {
      CompletionStage<Committed> result = node.submit("x");
      node.settle();
      done(result);
    }
  }

  @Test
  void aMachineThatGoesFailsItsRequestsAndComesBackWithItsState() {
    node.submit("a");
    node.settle();
    CompletionStage<Committed> sent = node.submit("b");
    node.work();
    CompletionStage<Void> left = node.group.removeMachine("diary", node.diary);
    node.settle();
    done(left);
    assertEquals(Reason.UNAVAILABLE, failure(sent).reason());
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure(sent).outcome());
    assertEquals(
        "the bundle of machine 'diary' was stopped on this node", failure(sent).getMessage());
    assertEquals("2:a ", node.diary.lines(), "called after it left");
    assertEquals(
        List.of("bundle: machine 'diary' is away; no snapshot can be made"),
        node.status().problems());

    CompletionStage<byte[]> query = node.query(ReadConsistency.LINEARIZABLE);
    CompletionStage<Committed> command = node.submit("c");
    node.settle();
    assertEquals(Reason.UNAVAILABLE, failure(query).reason());
    assertEquals(Reason.UNAVAILABLE, failure(command).reason());
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure(command).outcome());

    Diary next = new Diary();
    ConsensusService service = node.group.addMachine("diary", next);
    node.settle();
    assertEquals("2:a 3:b 4:c ", next.lines());
    CompletionStage<Committed> after = service.submit(bytes("d"), OneNode.DEADLINE);
    node.settle();
    assertEquals("did d", text(done(after).result()));
    assertEquals(List.of(), node.status().problems());
  }

  @Test
  void aMachineThatComesLateHasTheWholeLog() {
    submitAll(25);
    assertNotNull(node.storage.snapshots.latest);
    node.group.removeMachine("diary", node.diary);
    Diary next = new Diary();
    node.group.addMachine("diary", next);
    node.settle();
    assertEquals(node.diary.lines(), next.lines());
    assertTrue(next.restored > 0);
  }

  @Test
  void aMachineThatIsAwayTooLongStopsTheReplica() {
    node.submit("a");
    node.settle();
    node.group.removeMachine("diary", node.diary);
    for (int i = 0; i < 40; i++) {
      node.submit("x");
      node.settle();
    }
    assertEquals("down", node.status().role());
    String problem = node.status().problems().get(0);
    assertTrue(problem.contains("because these machines are away: [diary]"), problem);
    assertNull(node.storage.snapshots.latest);
  }

  @Test
  void aMachineThatLeftIsNotCalledAnyMore() {
    submitAll(11);
    Diary late = new Diary();
    node.group.addMachine("late", late);
    node.work();
    CompletionStage<Void> left = node.group.removeMachine("late", late);
    node.work();
    assertFalse(left.toCompletableFuture().isDone(), "its state is being read");
    node.background.runAll();
    done(left);
    int before = late.restored;
    submitAll(2);
    assertEquals(before, late.restored);
    assertEquals("", late.lines());
  }

  @Test
  void anInstanceThatWasReplacedTakesNothingWithIt() {
    node.submit("a");
    node.settle();
    Diary next = new Diary();
    node.group.addMachine("diary", next);
    CompletionStage<Void> left = node.group.removeMachine("diary", node.diary);
    node.settle();
    done(left);
    submitAll(1);
    assertEquals("2:a 3:x ", next.lines());
    assertEquals("2:a ", node.diary.lines());
  }

  @Test
  void anErrorOfAMachineStopsTheReplicaLoudly() {
    ConsensusService service = node.group.addMachine("broken", broken);
    node.settle();
    CompletionStage<byte[]> query =
        service.query(bytes("all"), ReadConsistency.LOCAL, OneNode.DEADLINE);
    node.settle();
    assertEquals(Reason.STATE_MACHINE_FAILED, failure(query).reason());

    broken.applies = false;
    service.submit(bytes("x"), OneNode.DEADLINE);
    node.settle();
    assertEquals("down", node.status().role());
    assertEquals(
        List.of("invariant: java.lang.NoClassDefFoundError: Gone"), node.status().problems());
  }

  @Test
  void aMachineThatCannotReadItsStateStopsTheReplicaLoudly() {
    broken.restores = false;
    node.group.addMachine("broken", broken);
    node.settle();
    assertEquals("down", node.status().role());
    String problem = node.status().problems().get(0);
    assertTrue(
        problem.contains(
            "machine broken cannot read its part of the snapshot: "
                + "java.lang.IllegalStateException: of a newer version"),
        problem);
  }

  @Test
  void aMachineThatCannotWriteItsStateHoldsUpSnapshotsOnly() {
    node.group.addMachine("broken", broken);
    submitAll(20);
    assertEquals("leader", node.status().role());
    assertEquals(List.of("disk: a snapshot could not be made: no room"), node.status().problems());
    node.group.removeMachine("broken", broken);
    node.group.addMachine("broken", new Diary());
    node.pass(Duration.ofSeconds(10));
    assertEquals(List.of(), node.status().problems());
    assertNotNull(node.storage.snapshots.latest);
  }
}
