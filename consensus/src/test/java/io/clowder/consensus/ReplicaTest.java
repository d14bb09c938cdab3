// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.SEGMENT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.runtime.GatheringJournal;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Law 1: what an action waits for. */
class ReplicaTest {
  private static final Event TICK = new Event.Clock(1);

  private final MemoryJournal journal = new MemoryJournal();
  private final Workbench.Tasks disk = new Workbench.Tasks();
  private final Workbench.Tasks loop = new Workbench.Tasks();
  private final Script core = new Script();
  private final Happened happened = new Happened();
  private final JournalWriter writer =
      new JournalWriter(journal, Workbench.NOTES, disk, new LoopOutcome());
  private final Replica replica = new Replica(N1, core, writer, happened);

  @BeforeEach
  void open() throws IOException {
    journal.reopened((tag, bytes) -> {});
  }

  /** A core that does what the test wrote down for its next step. */
  private static final class Script implements ProtocolCore {
    final ArrayDeque<List<Action>> steps = new ArrayDeque<>();
    final List<String> events = new ArrayList<>();

    @Override
    public void step(Event event, Actions out) {
      events.add(event.toString());
      List<Action> actions = steps.poll();
      if (actions != null) {
        actions.forEach(out::add);
      }
    }

    @Override
    public byte[] anchor(long slot) {
      return new byte[0];
    }

    @Override
    public View view() {
      return new View("follower", 0, 0, 0, "");
    }
  }

  /** What came out, in order. */
  private static final class Happened implements Replica.Outlet {
    final List<String> what = new ArrayList<>();

    @Override
    public void send(NodeId to, Message message) {
      what.add(((Workbench.Note) message).text() + "→" + to);
    }

    @Override
    public void decide(Action.Decide decided) {
      what.add("decide " + decided.firstSlot());
    }

    @Override
    public void ready(Action.Ready ready) {
      what.add("ready " + ready.ticket() + " at " + ready.slot());
    }

    @Override
    public void refuse(Action.Refuse refusal) {
      what.add("refuse " + refusal.ticket());
    }

    @Override
    public void lead(long term) {
      what.add("lead " + term);
    }

    @Override
    public void follow(@Nullable NodeId leader, long term) {
      what.add("follow " + leader + " in " + term);
    }

    @Override
    public void describe(JournalWriter journal, long tag) {
      journal.append(tag, SEGMENT);
    }

    @Override
    public void needSnapshot(NodeId peer) {
      what.add("snapshot for " + peer);
    }
  }

  private final class LoopOutcome implements GatheringJournal.Outcome {
    @Override
    public void enqueue(Runnable task) {
      loop.execute(task);
    }

    @Override
    public void failed(IOException failure) {
      throw new AssertionError(failure);
    }
  }

  private static Action persist(long slot) {
    return new Action.Persist(new Workbench.Note("record " + slot), slot);
  }

  private static Action send(NodeId to, String text) {
    return new Action.Send(to, new Workbench.Note(text));
  }

  private static Action decide(long slot) {
    return new Action.Decide(slot, List.of(new byte[0]));
  }

  /** Has the core do this in its next step, and lets happen what may happen now. */
  private List<String> step(Action... actions) {
    return step(TICK, actions);
  }

  private List<String> step(Event event, Action... actions) {
    core.steps.add(List.of(actions));
    replica.step(event);
    return drained();
  }

  private List<String> drained() {
    happened.what.clear();
    replica.drain();
    return List.copyOf(happened.what);
  }

  /** Makes what has gathered durable; gives what that let happen. */
  private List<String> sync() {
    writer.flush(0);
    disk.runAll();
    loop.runAll();
    return drained();
  }

  @Test
  void aSendAfterAPersistWaitsForTheDisk() {
    assertEquals(List.of(), step(persist(1), send(N2, "vote")));
    assertEquals(List.of("vote→n2"), sync());
  }

  @Test
  void aSendBeforeAPersistLeavesAtOnce() {
    assertEquals(List.of("append→n2"), step(send(N2, "append"), persist(1)));
    assertEquals(List.of(), sync());
  }

  @Test
  void aSendWaitsForTheRecordsOfEarlierStepsToo() {
    step(persist(1));
    assertEquals(List.of(), step(send(N2, "vote")));
    assertEquals(List.of("vote→n2"), sync());
  }

  @Test
  void aSendWaitsForNoRecordOfALaterStep() {
    step(persist(1), send(N2, "one"));
    writer.flush(0);
    step(persist(2), send(N2, "two"));
    disk.runAll();
    loop.runAll();
    assertEquals(List.of("one→n2"), drained());
    assertEquals(List.of("two→n2"), sync());
  }

