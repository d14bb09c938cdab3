// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.io.Serial;

/** A handler's word that its task cannot succeed, however often it is tried. */
public final class TaskFailure extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** With a sentence for who looks at the task. */
  public TaskFailure(String message) {
    super(message);
  }

  /** With what is behind it. */
  public TaskFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
