// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.Serial;

/** Why a command cannot be done: one line that says what to do, and the exit status. */
final class CommandFailure extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final int status;

  private CommandFailure(int status, String message) {
    super(message);
    this.status = status;
  }

  /** It was tried and did not work: status 1. */
  static CommandFailure failed(String message) {
    return new CommandFailure(1, message);
  }

  /** It was asked for wrongly, or the configuration is wrong: status 2. */
  static CommandFailure usage(String message) {
    return new CommandFailure(2, message);
  }

  /** With the exit status of another process. */
  static CommandFailure withStatus(int status, String message) {
    return new CommandFailure(status, message);
  }

  /** What went wrong, for people: the first line of the innermost message that says something. */
  static String sentence(Throwable failure) {
    String best = failure.getClass().getSimpleName();
    boolean found = false;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      // A message which only repeats its cause's says less than the cause itself.
      boolean repeats = cause.getCause() != null && cause.getCause().toString().equals(message);
      if (message != null && !message.isBlank() && !repeats && !found) {
        best = message.lines().findFirst().orElse(best).strip();
        found = true;
      }
    }
    return best;
  }

  int status() {
    return status;
  }
}
