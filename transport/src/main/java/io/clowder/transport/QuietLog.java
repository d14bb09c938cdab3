// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Warnings that others can provoke: one line a minute for each kind, which says how many were left
 * out since the last one.
 */
final class QuietLog {
  private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int KINDS_MAX = 1_000;

  private static final class Kind {
    private long lastNanos;
    private long leftOut;
  }

  private final Logger log;
  private final LongSupplier nanos;
  private final Map<String, Kind> kinds = new HashMap<>();

  QuietLog(Logger log, LongSupplier nanos) {
    this.log = log;
    this.nanos = nanos;
  }

  /**
   * Warns, or counts.
   *
   * @param kind what the line is about; not made of what strangers send
   */
  synchronized void warn(String kind, String line, @Nullable Throwable cause) {
    Kind known = kinds.get(kind);
    long now = nanos.getAsLong();
    if (known != null && now - known.lastNanos < PAUSE_NANOS) {
      known.leftOut++;
      return;
    }
    if (known == null) {
      if (kinds.size() >= KINDS_MAX) {
        return;
      }
      known = new Kind();
      kinds.put(kind, known);
    }
    String more = known.leftOut == 0 ? "" : " (and " + known.leftOut + " more since the last line)";
    known.lastNanos = now;
    known.leftOut = 0;
    log.warn("{}{}", line, more, cause);
  }
}
