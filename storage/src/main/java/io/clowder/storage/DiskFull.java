// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.Locale;

/** Tells a full disk, which passes, from a failing one. */
final class DiskFull {
  private DiskFull() {}

  /** Java has no type for a full disk; the system's message is all there is. */
  static boolean causes(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left")
        || message.contains("quota exceeded")
        || message.contains("disk full");
  }

  /** The failure as this package reports it. */
  static IOException at(String path, IOException cause) {
    return new Storage.DiskFullException("disk full: " + path + ": " + cause.getMessage(), cause);
  }
}
