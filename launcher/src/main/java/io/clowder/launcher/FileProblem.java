// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says what is wrong with a file; the platform's exceptions often name no more than the path. */
final class FileProblem {
  private FileProblem() {}

  /** One line with the path and what is wrong with it; for a file that was only read or written. */
  static String sentence(IOException problem, Path path) {
    if (problem instanceof CharacterCodingException) {
      return path + ": not a text file in UTF-8";
    }
    String sentence = sentence(problem);
    return sentence.contains(path.toString() + ":") ? sentence : path + ": " + sentence;
  }

  /** One line with the path and what is wrong with it. */
  static String sentence(IOException problem) {
    if (problem instanceof AccessDeniedException denied) {
      return denied.getFile() + ": permission denied; check its owner and mode";
    }
    if (problem instanceof NoSuchFileException missing) {
      return missing.getFile() + ": no such file or directory";
    }
    if (problem instanceof FileAlreadyExistsException other) {
      return other.getFile() + ": is there already and is not a directory";
    }
    if (problem instanceof FileSystemException file && file.getReason() != null) {
      return file.getFile() + ": " + file.getReason();
    }
    String message = problem.getMessage();
    return message == null ? problem.getClass().getSimpleName() : message;
  }
}
