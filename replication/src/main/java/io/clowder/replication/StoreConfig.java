// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Collections;
import java.util.Set;
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
 * @param isReleased whether the primary before it serves nothing any more and let nobody else, so
 *     that this one need not wait for any lease
 * @param minInsync nothing is acknowledged while fewer are in sync
 * @param replicas so many take part without being asked to
 * @param members all of them; who is not in sync is a learner
 * @param removed nodes that do not come back by themselves
 * @param voided replicas that may have what a forced promotion undid: they must begin anew
 */
record StoreConfig(
    long epoch,
    long version,
    @Nullable ReplicaId primary,
    long life,
    boolean isReleased,
    int minInsync,
    int replicas,
    SortedSet<ReplicaId> insync,
    SortedSet<ReplicaId> eligible,
    SortedSet<ReplicaId> members,
    SortedSet<NodeId> removed,
    SortedSet<ReplicaId> voided) {
  /** The most replicas of one store. */
  static final int MEMBERS_MAX = 32;

  /** The most nodes that are remembered as removed. */
  static final int NODES_MAX = 1_000;

  StoreConfig {
    insync = Collections.unmodifiableSortedSet(new TreeSet<>(insync));
    eligible = Collections.unmodifiableSortedSet(new TreeSet<>(eligible));
    members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
    removed = Collections.unmodifiableSortedSet(new TreeSet<>(removed));
    voided = Collections.unmodifiableSortedSet(new TreeSet<>(voided));
    if (!members.containsAll(insync) || !members.containsAll(eligible)) {
      throw new IllegalArgumentException("not of " + members + ": " + insync + ", " + eligible);
    }
    if (insync.size() >= minInsync && !eligible.isEmpty()) {
      throw new IllegalArgumentException("eligible beside enough in sync: " + eligible);
    }
  }

  /** A new store: all copies are empty, and so in sync. Its primary has yet to be elected. */
  static StoreConfig create(int minInsync, int replicas, SortedSet<ReplicaId> members) {
    return new StoreConfig(
        0,
        1,
        null,
        0,
        false,
        minInsync,
        replicas,
        members,
        new TreeSet<>(),
        members,
        new TreeSet<>(),
        new TreeSet<>());
  }

  /** The replica of a node; null if it has none. */
  @Nullable ReplicaId of(NodeId node) {
    return members.stream().filter(it -> it.node().equals(node)).findFirst().orElse(null);
  }

  /** Whether a node has a replica, or may have one without being told to. */
  boolean isFor(NodeId node) {
    return !removed.contains(node) && (of(node) != null || members.size() < replicas);
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

  /** All that have all that was acknowledged. */
  SortedSet<ReplicaId> electable() {
    SortedSet<ReplicaId> electable = new TreeSet<>(insync);
    electable.addAll(eligible);
    return electable;
  }

  /** With another in-sync set. Who leaves it stays eligible if nothing can be acknowledged now. */
  StoreConfig withInsync(SortedSet<ReplicaId> next) {
    SortedSet<ReplicaId> left = new TreeSet<>();
    if (next.size() < minInsync) {
      left.addAll(insync);
      left.addAll(eligible);
      left.removeAll(next);
    }
    return new StoreConfig(
        epoch,
        version + 1,
        primary,
        life,
        isReleased,
        minInsync,
        replicas,
        next,
        left,
        members,
        removed,
        voided);
  }

  /** The same under a next version, so that whatever was asked of this one is void. */
  StoreConfig renewed() {
    return withPrimary(epoch, primary, life, isReleased);
  }

  /** With another primary, or none. */
  StoreConfig withPrimary(
      long nextEpoch, @Nullable ReplicaId next, long nextLife, boolean nextIsReleased) {
    return new StoreConfig(
        nextEpoch,
        version + 1,
        next,
        nextLife,
        nextIsReleased,
        minInsync,
        replicas,
        insync,
        eligible,
        members,
        removed,
        voided);
  }

  /** As after a failure: the former primary and its backups may have leases. */
  StoreConfig withPrimary(long nextEpoch, @Nullable ReplicaId next, long nextLife) {
    return withPrimary(nextEpoch, next, nextLife, false);
  }

  /**
   * One replica has all from now on. The others may have applied what it lacks, and must never be
   * taken for what they were.
   */
  StoreConfig forced(ReplicaId only, long itsLife) {
    SortedSet<ReplicaId> nextVoided = new TreeSet<>(voided);
    nextVoided.addAll(members);
    nextVoided.remove(only);
    while (nextVoided.size() > NODES_MAX) {
      nextVoided.remove(nextVoided.first());
    }
    SortedSet<ReplicaId> alone = new TreeSet<>(Set.of(only));
    return new StoreConfig(
        epoch + 1,
        version + 1,
        only,
        itsLife,
        false,
        minInsync,
        replicas,
        alone,
        new TreeSet<>(),
        alone,
        removed,
        nextVoided);
  }

  /** With a new, empty learner in the place of whatever was on its node before. */
  StoreConfig withMember(ReplicaId learner) {
    StoreConfig kept = without(learner.node());
    SortedSet<ReplicaId> all = new TreeSet<>(kept.members);
    all.add(learner);
    return kept.with(all, removed, replicas);
  }

  /** Without the replica of a node, which does not come back by itself. */
  StoreConfig withRemoved(NodeId node) {
    SortedSet<NodeId> next = new TreeSet<>(removed);
    next.add(node);
    StoreConfig kept = without(node);
    return kept.with(kept.members, next, replicas);
  }

  /** With room for the replica of a node, which may come now. */
  StoreConfig withRoomFor(NodeId node) {
    SortedSet<NodeId> next = new TreeSet<>(removed);
    next.remove(node);
    return with(members, next, Math.max(replicas, Math.min(MEMBERS_MAX, members.size() + 1)));
  }

  private StoreConfig without(NodeId node) {
    SortedSet<ReplicaId> nextMembers = new TreeSet<>(members);
    nextMembers.removeIf(it -> it.node().equals(node));
    SortedSet<ReplicaId> nextInsync = new TreeSet<>(insync);
    nextInsync.retainAll(nextMembers);
    SortedSet<ReplicaId> nextEligible = new TreeSet<>(eligible);
    nextEligible.retainAll(nextMembers);
    boolean isGone = primary != null && !nextMembers.contains(primary);
    return new StoreConfig(
        epoch,
        version,
        isGone ? null : primary,
        isGone ? 0 : life,
        isReleased,
        minInsync,
        replicas,
        nextInsync,
        nextEligible,
        nextMembers,
        removed,
        voided);
  }

  private StoreConfig with(
      SortedSet<ReplicaId> nextMembers, SortedSet<NodeId> nextRemoved, int nextReplicas) {
    return new StoreConfig(
        epoch,
        version + 1,
        primary,
        life,
        isReleased,
        minInsync,
        nextReplicas,
        insync,
        eligible,
        nextMembers,
        nextRemoved,
        voided);
  }

  void write(WireWriter out) {
    out.writeVarLong(epoch).writeVarLong(version).writeBoolean(primary != null);
    if (primary != null) {
      primary.write(out);
      out.writeLong(life).writeBoolean(isReleased);
    }
    out.writeVarLong(minInsync).writeVarLong(replicas);
    write(members, out);
    write(insync, out);
    write(eligible, out);
    writeNodes(removed, out);
    write(voided, out);
  }

  static StoreConfig read(WireReader in) {
    long epoch = in.readVarLong();
    long version = in.readVarLong();
    boolean isServed = in.readBoolean();
    ReplicaId primary = isServed ? ReplicaId.read(in) : null;
    long life = isServed ? in.readLong() : 0;
    boolean isReleased = isServed && in.readBoolean();
    int minInsync = readReplicaCount(in);
    int replicas = readReplicaCount(in);
    SortedSet<ReplicaId> members = readReplicas(in);
    try {
      return new StoreConfig(
          epoch,
          version,
          primary,
          life,
          isReleased,
          minInsync,
          replicas,
          readReplicas(in),
          readReplicas(in),
          members,
          readNodes(in),
          readReplicas(in, NODES_MAX));
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }

  static int readReplicaCount(WireReader in) {
    long count = in.readVarLong();
    if (count < 1 || count > MEMBERS_MAX) {
      throw new WireFormatException(count + " replicas, in sync or in all");
    }
    return (int) count;
  }

  static void writeNodes(SortedSet<NodeId> nodes, WireWriter out) {
    out.writeVarLong(nodes.size());
    nodes.forEach(it -> out.writeString(it.value()));
  }

  static SortedSet<NodeId> readNodes(WireReader in) {
    int count = in.readCount();
    if (count > NODES_MAX) {
      throw new WireFormatException(count + " nodes");
    }
    SortedSet<NodeId> nodes = new TreeSet<>();
    for (int i = 0; i < count; i++) {
      nodes.add(in.readNode());
    }
    return nodes;
  }

  static void write(SortedSet<ReplicaId> replicas, WireWriter out) {
    out.writeVarLong(replicas.size());
    replicas.forEach(it -> it.write(out));
  }

  static SortedSet<ReplicaId> readReplicas(WireReader in) {
    return readReplicas(in, MEMBERS_MAX);
  }

  private static SortedSet<ReplicaId> readReplicas(WireReader in, int most) {
    int count = in.readCount();
    if (count > most) {
      throw new WireFormatException(count + " replicas");
    }
    SortedSet<ReplicaId> replicas = new TreeSet<>();
    for (int i = 0; i < count; i++) {
      replicas.add(ReplicaId.read(in));
    }
    return replicas;
  }
}
