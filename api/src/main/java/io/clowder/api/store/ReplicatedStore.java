// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import io.clowder.api.kv.KvEntry;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A map of keys to values, of which a primary and its backups have a copy each. A service on every
 * node that has the store's configuration, whether a copy is there or not; thread-safe.
 *
 * <p>A key is 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8 and does not begin with
 * the character 0; a value has 0 to {@link io.clowder.api.Limits#VALUE_BYTES} bytes. Writes are in
 * one order, and numbered by it; the version of a value is the number of the write that set it.
 *
 * <p>A write is acknowledged when every copy that is in sync has it on disk, and these are at least
 * {@code min.insync}; with fewer, writes fail with {@code UNAVAILABLE} and {@code DID_NOT_HAPPEN}.
 * What was acknowledged is lost only if <em>all</em> that were in sync then lose their disks.
 *
 * <p>Every call ends within {@code timeout.millis} of {@code io.clowder.replication}, over which it
 * is tried again where that is safe, at whoever is the primary by then. Failures are {@link
 * io.clowder.api.CoordinationException}; when a write fails, its outcome says whether it may have
 * happened. Stages complete on a thread of the runtime: whoever waits on it delays others.
 */
@ProviderType
public interface ReplicatedStore {
  /** Service property: the store's name. */
  String NAME = "store.name";

  /** Service property: what this node's copy is, a {@link StoreRole} in lower case. */
  String ROLE = "store.role";

  /** Service property: the epoch, a {@link Long} that rises with every primary. */
  String EPOCH = "store.epoch";

  /** Service property: the ids of the nodes whose copies are in sync, several strings. */
  String INSYNC = "store.insync";

  /** The store's name. */
  String name();

  /** Sets the value of a key; returns the new version. */
  default CompletionStage<Long> put(String key, byte[] value) {
    return put(key, value, WriteOptions.NONE);
  }

  /** The same, as the options say. */
  CompletionStage<Long> put(String key, byte[] value, WriteOptions options);

  /** Removes a key; returns whether it was there. */
  CompletionStage<Boolean> delete(String key, WriteOptions options);

  /**
   * Sets the value of a key if its version is {@code expected}, 0 meaning that it must be absent.
   * Returns the new version; fails with {@code CONFLICT}, whose message names the version found,
   * otherwise.
   */
  CompletionStage<Long> compareAndSet(
      String key, long expected, byte[] value, WriteOptions options);

  /**
   * Does all of the steps in one write, or none: then it fails with {@code CONFLICT}. Every
   * condition is of the state before the batch.
   *
   * @param steps 1 to {@link Step#BATCH_MAX}, with together at most {@link
   *     io.clowder.api.Limits#COMMAND_BYTES} bytes of keys and values
   * @return the version of all values that it set
   */
  CompletionStage<Long> apply(List<Step> steps, WriteOptions options);

  /** The value of a key and its version, or null if the key is absent. */
  CompletionStage<@Nullable KvEntry> get(String key, Freshness freshness);

  /**
   * Entries whose keys begin with {@code prefix} and come after {@code after}, in the order of
   * {@link String#compareTo}; from the first on if {@code after} is null. All are of one moment.
   *
   * @param limit 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}; fewer come back when they are
   *     large
   */
  CompletionStage<List<KvEntry>> scan(
      String prefix, @Nullable String after, int limit, Freshness freshness);

  /**
   * Has a listener hear of every change from one sequence number on, in order and without a gap,
   * each once: of what this node's copy has applied, so committed writes only. A fail-over changes
   * nothing about it.
   *
   * @param prefix of the keys to hear of; all if it is empty
   * @param from the first sequence number to hear of; 0 for the next that is applied here. To begin
   *     with what is there, {@link #scan} and go on after the largest version
   * @throws io.clowder.api.CoordinationException {@code UNAVAILABLE} if this node has no copy;
   *     {@code OVERLOADED} if {@link Watch#WATCHES_MAX} are there
   */
  Watch watch(String prefix, long from, ChangeListener listener);

  /** What this node knows of the store; at once. */
  StoreStatus status();
}
