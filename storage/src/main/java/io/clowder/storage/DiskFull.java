// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Storage.DiskFullException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Tells a full disk, which passes, from a failing one. */
final class DiskFull {
  private static final String MESSAGE = message();

  private DiskFull() {}

  /** Java has no type for a full disk; the system's message is all there is. */
  static boolean causes(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return e instanceof DiskFullException
        || message.contains(MESSAGE)
        || message.contains("no space left")
        || message.contains("quota exceeded")
        || message.contains("disk full");
  }

  /** The failure as this package reports it: with the type of its own if the disk is full. */
  static IOException typed(String path, IOException e) {
    return causes(e) && !(e instanceof DiskFullException)
        ? new DiskFullException("disk full: " + path + ": " + e.getMessage(), e)
        : e;
  }

  /** The system speaks the user's language; so it is asked what it says. */
  private static String message() {
    try (FileChannel full = FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE)) {
      full.write(ByteBuffer.allocate(1));
    } catch (IOException e) {
      String message = e.getMessage();
      if (message != null && !message.isBlank()) {
        return message.toLowerCase(Locale.ROOT);
      }
    }
    return "no space left";
  }
}
