// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ChecksTest {
  private static final long STEP = 100_000_000;

  private final AtomicLong clock = new AtomicLong(-5);
  private final Checks checks = new Checks(clock::get);
  private final List<List<String>> seen = new ArrayList<>();

  /** A call that takes so long, while the other thread looks again and again. */
  private boolean takes(long nanos) {
    for (long passed = 0; passed < nanos; passed += STEP) {
      clock.addAndGet(STEP);
      seen.add(checks.unwell());
    }
    return true;
  }

  @Test
  void whoSaysNoOrFailsIsNamed() {
    AtomicBoolean alive = new AtomicBoolean(true);
    checks.add(1, "store", alive::get);
    checks.add(
        2,
        "broken",
        () -> {
          throw new IllegalStateException("no");
        });
    checks.round();
    assertEquals(List.of("broken"), checks.unwell());
    alive.set(false);
    checks.remove(2);
    checks.round();
    assertEquals(List.of("store"), checks.unwell());
    alive.set(true);
    checks.round();
    assertEquals(List.of(), checks.unwell());
  }

  @Test
  void whoDoesNotAnswerIsNamedWhileItHangs() {
    checks.add(1, "stuck", () -> takes(Checks.CALL_NANOS_MAX));
    checks.round();
    assertEquals(List.of(), seen.get(seen.size() - 2));
    assertEquals(List.of("stuck"), seen.get(seen.size() - 1));
    assertEquals(List.of(), checks.unwell());
  }

  @Test
  void eachCallHasItsOwnTime() {
    checks.add(1, "one", () -> takes(700_000_000));
    checks.add(2, "other", () -> takes(700_000_000));
    checks.round();
    seen.forEach(unwell -> assertEquals(List.of(), unwell));
  }

  @Test
  void aNodeThatStandsStillInACallBlamesNoPart() {
    checks.add(
        1,
        "frozen",
        () -> {
          takes(300_000_000);
          clock.addAndGet(10_000_000_000L);
          return takes(300_000_000);
        });
    checks.round();
    seen.forEach(unwell -> assertEquals(List.of(), unwell));
  }

  @Test
  void whoIsRemovedIsNotNamedAndIsInterrupted() {
    AtomicBoolean interrupted = new AtomicBoolean();
    checks.add(
        1,
        "gone",
        () -> {
          takes(2 * Checks.CALL_NANOS_MAX);
          checks.remove(1);
          interrupted.set(Thread.interrupted());
          seen.add(checks.unwell());
          return false;
        });
    checks.round();
    assertTrue(interrupted.get());
    assertEquals(List.of(), seen.get(seen.size() - 1));
    assertEquals(List.of(), checks.unwell());
  }

  @Test
  void aLongNameIsCutToWhatAHeartbeatHolds() {
    checks.add(1, "ä".repeat(40), () -> false);
    checks.round();
    String name = checks.unwell().get(0);
    assertEquals("ä".repeat(32), name);
    assertEquals(Signal.NAME_BYTES, name.getBytes(StandardCharsets.UTF_8).length);
  }
}
