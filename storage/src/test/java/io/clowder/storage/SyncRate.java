// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Measures appends of 150 bytes with a sync each, in every way in which the file system of a
 * directory writes durably. Run by hand: {@code SyncRate DIRECTORY [BUSY_THREADS]}.
 */
final class SyncRate {
  private static final int WARM_UP = 2_000;
  private static final int COUNT = 10_000;

  private SyncRate() {}

  /** Prints a line for each way. */
  public static void main(String[] args) throws IOException {
    int busy = args.length > 1 ? Integer.parseInt(args[1]) : 0;
    for (int i = 0; i < busy; i++) {
      Thread burner = new Thread(SyncRate::burn, "burner-" + i);
      burner.setDaemon(true);
      burner.start();
    }
    for (SyncMode mode : List.of(SyncMode.DIRECT, SyncMode.DSYNC, SyncMode.FORCE)) {
      JournalFiles files =
          new JournalFiles(FileDisk.open(Path.of(args[0]), mode), "sync-rate-" + mode);
      JournalHeader.Owner owner = new JournalHeader.Owner(1, "sync-rate");
      try (RollingJournal journal =
          RollingJournal.open(
              files,
              owner,
              DiskStorage.JOURNAL_FILE_BYTES,
              Runnable::run,
              (tag, bytes) -> {},
              () -> {})) {
        run(journal, WARM_UP);
        long start = System.nanoTime();
        long[] nanos = run(journal, COUNT);
        double seconds = (System.nanoTime() - start) / 1e9;
        Arrays.sort(nanos);
        System.out.printf(
            Locale.ROOT,
            "%-6s busy threads %d: %.0f/s, p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.1f ms%n",
            mode,
            busy,
            COUNT / seconds,
            nanos[COUNT / 2] / 1e6,
            nanos[COUNT * 99 / 100] / 1e6,
            nanos[COUNT * 999 / 1000] / 1e6,
            nanos[COUNT - 1] / 1e6);
      }
      files.delete();
    }
  }

  private static long[] run(RollingJournal journal, int count) throws IOException {
    byte[] record = new byte[150];
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      long start = System.nanoTime();
      journal.append(i, record, 0, record.length);
      journal.sync();
      nanos[i] = System.nanoTime() - start;
    }
    return nanos;
  }

  private static void burn() {
    long value = 1;
    while (value != 0) {
      value = value * 6364136223846793005L + 1;
    }
  }
}
