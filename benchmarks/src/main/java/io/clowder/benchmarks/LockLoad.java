// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Pairs of acquire and release, each slot on a lock of its own or all in turn on all. Names differ
 * from run to run: a lock that a run could not release must not hold up the next.
 */
final class LockLoad implements Load {
  private static final Duration WAIT = Duration.ofSeconds(10);

  private final Supplier<@Nullable LockService> services;
  private final boolean inTurn;
  private final String prefix;
  private final String[] names;

  /**
   * A load on so many locks; the service is asked for as in a {@link Keyspace}.
   *
   * @param inTurn whether each operation takes the next lock; else each slot has its own
   */
  LockLoad(Supplier<@Nullable LockService> services, int count, boolean inTurn) {
    this.services = services;
    this.inTurn = inTurn;
    this.prefix = PREFIX + Long.toHexString(ThreadLocalRandom.current().nextLong()) + "/";
    this.names = new String[count];
    Arrays.setAll(names, i -> prefix + i);
  }

  @Override
  public void requireService() {
    service();
  }

  @Override
  public CompletionStage<?> start(long index, int slot) {
    String name = names[inTurn ? (int) (index % names.length) : slot];
    return service().acquire(name, WAIT).thenCompose(Grant::release);
  }

  @Override
  public void prepare(ScheduledExecutorService executor) {
    // A lock is made by acquiring it.
  }

  @Override
  public void cleanUp(ScheduledExecutorService executor) throws Exception {
    long deadline = System.nanoTime() + CLEAN_UP_NANOS;
    String after = null;
    List<LockInfo> held;
    do {
      held = within(deadline, service().list(prefix, after, Limits.PAGE_ENTRIES));
      for (LockInfo lock : held) {
        for (LockInfo.Holder holder : lock.holders()) {
          within(deadline, service().release(lock.name(), holder.token()));
        }
        after = lock.name();
      }
    } while (!held.isEmpty());
  }

  private static <T> T within(long deadline, CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  private LockService service() {
    LockService service = services.get();
    if (service == null) {
      throw CoordinationException.refused(
          Reason.UNAVAILABLE,
          "no locks on this node: start the bundle io.clowder.lock (lb shows it)");
    }
    return service;
  }
}
