// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.io.IOException;
import java.util.List;

/** Closes things when one of them, or what came before, fails. */
final class Closing {
  private Closing() {}

  /** Closes what {@code failure} leaves of no use; it stays what the caller is to hear of. */
  static void after(Throwable failure, AutoCloseable open) {
    try {
      open.close();
    } catch (Exception e) {
      failure.addSuppressed(e);
    }
  }

  /** Closes all; the first failure is thrown then, and the others are suppressed in it. */
  static void all(List<? extends AutoCloseable> open) throws IOException {
    IOException failure = null;
    for (AutoCloseable each : open) {
      try {
        each.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = e instanceof IOException io ? io : new IOException("while closing", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
