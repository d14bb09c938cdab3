// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LastHeardTest {
  private final LastHeard heard = new LastHeard();

  @Test
  void whoWasNeverHeardIsNotSilentForAnyTime() {
    assertEquals(-1, heard.silentNanos(0));
    assertEquals(-1, heard.silentNanos(Long.MIN_VALUE));
  }

  @Test
  void silenceIsCountedFromAnyOriginOfTime() {
    for (long origin : new long[] {-1, 1, Long.MAX_VALUE - 4, Long.MIN_VALUE + 1}) {
      heard.at(origin);
      assertEquals(0, heard.silentNanos(origin));
      assertEquals(1_000, heard.silentNanos(origin + 1_000));
      heard.at(origin + 2_000);
      assertEquals(10, heard.silentNanos(origin + 2_010));
    }
    heard.at(0);
    assertEquals(0, heard.silentNanos(0));
    assertEquals(9, heard.silentNanos(10));
  }
}
