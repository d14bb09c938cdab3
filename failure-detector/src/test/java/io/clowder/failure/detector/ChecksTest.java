// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ChecksTest {
  private final Checks checks = new Checks();

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
    checks.round(0);
    assertEquals(List.of("broken"), checks.unwell(0));
    alive.set(false);
    checks.remove(2);
    checks.round(0);
    assertEquals(List.of("store"), checks.unwell(0));
    alive.set(true);
    checks.round(0);
    assertEquals(List.of(), checks.unwell(0));
  }

  @Test
  void whoDoesNotAnswerIsNamedWhileItHangs() {
    AtomicReference<List<String>> soon = new AtomicReference<>();
    AtomicReference<List<String>> late = new AtomicReference<>();
    checks.add(
        1,
        "stuck",
        () -> {
          soon.set(checks.unwell(Checks.CALL_NANOS_MAX - 1));
          late.set(checks.unwell(Checks.CALL_NANOS_MAX));
          return true;
        });
    checks.round(0);
    assertEquals(List.of(), soon.get());
    assertEquals(List.of("stuck"), late.get());
    assertEquals(List.of(), checks.unwell(10 * Checks.CALL_NANOS_MAX));
  }
}
