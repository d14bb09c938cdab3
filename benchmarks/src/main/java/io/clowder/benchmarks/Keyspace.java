// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvStore;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.WriteOptions;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where keys have values. The service is asked for at every operation, so that its bundle may be
 * exchanged meanwhile; while it is not there, operations fail with a sentence.
 */
sealed interface Keyspace {
  /** Fails with a sentence if the service is not there. */
  void requireService();

  /** Linearizable; null if the key is absent. */
  CompletionStage<? extends @Nullable Object> get(String key);

  CompletionStage<?> put(String key, byte[] value);

  CompletionStage<?> delete(String key);

  /**
   * The map that goes through consensus.
   *
   * @param services the map as it is there at the moment, or null
   */
  record OfMap(Supplier<@Nullable KvStore> services) implements Keyspace {
    @Override
    public void requireService() {
      service();
    }

    @Override
    public CompletionStage<? extends @Nullable Object> get(String key) {
      return service().get(key, ReadConsistency.LINEARIZABLE);
    }

    @Override
    public CompletionStage<?> put(String key, byte[] value) {
      return service().put(key, value);
    }

    @Override
    public CompletionStage<?> delete(String key) {
      return service().delete(key);
    }

    private KvStore service() {
      KvStore store = services.get();
      if (store == null) {
        throw CoordinationException.refused(
            Reason.UNAVAILABLE,
            "no map on this node: start the bundle io.clowder.kv (lb shows it)");
      }
      return store;
    }
  }

  /**
   * A store on a primary and its backups.
   *
   * @param services by its name the store as it is there at the moment, or null
   */
  record OfStore(String name, Function<String, @Nullable ReplicatedStore> services)
      implements Keyspace {
    @Override
    public void requireService() {
      service();
    }

    @Override
    public CompletionStage<? extends @Nullable Object> get(String key) {
      return service().get(key, Freshness.LINEARIZABLE);
    }

    @Override
    public CompletionStage<?> put(String key, byte[] value) {
      return service().put(key, value, WriteOptions.NONE);
    }

    @Override
    public CompletionStage<?> delete(String key) {
      return service().delete(key, WriteOptions.NONE);
    }

    private ReplicatedStore service() {
      ReplicatedStore store = services.apply(name);
      if (store == null) {
        throw CoordinationException.refused(
            Reason.UNAVAILABLE,
            "no store '"
                + name
                + "' on this node: start the bundle io.clowder.replication (lb shows it), or name"
                + " one that is configured");
      }
      return store;
    }
  }
}
