// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import com.sun.management.OperatingSystemMXBean;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Measures writes to three copies in one process, each with a disk of its own in one directory. Run
 * by hand: {@code CopyLoad DIRECTORY [OUTSTANDING [BYTES [SECONDS]]]}.
 */
final class CopyLoad {
  private static final int KEYS = 10_000;

  private final Copy copy;
  private final int outstanding;
  private final byte[] value;
  private final AtomicInteger number = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();

  private CopyLoad(Copy copy, int outstanding, int bytes) {
    this.copy = copy;
    this.outstanding = outstanding;
    this.value = new byte[bytes];
    Arrays.fill(value, (byte) 'x');
  }

  /** Prints a line for each second. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int outstanding = args.length > 1 ? Integer.parseInt(args[1]) : 256;
    int bytes = args.length > 2 ? Integer.parseInt(args[2]) : 100;
    int seconds = args.length > 3 ? Integer.parseInt(args[3]) : 10;
    Path directory = Files.createTempDirectory(Path.of(args[0]), "copy-load");
    try (CopyWorld world = new CopyWorld(directory, Copy.Setting.LOG_BYTES)) {
      world.found();
      CopyLoad load = new CopyLoad(world.box(world.primary()).copy(), outstanding, bytes);
      for (int i = 0; i < seconds; i++) {
        load.run(1_000_000_000L);
      }
      System.out.println(world.box(world.primary()).view());
    }
  }

  /** Each answer is followed by another write, until the time is over. */
  private void run(long nanos) throws InterruptedException {
    long[] latencies = new long[4_000_000];
    AtomicInteger count = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(outstanding);
    long cpu = cpuNanos();
    long start = System.nanoTime();
    for (int i = 0; i < outstanding; i++) {
      write(start + nanos, latencies, count, done);
    }
    done.await();
    double time = (System.nanoTime() - start) / 1e9;
    long[] all = Arrays.copyOf(latencies, Math.min(latencies.length, count.get()));
    Arrays.sort(all);
    System.out.printf(
        Locale.ROOT,
        "%d outstanding, %d bytes: %.0f/s, p50 %.2f ms, p99 %.2f ms, max %.1f ms, %d refused, CPU"
            + " of all three %.1f us each%n",
        outstanding,
        value.length,
        count.get() / time,
        all[all.length / 2] / 1e6,
        all[all.length * 99 / 100] / 1e6,
        all[all.length - 1] / 1e6,
        refused.get(),
        (cpuNanos() - cpu) / 1e3 / Math.max(1, count.get()));
  }

  private static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private void write(long end, long[] latencies, AtomicInteger count, CountDownLatch done) {
    int next = number.incrementAndGet();
    long start = System.nanoTime();
    Op op = Op.of(new Step.Put("key" + next % KEYS, value));
    copy.ask(
        new Question.Write(new RequestId(7, next), op),
        reply -> {
          long now = System.nanoTime();
          if (reply instanceof Reply.Answered) {
            int at = count.getAndIncrement();
            latencies[Math.min(at, latencies.length - 1)] = now - start;
          } else {
            refused.incrementAndGet();
          }
          if (now - end < 0) {
            write(end, latencies, count, done);
          } else {
            done.countDown();
          }
        });
  }
}
