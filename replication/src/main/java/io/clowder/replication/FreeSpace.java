// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether a disk is nearly full; looked at in the background. On the copy's thread. */
final class FreeSpace {
  private static final Logger log = LoggerFactory.getLogger(FreeSpace.class);

  /** With less than this no writes are taken: what is left is for snapshots, and for logs. */
  private static final long RESERVE_BYTES = 64L << 20;

  private static final long EVERY_NANOS = 2_000_000_000L;

  private final String store;
  private final Storage storage;
  private final Executor background;
  private final Consumer<Runnable> inbox;
  private final Consumer<Boolean> found;
  private boolean isLow;
  private boolean isLooking;
  private long nextAt;

  /** Of a disk that has room; {@code found} is told each time it has been looked at. */
  FreeSpace(
      String store,
      Storage storage,
      Executor background,
      Consumer<Runnable> inbox,
      Consumer<Boolean> found,
      long now) {
    this.store = store;
    this.storage = storage;
    this.background = background;
    this.inbox = inbox;
    this.found = found;
    this.nextAt = now;
  }

  boolean isLow() {
    return isLow;
  }

  /** Looks, when it is time to. */
  void tick(long now) {
    if (isLooking || now - nextAt < 0) {
      return;
    }
    isLooking = true;
    nextAt = now + EVERY_NANOS;
    background.execute(
        () -> {
          boolean isLowNow = free() < RESERVE_BYTES;
          inbox.accept(() -> is(isLowNow));
        });
  }

  private long free() {
    try {
      return storage.freeBytes();
    } catch (IOException | RuntimeException e) {
      log.warn("store {}: cannot tell the free space of the disk: {}", store, e.toString());
      return Long.MAX_VALUE;
    }
  }

  private void is(boolean isLowNow) {
    isLooking = false;
    if (isLowNow != isLow) {
      isLow = isLowNow;
      log.warn("store {}: the disk {}", store, isLow ? "is nearly full" : "has room");
    }
    found.accept(isLow);
  }
}
