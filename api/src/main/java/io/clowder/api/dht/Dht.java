// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Keys on a ring of members, each key with an owner and replicas on other nodes. A service on every
 * node that has the configuration; thread-safe.
 *
 * <p>A key is 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of anything; a value has 0 to
 * {@link io.clowder.api.Limits#VALUE_BYTES} bytes. Arrays are copied. Each value has a {@link
 * DhtVersion}; versions of one key never go back, over removals too.
 *
 * <p>What a write means when it is acknowledged: it is on at least {@link StoreOptions#copies}
 * nodes (durably, if the ring is), and no older value takes its place. In mode {@link
 * Mode#CONSISTENT} it is on all replicas, reads of {@link Reading#NEWEST} see it, and writes with a
 * condition are linearizable. In mode {@link Mode#PEER} that holds as long as the ring does not
 * change its owner at that moment or is cut in two; what was written on both sides is decided by
 * version when they meet.
 *
 * <p>Every call ends within {@code timeout.millis} of {@code io.clowder.dht}, over which it is
 * tried again where that is safe. Failures are {@link io.clowder.api.CoordinationException}; when a
 * write fails, its outcome says whether it may have happened. Stages complete on a thread of the
 * runtime: whoever waits on it delays others.
 */
@ProviderType
public interface Dht {
  /** Service property: the ring's name. */
  String NAME = "dht.name";

  /** Service property: the {@link Mode} in lower case. */
  String MODE = "dht.mode";

  /** Service property: how many nodes keep a value, an {@link Integer}. */
  String REPLICAS = "dht.replicas";

  /** Service property: the epoch, a {@link Long}. */
  String EPOCH = "dht.epoch";

  /** Service property: whether this node finds the ring as it ought to be, a {@link Boolean}. */
  String IDEAL = "dht.ideal";

  /** How members agree on who owns what. */
  enum Mode {
    /** By views that consensus commits: one owner at a time, one hop. For some hundred nodes. */
    CONSISTENT,
    /** Among themselves, as in Chord: for more nodes than consensus has. */
    PEER
  }

  /** What a read may return. */
  enum Reading {
    /** What the owner has: the newest value that was acknowledged. */
    NEWEST,
    /** What any node has that keeps the key, this one first: maybe an older value, or none. */
    ANY
  }

  /** The ring's name. */
  String name();

  /** Finds out who owns a key. Says nothing about whether there is a value. */
  CompletionStage<LookupResult> lookup(byte[] key);

  /** Sets the value of a key; returns the new version. */
  default CompletionStage<DhtVersion> store(byte[] key, byte[] value) {
    return store(key, value, StoreOptions.USUAL);
  }

  /**
   * The same, as the options say. Fails with {@code CONFLICT}, whose message names the version
   * found, if the condition does not hold.
   */
  CompletionStage<DhtVersion> store(byte[] key, byte[] value, StoreOptions options);

  /** The value of a key, or null if there is none, or its time is over. */
  CompletionStage<@Nullable DhtEntry> fetch(byte[] key, Reading reading);

  /**
   * Removes a key; returns whether there was a value. Its version is remembered for a while, so
   * that copies that were away do not bring the value back.
   */
  CompletionStage<Boolean> remove(byte[] key, StoreOptions options);

  /** What this node knows of the ring; at once. */
  RingView view();

  /** The ranges that this node owns now, in the order of the ring; at once. */
  List<Range> ranges();

  /** Whether nothing gets lost or stops if a node is stopped now, without leaving before. */
  CompletionStage<SafeToLeave> safeToLeave(NodeId node);
}
