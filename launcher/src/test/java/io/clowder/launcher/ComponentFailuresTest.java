// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.BindException;
import org.junit.jupiter.api.Test;

class ComponentFailuresTest {
  @Test
  void theSentenceOfTheOutermostExceptionThatHasOne() {
    Throwable failure =
        new InvocationTargetException(
            new IllegalStateException(
                "port 7001 is in use; choose another", new BindException("Address in use")));
    assertEquals("port 7001 is in use; choose another", ComponentFailures.sentence(trace(failure)));
  }

  @Test
  void anExceptionThatOnlyRepeatsItsCauseIsPassedOver() {
    Throwable failure = new RuntimeException(new BindException("Address in use"));
    assertEquals("Address in use", ComponentFailures.sentence(trace(failure)));
  }

  @Test
  void namesInFrontOfAMessageAreLeftOut() {
    Throwable failure =
        new RuntimeException(new IOException(new NumberFormatException("For input string: abc")));
    assertEquals("For input string: abc", ComponentFailures.sentence(trace(failure)));
  }

  @Test
  void withoutAnyMessageTheInnermostName() {
    Throwable failure = new InvocationTargetException(new NullPointerException());
    assertEquals("java.lang.NullPointerException", ComponentFailures.sentence(trace(failure)));
  }

  private static String trace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }
}
