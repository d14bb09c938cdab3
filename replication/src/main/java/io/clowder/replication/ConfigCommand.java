// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What {@link ConfigMachine} may be asked to change: a byte of kind, a byte of version, the fields.
 * Each change but the first is of one configuration, and does nothing when that is not in force any
 * more: so whatever comes late, or twice, is harmless.
 */
sealed interface ConfigCommand {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The configuration that a change is of. */
  record At(long epoch, long version) {
    static At of(StoreConfig config) {
      return new At(config.epoch(), config.version());
    }
  }

  /** A change of a configuration that exists. */
  sealed interface Change extends ConfigCommand {
    /** The configuration that it is of. */
    At at();
  }

  /** Makes a store of empty replicas, of which there may be more. */
  record Create(int minInsync, int replicas, SortedSet<ReplicaId> members)
      implements ConfigCommand {}

  /** The primary, in this life, takes a replica out of the in-sync set. */
  record Remove(At at, ReplicaId by, long life, ReplicaId replica) implements Change {}

  /** The primary, in this life, takes a learner that has caught up into the in-sync set. */
  record Join(At at, ReplicaId by, long life, ReplicaId replica) implements Change {}

  /**
   * The primary, in this life, gives its place to a life of an in-sync replica.
   *
   * @param isReleased whether nobody has a lease of this epoch any more: the primary answers
   *     nothing from now on, unless it gets a later version of its configuration
   */
  record Switchover(At at, ReplicaId by, long life, ReplicaId to, long toLife, boolean isReleased)
      implements Change {}

  /** The primary, in this life, keeps its place, whatever it has asked for. */
  record Stay(At at, ReplicaId by, long life) implements Change {}

  /** A later life of the primary gives its place up: it does not know what the earlier one did. */
  record Resign(At at, ReplicaId by, long life) implements Change {}

  /** A replica that could be the primary says where its log ends, and whom it suspects. */
  record Report(
      At at, ReplicaId by, long life, long lastEpoch, long lastSeq, SortedSet<NodeId> suspects)
      implements Change {
    public Report {
      suspects = Collections.unmodifiableSortedSet(new TreeSet<>(suspects));
    }
  }

  /** A new, empty replica takes the place of whatever was on its node before. */
  record Admit(At at, ReplicaId replica) implements Change {}

  /** An operator takes a node's replica for failed: it is not in sync, and not the primary. */
  record Fail(At at, NodeId node) implements Change {}

  /** An operator takes a node's replica away. */
  record Expel(At at, NodeId node) implements Change {}

  /** An operator lets a node have a replica. */
  record Invite(At at, NodeId node) implements Change {}

  /** An operator makes a life of a replica the primary that may lack what was acknowledged. */
  record Force(At at, ReplicaId replica, long life) implements Change {}

  /** The bytes of this command. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Create create) {
      begin(out, 1).writeVarLong(create.minInsync).writeVarLong(create.replicas);
      StoreConfig.write(create.members, out);
    } else if (this instanceof Remove remove) {
      begin(out, 2, remove.at, remove.by).writeLong(remove.life);
      remove.replica.write(out);
    } else if (this instanceof Join join) {
      begin(out, 3, join.at, join.by).writeLong(join.life);
      join.replica.write(out);
    } else if (this instanceof Switchover switchover) {
      begin(out, 4, switchover.at, switchover.by).writeLong(switchover.life);
      switchover.to.write(out);
      out.writeLong(switchover.toLife).writeBoolean(switchover.isReleased);
    } else if (this instanceof Resign resign) {
      begin(out, 5, resign.at, resign.by).writeLong(resign.life);
    } else if (this instanceof Report report) {
      begin(out, 6, report.at, report.by).writeLong(report.life);
      out.writeVarLong(report.lastEpoch).writeVarLong(report.lastSeq);
      StoreConfig.writeNodes(report.suspects, out);
    } else if (this instanceof Admit admit) {
      begin(out, 7, admit.at, admit.replica);
    } else if (this instanceof Stay stay) {
      begin(out, 8, stay.at, stay.by).writeLong(stay.life);
    } else if (this instanceof Fail fail) {
      begin(out, 9, fail.at).writeString(fail.node.value());
    } else if (this instanceof Expel expel) {
      begin(out, 10, expel.at).writeString(expel.node.value());
    } else if (this instanceof Invite invite) {
      begin(out, 11, invite.at).writeString(invite.node.value());
    } else if (this instanceof Force force) {
      begin(out, 12, force.at, force.replica).writeLong(force.life);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a command.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static ConfigCommand decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("command of kind " + kind + " in version " + version);
    }
    ConfigCommand command =
        kind == 1
            ? new Create(
                StoreConfig.readReplicaCount(in),
                StoreConfig.readReplicaCount(in),
                StoreConfig.readReplicas(in))
            : readChange(kind, new At(in.readVarLong(), in.readVarLong()), in);
    in.expectEnd();
    return command;
  }

  private static Change readChange(int kind, At at, WireReader in) {
    return switch (kind) {
      case 2 -> new Remove(at, ReplicaId.read(in), in.readLong(), ReplicaId.read(in));
      case 3 -> new Join(at, ReplicaId.read(in), in.readLong(), ReplicaId.read(in));
      case 4 ->
          new Switchover(
              at,
              ReplicaId.read(in),
              in.readLong(),
              ReplicaId.read(in),
              in.readLong(),
              in.readBoolean());
      case 5 -> new Resign(at, ReplicaId.read(in), in.readLong());
      case 6 ->
          new Report(
              at,
              ReplicaId.read(in),
              in.readLong(),
              in.readVarLong(),
              in.readVarLong(),
              StoreConfig.readNodes(in));
      case 7 -> new Admit(at, ReplicaId.read(in));
      case 8 -> new Stay(at, ReplicaId.read(in), in.readLong());
      case 9 -> new Fail(at, in.readNode());
      case 10 -> new Expel(at, in.readNode());
      case 11 -> new Invite(at, in.readNode());
      case 12 -> new Force(at, ReplicaId.read(in), in.readLong());
      default -> throw new WireFormatException("command of unknown kind " + kind);
    };
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  private static WireWriter begin(WireWriter out, int kind, At at) {
    return begin(out, kind).writeVarLong(at.epoch).writeVarLong(at.version);
  }

  private static WireWriter begin(WireWriter out, int kind, At at, ReplicaId by) {
    by.write(begin(out, kind, at));
    return out;
  }
}
