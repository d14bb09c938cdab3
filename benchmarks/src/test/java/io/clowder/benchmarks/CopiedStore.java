// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.Watch;
import io.clowder.api.store.WriteOptions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A store whose only copy is a map. */
final class CopiedStore implements ReplicatedStore {
  private final String name;
  private final MapStore map;

  CopiedStore(String name, MapStore map) {
    this.name = name;
    this.map = map;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value, WriteOptions options) {
    return options.equals(WriteOptions.NONE) ? map.put(key, value) : noPart();
  }

  @Override
  public CompletionStage<Boolean> delete(String key, WriteOptions options) {
    return options.equals(WriteOptions.NONE) ? map.delete(key) : noPart();
  }

  @Override
  public CompletionStage<@Nullable KvEntry> get(String key, Freshness freshness) {
    return freshness.equals(Freshness.LINEARIZABLE)
        ? map.get(key, ReadConsistency.LINEARIZABLE)
        : noPart();
  }

  @Override
  public CompletionStage<Long> compareAndSet(
      String key, long expected, byte[] value, WriteOptions options) {
    return noPart();
  }

  @Override
  public CompletionStage<Long> apply(List<Step> steps, WriteOptions options) {
    return noPart();
  }

  @Override
  public CompletionStage<List<KvEntry>> scan(
      String prefix, @Nullable String after, int limit, Freshness freshness) {
    return noPart();
  }

  @Override
  public Watch watch(String prefix, long from, ChangeListener listener) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public StoreStatus status() {
    throw new AssertionError("not part of the load");
  }

  private static <T extends @Nullable Object> CompletionStage<T> noPart() {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }
}
