// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who holds a store (PacificA, section 2.3). Every in-sync replica has all that was acknowledged;
 * every eligible one has, too, as nothing was acknowledged since it left (KIP-966).
 *
 * @param epoch rises with every primary, and names its one life
 * @param version rises with every change
 * @param primary null while none is elected
 * @param life the run of its process that was elected; another must not serve in this epoch
 * @param minInsync nothing is acknowledged while fewer are in sync
 * @param members all of them; who is not in sync is a learner
 */
record StoreConfig(
    long epoch,
    long version,
    @Nullable ReplicaId primary,
    long life,
    int minInsync,
    SortedSet<ReplicaId> insync,
    SortedSet<ReplicaId> eligible,
    SortedSet<ReplicaId> members) {
  /** The most replicas of one store. */
  static final int MEMBERS_MAX = 32;

  StoreConfig {
    insync = Collections.unmodifiableSortedSet(new TreeSet<>(insync));
    eligible = Collections.unmodifiableSortedSet(new TreeSet<>(eligible));
    members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
    if (!members.containsAll(insync) || !members.containsAll(eligible)) {
      throw new IllegalArgumentException("not of " + members + ": " + insync + ", " + eligible);
    }
    if (insync.size() >= minInsync && !eligible.isEmpty()) {
      throw new IllegalArgumentException("eligible beside enough in sync: " + eligible);
    }
  }

  /** A new store: all copies are empty, and so in sync. Its primary has yet to be elected. */
  static StoreConfig create(int minInsync, SortedSet<ReplicaId> members) {
    return new StoreConfig(0, 1, null, 0, minInsync, members, new TreeSet<>(), members);
  }

  /** Whether this life of a replica is the primary. */
  boolean isServedBy(ReplicaId replica, long otherLife) {
    return replica.equals(primary) && life == otherLife;
  }

  /** Whether enough are in sync for anything to be acknowledged. */
  boolean isEnough() {
    return insync.size() >= minInsync;
  }

  /** Whether a replica has all that was acknowledged. */
  boolean isElectable(ReplicaId replica) {
    return insync.contains(replica) || eligible.contains(replica);
  }

  /** With another in-sync set. Who leaves it stays eligible if nothing can be acknowledged now. */
  StoreConfig withInsync(SortedSet<ReplicaId> next) {
    SortedSet<ReplicaId> left = new TreeSet<>();
    if (next.size() < minInsync) {
      left.addAll(insync);
      left.addAll(eligible);
      left.removeAll(next);
    }
    return new StoreConfig(epoch, version + 1, primary, life, minInsync, next, left, members);
  }

  /** With another primary, or none. */
  StoreConfig withPrimary(long nextEpoch, @Nullable ReplicaId next, long nextLife) {
    return new StoreConfig(
        nextEpoch, version + 1, next, nextLife, minInsync, insync, eligible, members);
  }

  /** With a new, empty learner in the place of whatever was on its node before. */
  StoreConfig withMember(ReplicaId learner) {
    SortedSet<ReplicaId> kept = new TreeSet<>(members);
    kept.removeIf(it -> it.node().equals(learner.node()));
    SortedSet<ReplicaId> nextInsync = new TreeSet<>(insync);
    nextInsync.retainAll(kept);
    SortedSet<ReplicaId> nextEligible = new TreeSet<>(eligible);
    nextEligible.retainAll(kept);
    boolean isGone = primary != null && !kept.contains(primary);
    kept.add(learner);
    return new StoreConfig(
        epoch,
        version + 1,
        isGone ? null : primary,
        isGone ? 0 : life,
        minInsync,
        nextInsync,
        nextEligible,
        kept);
  }

  void write(WireWriter out) {
    out.writeVarLong(epoch).writeVarLong(version).writeBoolean(primary != null);
    if (primary != null) {
      primary.write(out);
      out.writeLong(life);
    }
    out.writeVarLong(minInsync);
    write(members, out);
    write(insync, out);
    write(eligible, out);
  }

  static StoreConfig read(WireReader in) {
    long epoch = in.readVarLong();
    long version = in.readVarLong();
    boolean isServed = in.readBoolean();
    ReplicaId primary = isServed ? ReplicaId.read(in) : null;
    long life = isServed ? in.readLong() : 0;
    int minInsync = readMinInsync(in);
    SortedSet<ReplicaId> members = readReplicas(in);
    try {
      return new StoreConfig(
          epoch, version, primary, life, minInsync, readReplicas(in), readReplicas(in), members);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }

  static int readMinInsync(WireReader in) {
    long count = in.readVarLong();
    if (count < 1 || count > MEMBERS_MAX) {
      throw new WireFormatException("at least " + count + " in sync");
    }
    return (int) count;
  }

  static void write(SortedSet<ReplicaId> replicas, WireWriter out) {
    out.writeVarLong(replicas.size());
    replicas.forEach(it -> it.write(out));
  }

  static SortedSet<ReplicaId> readReplicas(WireReader in) {
    int count = in.readCount();
    if (count > MEMBERS_MAX) {
      throw new WireFormatException(count + " replicas");
    }
    SortedSet<ReplicaId> replicas = new TreeSet<>();
    for (int i = 0; i < count; i++) {
      replicas.add(ReplicaId.read(in));
    }
    return replicas;
  }
}
