// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

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

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReplicatedStateTest {
  private final Told told = new Told();
  private final ReplicatedState state = new ReplicatedState(told);
  private final Diary diary = new Diary();

  /** What the state said, in order. */
  private static final class Told implements ReplicatedState.Outcomes {
    final List<String> what = new ArrayList<>();

    @Override
    public void opened(Sessions.Session session) {
      what.add("opened " + session.id + " of " + session.node);
    }

    @Override
    public void ended(long session, long position) {
      what.add("ended " + session + " at " + position);
    }

    @Override
    public void applied(
        long session, long sequence, Sessions.Result result, @Nullable RuntimeException failure) {
      String cause = failure == null ? "" : " " + failure.getMessage();
      what.add(
          session + "/" + sequence + " " + result.status() + " " + text(result.bytes()) + cause);
    }
  }

  @BeforeEach
  void begin() {
    state.attach("diary", diary, false);
    state.begin(SEGMENT);
  }

  private void apply(byte[]... entries) {
    for (byte[] entry : entries) {
      state.apply(state.applied() + 1, entry);
    }
  }

  private static byte[] timed(long timeMillis, byte[] envelope) {
    Envelope.stamp(envelope, timeMillis);
    return envelope;
  }

  private static byte[] captured(ReplicatedState state) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    state.capture(bytes("anchor")).writeTo(out);
    return out.toByteArray();
  }

  private static InputStream in(byte[] content) {
    return new ByteArrayInputStream(content);
  }

  private Sessions.Status status(long session, long sequence) {
    return state.sessions().get(session).result(sequence).status();
  }

  // --- entries ----------------------------------------------------------------------------------

  @Test
  void aCommandOfASessionIsAppliedOnce() {
    apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 1, "diary", "a"));
    assertEquals("2:a ", diary.lines());
    assertEquals(List.of("opened 1 of n1", "1/1 APPLIED did a"), told.what);
    assertEquals(3, state.applied());
  }

  @Test
  void aCommandOfNoSessionIsNothing() {
    apply(command(1, 1, "diary", "a"));
    assertEquals("", diary.lines());
    assertEquals(List.of(), told.what);
  }

  @Test
  void bytesThatAreNoEnvelopeAreNothingEverywhere() {
    apply(new byte[0], bytes("?"), Arrays.copyOf(open(N1, 7), 12), CodecTest.hex("07"));
    assertEquals(4, state.applied());
    assertEquals(0, state.sessions().size());
  }

  @Test
  void positionsHaveNoGaps() {
    apply(new byte[0]);
    assertThrows(AssertionError.class, () -> state.apply(3, new byte[0]));
    assertThrows(AssertionError.class, () -> state.apply(1, new byte[0]));
  }

  @Test
  void timeNeverFalls() {
    apply(timed(50, open(N1, 7)), timed(40, command(1, 1, "diary", "a")));
    assertEquals(50, state.timeMillis());
    apply(timed(60, command(1, 2, "diary", "b")));
    assertEquals(60, state.timeMillis());
  }

  @Test
  void anExceptionIsTheSameFailureEverywhere() {
    apply(open(N1, 7), command(1, 1, "diary", "fail"), command(1, 2, "diary", "b"));
    assertEquals(Sessions.Status.FAILED, status(1, 1));
    assertEquals(
        List.of("opened 1 of n1", "1/1 FAILED  failed as told", "1/2 APPLIED did b"), told.what);
  }

  @Test
  void aResultOverTheLimitIsAFailure() {
    apply(open(N1, 7), command(1, 1, "diary", "size " + (Limits.RESULT_BYTES + 1)));
    apply(command(1, 2, "diary", "size " + Limits.RESULT_BYTES));
    assertEquals(Sessions.Status.FAILED, status(1, 1));
    assertEquals(Sessions.Status.APPLIED, status(1, 2));
  }

  // --- sessions ---------------------------------------------------------------------------------

  @Test
  void openingTwiceUnderOneNonceOpensOne() {
    apply(open(N1, 7), open(N1, 7));
    assertEquals(1, state.sessions().size());
    assertEquals(List.of("opened 1 of n1", "opened 1 of n1"), told.what);
  }

  @Test
  void aNewLifeOfANodeEndsItsEarlierOnes() {
    apply(open(N1, 7), open(N2, 7), open(N1, 8));
    assertEquals("3-1 ", diary.lines());
    assertEquals(2, state.sessions().size());
    assertEquals(
        List.of("opened 1 of n1", "opened 2 of n2", "ended 1 at 3", "opened 3 of n1"), told.what);
  }

  @Test
  void theFirstDirectoryOfANodeIsTheOneItIsKnownBy() {
    assertNull(state.incarnation(N1));
    apply(new Envelope.Open(N1, 41, 7, 1000).encode(), new Envelope.Open(N1, 42, 8, 1000).encode());
    assertEquals(41, state.incarnation(N1));
  }

  @Test
  void theEndOfASessionReachesEveryMachineOnce() {
    Diary other = new Diary();
    state.attach("other", other, false);
    state.catchUp("other", other, 0);
    apply(open(N1, 7), new Envelope.Expire(1).encode(), new Envelope.Expire(1).encode());
    assertEquals("2-1 ", diary.lines());
    assertEquals("2-1 ", other.lines());
    apply(command(1, 1, "diary", "late"));
    assertEquals("2-1 ", diary.lines(), "a command after its session's end");
    assertEquals(List.of("opened 1 of n1", "ended 1 at 2"), told.what);
  }

  @Test
  void theTableOfSessionsHasALimit() {
    for (int i = 1; i <= Limits.SESSIONS + 1; i++) {
      apply(new Envelope.Open(new NodeId("m" + i), i, i, 1000).encode());
    }
    assertEquals(Limits.SESSIONS, state.sessions().size());
    assertEquals(Limits.SESSIONS, told.what.size());
  }

  // --- machines come and go ---------------------------------------------------------------------

  @Test
  void aMachineThatIsAwayCatchesUpAndFillsInTheResults() {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.detach("diary");
    assertEquals(List.of("diary"), state.absent());
    assertNull(state.machine("diary"));
    apply(command(1, 2, "diary", "b"), open(N1, 8), command(4, 1, "diary", "fail"));
    apply(command(4, 2, "diary", "c"));
    assertEquals(Sessions.Status.PENDING, status(4, 2));

    Diary next = new Diary();
    state.attach("diary", next, true);
    assertNull(state.machine("diary"), "not before it has caught up");
    assertTrue(state.catchUp("diary", next, 0));
    assertSame(next, state.machine("diary"));
    assertEquals("2:a 3:b 4-1 5:fail 6:c ", next.lines());
    assertEquals(Sessions.Status.FAILED, status(4, 1));
    assertEquals(Sessions.Status.APPLIED, status(4, 2));
    assertEquals("did c", text(state.sessions().get(4).result(2).bytes()));
    assertEquals(List.of(), state.absent());
    assertEquals("2:a ", diary.lines(), "the instance that left");
  }

  @Test
  void catchingUpBeginsAfterWhatTheSnapshotHeld() throws IOException {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.forget(2);
    apply(command(1, 2, "diary", "b"));
    state.detach("diary");
    Diary next = new Diary();
    next.restore(in(bytes("2:a ")));
    state.attach("diary", next, true);
    assertTrue(state.catchUp("diary", next, 2));
    assertEquals("2:a 3:b ", next.lines());
  }

  @Test
  void aHistoryThatDoesNotGoBackThatFarIsNotEnough() {
    apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 2, "diary", "b"));
    state.forget(2);
    state.detach("diary");
    Diary next = new Diary();
    state.attach("diary", next, true);
    assertFalse(state.catchUp("diary", next, 1));
    assertEquals("", next.lines());
    assertNull(state.machine("diary"));
  }

  @Test
  void anInstanceThatWasReplacedMeanwhileIsLeftAlone() {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
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
  }

  @Test
  void theHistoryIsWhatCameSinceTheSnapshot() {
    apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 2, "diary", "bcd"));
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
    ReplicatedState twin = new ReplicatedState(new Told());
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
      apply(entry);
      twin.apply(twin.applied() + 1, entry);
      assertArrayEquals(captured(state), captured(twin), "at " + state.applied());
    }
  }

  @Test
  void aRestoredStateGoesOnAsTheOriginal() throws IOException {
    apply(timed(9, open(N1, 7)), command(1, 1, "diary", "a"), command(1, 2, "diary", "fail"));
    ReplicatedState copy = new ReplicatedState(new Told());
    Diary its = new Diary();
    copy.attach("diary", its, false);
    SnapshotFormat.Head head = copy.restore(in(captured(state)));
    assertEquals(3, head.position());
    assertArrayEquals(bytes("anchor"), head.anchor());
    assertEquals(3, copy.applied());
    assertEquals(9, copy.timeMillis());
    assertEquals(List.of(SEGMENT), copy.chain());
    assertNotNull(copy.incarnation(N1));
    assertSame(its, copy.machine("diary"));
    assertArrayEquals(captured(state), captured(copy));

    for (byte[] entry : List.of(command(1, 1, "diary", "a"), command(1, 3, "diary", "c"))) {
      apply(entry);
      copy.apply(copy.applied() + 1, entry);
    }
    assertEquals("2:a 3:fail 5:c ", its.lines());
    assertArrayEquals(captured(state), captured(copy));
  }

  @Test
  void aRestoreReplacesEverythingThatWasThere() throws IOException {
    byte[] empty = captured(state);
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    state.restore(in(empty));
    assertEquals(0, state.applied());
    assertEquals(0, state.sessions().size());
    assertEquals(0, state.historyBytes());
    assertNull(state.incarnation(N1));
    assertEquals("", diary.lines());
    assertArrayEquals(empty, captured(state));
  }

  @Test
  void machinesThatASnapshotDoesNotKnowBeginEmpty() throws IOException {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = captured(state);
    Diary other = new Diary();
    other.apply(new Entry(Entry.Kind.COMMAND, 1, 0, 1, bytes("old")));
    state.attach("other", other, false);
    state.restore(in(content));
    assertEquals("", other.lines());
    assertSame(other, state.machine("other"));
  }

  @Test
  void aMachineOfTheSnapshotThatIsAwayStaysKnown() throws IOException {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = captured(state);
    ReplicatedState bare = new ReplicatedState(new Told());
    bare.restore(in(content));
    assertEquals(List.of("diary"), bare.absent());
    assertThrows(AssertionError.class, () -> bare.capture(new byte[0]));

    Diary next = new Diary();
    ReplicatedState.restoreOne("diary", next, in(content));
    bare.attach("diary", next, true);
    assertTrue(bare.catchUp("diary", next, 2));
    assertArrayEquals(content, captured(bare));
    ReplicatedState.restoreOne("unknown", next, in(content));
    assertEquals("", next.lines());
  }

  @Test
  void aMachineThatIsBeingLoadedIsNotTouchedByARestore() throws IOException {
    byte[] content = captured(state);
    Diary loading = new Diary();
    state.attach("diary", loading, true);
    state.restore(in(content));
    assertEquals(0, loading.restored);
    assertNull(state.machine("diary"));
  }

  @Test
  void aSnapshotThatIsCutShortIsAFailureOfTheFile() throws IOException {
    apply(open(N1, 7), command(1, 1, "diary", "a"));
    byte[] content = captured(state);
    byte[] cut = Arrays.copyOf(content, content.length - 1);
    assertThrows(Exception.class, () -> state.restore(in(cut)));
  }
}
