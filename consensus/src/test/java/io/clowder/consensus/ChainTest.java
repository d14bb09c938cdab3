// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.segment;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The chain of segments as entries make it: what comes late, or twice, means nothing. */
class ChainTest {
  private static final Segment FIRST = segment(1, 11, "first", Segment.UNKNOWN, N1);
  private static final Segment SECOND = segment(2, 22, "second", Segment.UNKNOWN, N1);

  private final OneState one = new OneState();

  private static byte[] prepare(Segment next) {
    return new Envelope.Prepare(next, new TreeMap<>(), 1_000).encode();
  }

  private static byte[] seal(Segment next) {
    return new Envelope.Seal(next.number(), next.incarnation()).encode();
  }

  private static byte[] abandon(Segment next) {
    return new Envelope.Abandon(next.number(), next.incarnation(), "late").encode();
  }

  @Test
  void aSealThatIsNotOfWhatIsPreparedEndsNothing() {
    one.apply(prepare(FIRST), abandon(FIRST), prepare(SECOND), seal(FIRST));
    assertEquals(0, one.state.current().number());
    one.apply(seal(SECOND));
    assertEquals(SECOND.after(5), one.state.current());
  }

  @Test
  void aSealThatComesTwiceEndsOneSegment() {
    one.apply(prepare(FIRST), seal(FIRST), seal(FIRST));
    assertEquals(FIRST.after(2), one.state.current());
    assertEquals(2, one.state.chain().size());
  }

  @Test
  void aPrepareThatComesTwiceIsOne() {
    one.apply(prepare(FIRST), seal(FIRST), prepare(FIRST));
    assertNull(one.state.pending());
    one.apply(prepare(SECOND), abandon(SECOND), prepare(SECOND));
    assertNull(one.state.pending());
    assertEquals(2, one.state.lastNumber());
  }

  @Test
  void theSecondOfTwoPreparesIsTooLate() {
    Segment other = segment(1, 33, "other", Segment.UNKNOWN, N1);
    one.apply(prepare(FIRST), prepare(other), seal(other), abandon(other));
    assertEquals(FIRST, one.state.pending());
    assertEquals(List.of("prepared first (segment 1)"), one.told.what);
  }
}
