// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.nio.charset.StandardCharsets;

/** What went wrong, as one short line that is safe to log and to send. */
final class Problem {
  private Problem() {}

  /** {@code text} without control characters, cut to what a refusal may hold. */
  static String line(String text) {
    StringBuilder clean = new StringBuilder();
    int size = 0;
    for (int at = 0; at < text.length(); ) {
      int code = text.codePointAt(at);
      at += Character.charCount(code);
      String next = isPlain(code) ? Character.toString(code) : "?";
      size += next.getBytes(StandardCharsets.UTF_8).length;
      if (size > Greeting.REASON_BYTES_MAX) {
        break;
      }
      clean.append(next);
    }
    return clean.toString();
  }

  /** The sentence for a failed connection. */
  static String of(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof DecoderException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof NotSslRecordException) {
      // Its message is a dump of what was sent.
      return "plain bytes where TLS is needed";
    }
    String message = cause.getMessage();
    return line(message == null ? cause.getClass().getSimpleName() : message);
  }

  private static boolean isPlain(int code) {
    return switch (Character.getType(code)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.UNASSIGNED,
          Character.PRIVATE_USE ->
          false;
      default -> true;
    };
  }
}
