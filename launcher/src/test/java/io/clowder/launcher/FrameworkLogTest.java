// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.InvocationTargetException;
import org.junit.jupiter.api.Test;

class FrameworkLogTest {
  @Test
  void aLineHasTheReasonButNoTrace() {
    Throwable refused = new IllegalArgumentException("timeout.millis is -5: use 1 to 600000");
    assertEquals(
        "cannot activate: timeout.millis is -5: use 1 to 600000",
        FrameworkLog.line("cannot activate\nmore", new InvocationTargetException(refused)));
    assertEquals("cannot activate", FrameworkLog.line("cannot activate", null));
  }

  @Test
  void aReasonThatTheMessageHasIsNotRepeated() {
    assertEquals("no: gone away", FrameworkLog.line("no: gone away", new Exception("gone away")));
  }
}
