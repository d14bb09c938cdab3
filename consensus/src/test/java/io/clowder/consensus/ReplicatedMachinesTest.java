// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.OneState.timed;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.SEGMENT;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.command;
import static io.clowder.consensus.Workbench.open;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.consensus.Entry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Machines that come and go, and snapshots of all of them. */
class ReplicatedMachinesTest {
  private final OneState one = new OneState();
  private final ReplicatedState state = one.state;
  private final Diary diary = one.diary;

  private static InputStream in(byte[] content) {
    return new ByteArrayInputStream(content);
  }

  // --- machines come and go ---------------------------------------------------------------------

  @Test
  void aMachineThatIsAwayCatchesUpAndFillsInTheResults() {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.detach("diary", diary);
    assertEquals(List.of("diary"), state.absent());
    assertNull(state.machine("diary"));
    one.apply(command(1, 2, "diary", "b"), open(N1, 8), command(4, 1, "diary", "fail"));
    one.apply(command(4, 2, "diary", "c"));
    assertEquals(Sessions.Status.PENDING, one.status(4, 2));

    Diary next = new Diary();
    state.attach("diary", next, true);
    assertNull(state.machine("diary"), "not before it has caught up");
    assertTrue(state.catchUp("diary", next, 0));
    assertSame(next, state.machine("diary"));
    assertEquals("2:a 3:b 4-1 5:fail 6:c ", next.lines());
    assertEquals(Sessions.Status.FAILED, one.status(4, 1));
    assertEquals(Sessions.Status.APPLIED, one.status(4, 2));
    assertEquals("did c", text(state.sessions().get(4).result(2).bytes()));
    assertEquals(List.of(), state.absent());
    assertEquals("2:a ", diary.lines(), "the instance that left");
  }

  @Test
  void catchingUpBeginsAfterWhatTheSnapshotHeld() throws IOException {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.forget(2);
    one.apply(command(1, 2, "diary", "b"));
    state.detach("diary", diary);
    Diary next = new Diary();
    next.restore(in(bytes("2:a ")));
    state.attach("diary", next, true);
    assertTrue(state.catchUp("diary", next, 2));
    assertEquals("2:a 3:b ", next.lines());
  }

