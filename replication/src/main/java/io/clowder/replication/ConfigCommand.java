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

  /** Makes a store of empty replicas. */
  record Create(int minInsync, SortedSet<ReplicaId> members) implements ConfigCommand {}

  /** The primary, in this life, takes a replica out of the in-sync set. */
  record Remove(At at, ReplicaId by, long life, ReplicaId replica) implements Change {}

  /** The primary, in this life, takes a learner that has caught up into the in-sync set. */
  record Join(At at, ReplicaId by, long life, ReplicaId replica) implements Change {}

  /** The primary, in this life, gives its place to a life of an in-sync replica. */
  record Switchover(At at, ReplicaId by, long life, ReplicaId to, long toLife) implements Change {}

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

  /** The bytes of this command. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Create create) {
      begin(out, 1).writeVarLong(create.minInsync);
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
      out.writeLong(switchover.toLife);
    } else if (this instanceof Resign resign) {
      begin(out, 5, resign.at, resign.by).writeLong(resign.life);
    } else if (this instanceof Report report) {
      begin(out, 6, report.at, report.by).writeLong(report.life);
      out.writeVarLong(report.lastEpoch).writeVarLong(report.lastSeq);
      out.writeVarLong(report.suspects.size());
      report.suspects.forEach(it -> out.writeString(it.value()));
    } else if (this instanceof Admit admit) {
      begin(out, 7, admit.at, admit.replica);
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
            ? new Create(StoreConfig.readMinInsync(in), StoreConfig.readReplicas(in))
            : readChange(kind, new At(in.readVarLong(), in.readVarLong()), ReplicaId.read(in), in);
    in.expectEnd();
    return command;
  }

  private static Change readChange(int kind, At at, ReplicaId by, WireReader in) {
    return switch (kind) {
      case 2 -> new Remove(at, by, in.readLong(), ReplicaId.read(in));
      case 3 -> new Join(at, by, in.readLong(), ReplicaId.read(in));
      case 4 -> new Switchover(at, by, in.readLong(), ReplicaId.read(in), in.readLong());
      case 5 -> new Resign(at, by, in.readLong());
      case 6 -> readReport(at, by, in);
      case 7 -> new Admit(at, by);
      default -> throw new WireFormatException("command of unknown kind " + kind);
    };
  }

  private static Report readReport(At at, ReplicaId by, WireReader in) {
    long life = in.readLong();
    long lastEpoch = in.readVarLong();
    long lastSeq = in.readVarLong();
    int count = in.readCount();
    if (count > StoreConfig.MEMBERS_MAX) {
      throw new WireFormatException(count + " suspects");
    }
    SortedSet<NodeId> suspects = new TreeSet<>();
    for (int i = 0; i < count; i++) {
      suspects.add(in.readNode());
    }
    return new Report(at, by, life, lastEpoch, lastSeq, suspects);
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  private static WireWriter begin(WireWriter out, int kind, At at, ReplicaId by) {
    begin(out, kind).writeVarLong(at.epoch).writeVarLong(at.version);
    by.write(out);
    return out;
  }
}
