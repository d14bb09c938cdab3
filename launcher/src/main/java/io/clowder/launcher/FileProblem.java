// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Says what is wrong with a file; the platform's exceptions often name no more than the path. */
final class FileProblem {
  private FileProblem() {}

  /** One line with the path and what is wrong with it. */
  static String sentence(IOException problem) {
    if (problem instanceof AccessDeniedException denied) {
      return denied.getFile() + ": permission denied; check its owner and mode";
    }
    if (problem instanceof NoSuchFileException missing) {
      return missing.getFile() + ": no such file or directory";
    }
    if (problem instanceof FileSystemException file && file.getReason() != null) {
      return file.getFile() + ": " + file.getReason();
    }
    String message = problem.getMessage();
    return message == null ? problem.getClass().getSimpleName() : message;
  }
}
