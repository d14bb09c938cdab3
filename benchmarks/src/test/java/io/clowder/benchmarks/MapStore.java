// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Fence;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A map in memory behind an executor; calls that {@code failing} picks by number fail. */
final class MapStore implements KvStore {
  final ConcurrentSkipListMap<String, KvEntry> entries = new ConcurrentSkipListMap<>();
  final AtomicLong puts = new AtomicLong();
  final AtomicLong gets = new AtomicLong();
  private final AtomicLong calls = new AtomicLong();
  private final Executor executor;
  private final LongPredicate failing;

  MapStore(Executor executor, LongPredicate failing) {
    this.executor = executor;
    this.failing = failing;
  }

  @Override
  public CompletionStage<@Nullable KvEntry> get(String key, ReadConsistency consistency) {
    return call(
        () -> {
          if (consistency != ReadConsistency.LINEARIZABLE) {
            throw new AssertionError("read is " + consistency);
          }
          gets.incrementAndGet();
          return entries.get(key);
        });
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value) {
    return call(
        () -> {
          long version = puts.incrementAndGet();
          entries.put(key, new KvEntry(key, value, version));
          return version;
        });
  }

  @Override
  public CompletionStage<Boolean> delete(String key) {
    return call(() -> entries.remove(key) != null);
  }

  @Override
  public CompletionStage<Long> compareAndSet(String key, long expected, byte[] value) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value, Fence fence) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<Boolean> delete(String key, Fence fence) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<Long> compareAndSet(String key, long expected, byte[] value, Fence fence) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<List<KvEntry>> list(
      String prefix, @Nullable String after, int limit, ReadConsistency consistency) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  private <T extends @Nullable Object> CompletionStage<T> call(Supplier<T> effect) {
    return CompletableFuture.supplyAsync(
        () -> {
          if (failing.test(calls.getAndIncrement())) {
            throw CoordinationException.refused(Reason.OVERLOADED, "too much at once");
          }
          return effect.get();
        },
        executor);
  }
}