  @Test
  void aHistoryThatDoesNotGoBackThatFarIsNotEnough() {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 2, "diary", "b"));
    state.forget(2);
    state.detach("diary", diary);
    Diary next = new Diary();
    state.attach("diary", next, true);
    assertFalse(state.catchUp("diary", next, 1));
    assertEquals("", next.lines());
    assertNull(state.machine("diary"));
  }

  @Test
  void anInstanceThatWasReplacedMeanwhileIsLeftAlone() {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    Diary first = new Diary();
    Diary second = new Diary();
    state.attach("diary", first, true);
    state.attach("diary", second, true);
    assertTrue(state.catchUp("diary", first, 0));
    assertEquals("", first.lines());
    assertNull(state.machine("diary"));
    assertTrue(state.catchUp("diary", second, 0));
    assertEquals("2:a ", second.lines());
    assertTrue(state.catchUp("nobody", second, 0));
    assertFalse(state.detach("diary", first), "the second took its place");
    assertSame(second, state.machine("diary"));
  }

  @Test
  void aMachineIsNeverAheadOfTheLog() {
    one.apply(new byte[0]);
    Diary next = new Diary();
    state.attach("diary", next, true);
    assertThrows(AssertionError.class, () -> state.catchUp("diary", next, 2));
  }

  @Test
  void theHistoryIsWhatCameSinceTheSnapshot() {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 2, "diary", "bcd"));
    assertEquals(2, state.historySize());
    assertEquals(1 + 3 + 2 * 128, state.historyBytes());
    state.forget(2);
    assertEquals(1, state.historySize());
    assertEquals(3 + 128, state.historyBytes());
    state.forget(3);
    assertEquals(0, state.historyBytes());
  }

  // --- snapshots --------------------------------------------------------------------------------

  @Test
  void equalHistoriesGiveEqualSnapshots() throws IOException {
    ReplicatedState twin = new ReplicatedState(new OneState.Told());
    twin.attach("diary", new Diary(), false);
    twin.begin(SEGMENT);
    List<byte[]> entries =
        List.of(
            timed(9, open(N1, 7)),
            command(1, 1, "diary", "a"),
            new byte[0],
            open(N2, 8),
            command(1, 3, "diary", "fail"),
            new Envelope.Expire(4).encode());
    for (byte[] entry : entries) {
      one.apply(entry);
      twin.apply(twin.applied() + 1, entry);
      assertArrayEquals(one.captured(), OneState.captured(twin), "at " + state.applied());
    }
  }

  @Test
  void aRestoredStateGoesOnAsTheOriginal() throws IOException {
    one.apply(timed(9, open(N1, 7)), command(1, 1, "diary", "a"), command(1, 2, "diary", "fail"));
    ReplicatedState copy = new ReplicatedState(new OneState.Told());
    Diary its = new Diary();
    copy.attach("diary", its, false);
    SnapshotFormat.Head head = copy.restore(in(one.captured()));
    assertEquals(3, head.position());
    assertArrayEquals(bytes("anchor"), head.anchor());
    assertEquals(3, copy.applied());
    assertEquals(List.of(SEGMENT), copy.chain());
    assertNotNull(copy.incarnation(N1));
    assertSame(its, copy.machine("diary"));
    assertArrayEquals(one.captured(), OneState.captured(copy));

    for (byte[] entry : List.of(command(1, 1, "diary", "a"), command(1, 3, "diary", "c"))) {
      one.apply(entry);
      copy.apply(copy.applied() + 1, entry);
    }
    assertEquals("2:a 3:fail 5:c ", its.lines());
    assertEquals(9, its.timeMillis);
    assertArrayEquals(one.captured(), OneState.captured(copy));
  }

  @Test
  void aRestoreReplacesEverythingThatWasThere() throws IOException {
    byte[] empty = one.captured();
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.restore(in(empty));
    assertEquals(0, state.applied());
    assertEquals(0, state.sessions().size());
    assertEquals(0, state.historyBytes());
    assertNull(state.incarnation(N1));
    assertEquals("", diary.lines());
    assertArrayEquals(empty, one.captured());
  }

  @Test
  void machinesThatASnapshotDoesNotKnowBeginEmpty() throws IOException {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = one.captured();
    Diary other = new Diary();
    other.apply(new Entry(Entry.Kind.COMMAND, 1, 0, 1, bytes("old")));
    state.attach("other", other, false);
    state.restore(in(content));
    assertEquals("", other.lines());
    assertSame(other, state.machine("other"));
  }

  @Test
  void aMachineOfTheSnapshotThatIsAwayStaysKnown() throws IOException {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = one.captured();
    ReplicatedState bare = new ReplicatedState(new OneState.Told());
    bare.restore(in(content));
    assertEquals(List.of("diary"), bare.absent());
    assertThrows(AssertionError.class, () -> bare.capture(new byte[0]));

    Diary next = new Diary();
    ReplicatedState.restoreOne("diary", next, in(content));
    bare.attach("diary", next, true);
    assertTrue(bare.catchUp("diary", next, 2));
    assertArrayEquals(content, OneState.captured(bare));
    ReplicatedState.restoreOne("unknown", next, in(content));
    assertEquals("", next.lines());
  }

  @Test
  void aMachineThatIsBeingLoadedIsNotTouchedByARestore() throws IOException {
    byte[] content = one.captured();
    Diary loading = new Diary();
    state.attach("diary", loading, true);
    state.restore(in(content));
    assertEquals(0, loading.restored);
    assertNull(state.machine("diary"));
  }

  @Test
  void aSnapshotThatIsCutShortIsAFailureOfTheFile() throws IOException {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = one.captured();
    byte[] cut = Arrays.copyOf(content, content.length - 1);
    assertThrows(Exception.class, () -> state.restore(in(cut)));
  }
}