  @Test
  void aDecideWaitsForTheRecordsOfItsOwnStep() {
    assertEquals(List.of(), step(persist(1), decide(1)));
    assertEquals(List.of("decide 1"), sync());
  }

  @Test
  void aDecideDoesNotWaitForEarlierSteps() {
    step(persist(1), send(N2, "late"));
    assertEquals(List.of("decide 1"), step(decide(1)));
    assertEquals(List.of("late→n2"), sync());
  }

  @Test
  void aDecideBeforeAPersistOfItsStepHappensAtOnce() {
    assertEquals(List.of("decide 1"), step(decide(1), persist(2)));
  }

  @Test
  void actionsThatAreNoSendsKeepTheirOrder() {
    step(persist(1), decide(1));
    assertEquals(List.of(), step(decide(2), new Action.Ready(7, 2)));
    assertEquals(List.of("decide 1", "decide 2", "ready 7 at 2"), sync());
  }

  @Test
  void everyActionReachesItsDoor() {
    assertEquals(
        List.of("lead 3", "follow n2 in 4", "refuse 5", "snapshot for n2", "ready 6 at 9"),
        step(
            new Action.Lead(3),
            new Action.Follow(N2, 4),
            new Action.Refuse(5, N2),
            new Action.NeedSnapshot(N2),
            new Action.Ready(6, 9)));
  }

  @Test
  void whatACoreSendsToItselfComesBackOnceItIsDurable() {
    core.steps.add(List.of(persist(1), send(N1, "accepted")));
    core.steps.add(List.of(decide(1)));
    replica.step(TICK);
    assertEquals(List.of(), drained());
    assertEquals(1, core.events.size(), "not durable yet");
    assertEquals(List.of("decide 1"), sync());
    assertEquals("Receive[from=n1, message=Note[text=accepted]]", core.events.get(1));
  }

  @Test
  void aSendToItselfWithoutARecordComesBackInTheSameRound() {
    core.steps.add(List.of(send(N1, "hello")));
    core.steps.add(List.of(send(N2, "world")));
    replica.step(TICK);
    assertEquals(List.of("world→n2"), drained());
    assertFalse(replica.drain());
  }

  @Test
  void aTrimComesAfterTheRecordThatSupersedes() {
    step(persist(1));
    sync();
    step(persist(2), new Action.Trim(1));
    assertEquals(0, disk.size());
    sync();
    disk.runAll();
    assertEquals(List.of("append 1", "sync", "append 2", "sync", "trim 1"), journal.calls);
  }

  @Test
  void compactionWritesTheSegmentAgainBeforeAnythingIsTrimmed() {
    step(persist(1));
    sync();
    step(new Event.Compacted(1), persist(1), new Action.Trim(1));
    sync();
    MemoryJournal.Stored described = journal.durable().get(1);
    assertEquals(JournalWriter.SEGMENT, described.bytes()[0]);
    disk.runAll();
    assertEquals(
        List.of("append 1", "sync", "append 2", "append 1", "sync", "trim 1"), journal.calls);
  }

  @Test
  void anInstalledSnapshotWritesTheSegmentAgainToo() {
    step(new Event.Installed(9, new byte[0]), persist(9));
    sync();
    assertEquals(List.of("append 10", "append 9", "sync"), journal.calls);
  }

  @Test
  void theSegmentsRecordHoldsUpNoDecideOfItsStep() {
    assertEquals(List.of("decide 2"), step(new Event.Compacted(1), decide(2)));
  }

  @Test
  void theLastWishForATimeCounts() {
    assertEquals(Long.MAX_VALUE, replica.wakeAt());
    step(persist(1), new Action.WakeAt(20), new Action.WakeAt(10));
    assertEquals(10, replica.wakeAt());
    step(new Action.WakeAt(30));
    assertEquals(30, replica.wakeAt());
  }

  @Test
  void anOutletMayStepTheCoreButACoreMayNot() {
    Replica[] reentrant = new Replica[1];
    ProtocolCore rude =
        new ProtocolCore() {
          @Override
          public void step(Event event, Actions out) {
            reentrant[0].step(event);
          }

          @Override
          public byte[] anchor(long slot) {
            return new byte[0];
          }

          @Override
          public View view() {
            return new View("follower", 0, 0, 0, "");
          }
        };
    reentrant[0] = new Replica(N1, rude, writer, happened);
    assertThrows(AssertionError.class, () -> reentrant[0].step(TICK));
  }
}
