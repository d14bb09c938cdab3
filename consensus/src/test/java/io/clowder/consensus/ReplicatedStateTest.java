// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.OneState.timed;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.command;
import static io.clowder.consensus.Workbench.open;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What entries do; see {@link ReplicatedMachinesTest} for machines and snapshots. */
class ReplicatedStateTest {
  private final OneState one = new OneState();
  private final ReplicatedState state = one.state;
  private final Diary diary = one.diary;

  @Test
  void aCommandOfASessionIsAppliedOnce() {
    one.apply(open(N1, 7), command(1, 1, "diary", "a"), command(1, 1, "diary", "a"));
    assertEquals("2:a ", diary.lines());
    assertEquals(List.of("opened 1 of n1", "1/1 APPLIED did a"), one.told.what);
    assertEquals(3, state.applied());
  }

  @Test
  void aCommandOfNoSessionIsNothing() {
    one.apply(command(1, 1, "diary", "a"));
    assertEquals("", diary.lines());
    assertEquals(List.of(), one.told.what);
  }

  @Test
  void bytesThatAreNoEnvelopeAreNothingEverywhere() {
    one.apply(new byte[0], bytes("?"), Arrays.copyOf(open(N1, 7), 12), CodecTest.hex("07"));
    assertEquals(4, state.applied());
    assertEquals(0, state.sessions().size());
  }

  @Test
  void positionsHaveNoGaps() {
    one.apply(new byte[0]);
    assertThrows(AssertionError.class, () -> state.apply(3, new byte[0]));
    assertThrows(AssertionError.class, () -> state.apply(1, new byte[0]));
  }

  @Test
  void timeNeverFalls() {
    one.apply(timed(50, open(N1, 7)), timed(40, command(1, 1, "diary", "a")));
    assertEquals(50, diary.timeMillis);
    one.apply(timed(60, command(1, 2, "diary", "b")));
    assertEquals(60, diary.timeMillis);
  }

  @Test
  void anExceptionIsTheSameFailureEverywhere() {
    one.apply(open(N1, 7), command(1, 1, "diary", "fail"), command(1, 2, "diary", "b"));
    assertEquals(Sessions.Status.FAILED, one.status(1, 1));
    assertEquals(
        List.of("opened 1 of n1", "1/1 FAILED  failed as told", "1/2 APPLIED did b"),
        one.told.what);
  }

  @Test
  void aResultOverTheLimitIsAFailure() {
    one.apply(open(N1, 7), command(1, 1, "diary", "size " + (Limits.RESULT_BYTES + 1)));
    one.apply(command(1, 2, "diary", "size " + Limits.RESULT_BYTES));
    assertEquals(Sessions.Status.FAILED, one.status(1, 1));
    assertEquals(Sessions.Status.APPLIED, one.status(1, 2));
  }

  // --- sessions ---------------------------------------------------------------------------------

  @Test
  void openingTwiceUnderOneNonceOpensOne() {
    one.apply(open(N1, 7), open(N1, 7));
    assertEquals(1, state.sessions().size());
    assertEquals(List.of("opened 1 of n1", "opened 1 of n1"), one.told.what);
  }

  @Test
  void aNewLifeOfANodeEndsItsEarlierOnes() {
    one.apply(open(N1, 7), open(N2, 7), open(N1, 8));
    assertEquals("3-1 ", diary.lines());
    assertEquals(2, state.sessions().size());
    assertEquals(
        List.of("opened 1 of n1", "opened 2 of n2", "ended 1", "opened 3 of n1"), one.told.what);
  }

  @Test
  void theFirstDirectoryOfANodeIsTheOneItIsKnownBy() {
    assertNull(state.incarnation(N1));
    one.apply(
        new Envelope.Open(N1, 41, 7, 1000).encode(), new Envelope.Open(N1, 42, 8, 1000).encode());
    assertEquals(41, state.incarnation(N1));
    assertEquals(List.of("n1 41"), one.told.met);
  }

  @Test
  void whatTheJournalSaysOfNodesCountsUntilTheLogSaysIt() {
    state.remember(Map.of(N1, 40L, N2, 50L));
    assertEquals(40, state.incarnation(N1));
    one.apply(new Envelope.Open(N1, 41, 7, 1000).encode());
    assertEquals(41, state.incarnation(N1));
    assertEquals(50, state.incarnation(N2));
    assertEquals(Map.of(N1, 41L, N2, 50L), state.directories());
  }

  @Test
  void theEndOfASessionReachesEveryMachineOnce() {
    Diary other = new Diary();
    state.attach("other", other, false);
    state.catchUp("other", other, 0);
    one.apply(open(N1, 7), new Envelope.Expire(1).encode(), new Envelope.Expire(1).encode());
    assertEquals("2-1 ", diary.lines());
    assertEquals("2-1 ", other.lines());
    one.apply(command(1, 1, "diary", "late"));
    assertEquals("2-1 ", diary.lines(), "a command after its session's end");
    assertEquals(List.of("opened 1 of n1", "ended 1"), one.told.what);
  }

  @Test
  void theTableOfSessionsHasALimit() {
    for (int i = 1; i <= Limits.SESSIONS + 1; i++) {
      one.apply(new Envelope.Open(new NodeId("m" + i), i, i, 1000).encode());
    }
    assertEquals(Limits.SESSIONS, state.sessions().size());
    assertEquals(Limits.SESSIONS, one.told.what.size());
  }
}
