// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Change;
import io.clowder.replication.ConfigCommand.Create;
import io.clowder.replication.ConfigCommand.Expel;
import io.clowder.replication.ConfigCommand.Fail;
import io.clowder.replication.ConfigCommand.Force;
import io.clowder.replication.ConfigCommand.Invite;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Report;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ConfigCommand.Stay;
import io.clowder.replication.ConfigCommand.Switchover;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The configurations of all stores: PacificA's configuration manager, as a state machine in
 * consensus. A command is the name of the store and a {@link ConfigCommand}; its result, and that
 * of a query with the name alone, is the configuration in force after it, or nothing.
 */
final class ConfigMachine implements StateMachine {
  /** Longest name of a store, in bytes. */
  static final int NAME_BYTES = 64;

  /** The most stores. */
  static final int STORES = 1_000;

  private static final int FORMAT = 1;
  private static final int SNAPSHOT_BYTES = 64 << 20;

  private final Map<String, Ballot> stores = new TreeMap<>();
  private final BiConsumer<String, StoreConfig> listener;

  /**
   * Without stores.
   *
   * @param listener is told each configuration, and all of them after a restore, by the thread that
   *     applies: must not wait
   */
  ConfigMachine(BiConsumer<String, StoreConfig> listener) {
    this.listener = listener;
  }

  /** The bytes of a command to one store. */
  static byte[] encode(String store, ConfigCommand command) {
    byte[] bytes = command.encode();
    return new WireWriter(bytes.length + NAME_BYTES)
        .writeString(store)
        .writeBytes(bytes)
        .toByteArray();
  }

  /** Reads a result; null if there is no such store. */
  static @Nullable StoreConfig decode(byte[] result) {
    return result.length == 0 ? null : StoreConfig.read(new WireReader(result));
  }

  @Override
  public byte[] apply(Entry entry) {
    if (entry.kind() != Entry.Kind.COMMAND) {
      return new byte[0];
    }
    WireReader in = new WireReader(entry.command());
    String store = in.readString(NAME_BYTES);
    ConfigCommand command = ConfigCommand.decode(in.readBytes(Limits.COMMAND_BYTES));
    in.expectEnd();
    Ballot present = stores.get(store);
    Ballot next = null;
    if (command instanceof Create create) {
      next = present == null && stores.size() < STORES ? create(create) : null;
    } else if (command instanceof Change change && present != null) {
      boolean isPresent = change.at().equals(At.of(present.config()));
      next = isPresent ? change(change, present) : null;
    }
    if (next != null) {
      stores.put(store, next);
      // A report that elects nobody changes nothing.
      if (present == null || !next.config().equals(present.config())) {
        listener.accept(store, next.config());
      }
    }
    return result(stores.get(store));
  }

  private static @Nullable Ballot create(Create create) {
    int members = create.members().size();
    boolean isSound =
        members >= 1 && members <= create.replicas() && create.minInsync() <= create.replicas();
    return isSound
        ? Ballot.empty(StoreConfig.create(create.minInsync(), create.replicas(), create.members()))
        : null;
  }

  /** What a change of this very configuration makes of it; null if it is not allowed. */
  private @Nullable Ballot change(Change change, Ballot present) {
    if (change instanceof Report report) {
      return present.with(report, this::load);
    }
    StoreConfig next = change(change, present.config());
    return next == null ? null : Ballot.empty(next);
  }

  private int load(NodeId node) {
    int load = 0;
    for (Ballot ballot : stores.values()) {
      ReplicaId primary = ballot.config().primary();
      load += primary != null && primary.node().equals(node) ? 1 : 0;
    }
    return load;
  }

  private static @Nullable StoreConfig change(Change change, StoreConfig config) {
    if (change instanceof Remove it) {
      return config.isServedBy(it.by(), it.life()) && !it.replica().equals(it.by())
          ? config.withInsync(without(config.insync(), it.replica()))
          : null;
    } else if (change instanceof Join it) {
      return config.isServedBy(it.by(), it.life()) && config.members().contains(it.replica())
          ? config.withInsync(with(config.insync(), it.replica()))
          : null;
    } else if (change instanceof Switchover it) {
      return config.isServedBy(it.by(), it.life()) && config.insync().contains(it.to())
          ? config.withPrimary(config.epoch() + 1, it.to(), it.toLife(), it.isReleased())
          : null;
    } else if (change instanceof Resign it) {
      return it.by().equals(config.primary()) && it.life() != config.life()
          ? config.withPrimary(config.epoch(), null, 0)
          : null;
    } else if (change instanceof Stay it) {
      return config.isServedBy(it.by(), it.life()) ? config.renewed() : null;
    } else if (change instanceof Admit it) {
      return admit(it.replica(), config);
    } else if (change instanceof Fail it) {
      return fail(it.node(), config);
    } else if (change instanceof Expel it) {
      return expel(it.node(), config);
    } else if (change instanceof Invite it) {
      return config.withRoomFor(it.node());
    } else if (change instanceof Force it) {
      return config.voided().contains(it.replica()) ? null : config.forced(it.replica(), it.life());
    }
    throw new AssertionError("cannot apply " + change.getClass());
  }

  private static @Nullable StoreConfig admit(ReplicaId learner, StoreConfig config) {
    if (config.members().contains(learner)
        || config.removed().contains(learner.node())
        || config.voided().contains(learner)) {
      return null;
    }
    StoreConfig next = config.withMember(learner);
    // The last copy is not given up by itself: whoever has it may come back.
    return isLost(next) || next.members().size() > config.replicas() ? null : next;
  }

  private static boolean isLost(StoreConfig config) {
    return config.insync().isEmpty() && config.eligible().isEmpty();
  }

  /** Nothing that the primary might still acknowledge gets lost: it needs this replica for that. */
  private static @Nullable StoreConfig fail(NodeId node, StoreConfig config) {
    ReplicaId failed = config.of(node);
    if (failed == null || !config.insync().contains(failed) || config.insync().size() < 2) {
      return null;
    }
    StoreConfig next = config.withInsync(without(config.insync(), failed));
    return failed.equals(config.primary()) ? next.withPrimary(next.epoch(), null, 0) : next;
  }

  private static @Nullable StoreConfig expel(NodeId node, StoreConfig config) {
    ReplicaId expelled = config.of(node);
    if (config.removed().size() == StoreConfig.NODES_MAX
        || (expelled != null && expelled.equals(config.primary()))) {
      return null;
    }
    StoreConfig next = config.withRemoved(node);
    boolean isLess = next.insync().size() < config.insync().size();
    return isLost(next) || (isLess && !next.isEnough()) ? null : next;
  }

  private static SortedSet<ReplicaId> with(SortedSet<ReplicaId> replicas, ReplicaId one) {
    SortedSet<ReplicaId> next = new TreeSet<>(replicas);
    next.add(one);
    return next;
  }

  private static SortedSet<ReplicaId> without(SortedSet<ReplicaId> replicas, ReplicaId one) {
    SortedSet<ReplicaId> next = new TreeSet<>(replicas);
    next.remove(one);
    return next;
  }

  @Override
  public byte[] query(byte[] query) {
    return result(stores.get(new String(query, StandardCharsets.UTF_8)));
  }

  private static byte[] result(@Nullable Ballot ballot) {
    if (ballot == null) {
      return new byte[0];
    }
    WireWriter out = new WireWriter(128);
    ballot.config().write(out);
    return out.toByteArray();
  }

  @Override
  public Snapshot snapshot() {
    WireWriter out = new WireWriter(1024).writeByte(FORMAT).writeVarLong(stores.size());
    stores.forEach(
        (name, ballot) -> {
          out.writeString(name);
          ballot.config().write(out);
          out.writeVarLong(ballot.reports().size());
          ballot.reports().values().forEach(it -> out.writeBytes(it.encode()));
        });
    return stream -> stream.write(out.array(), 0, out.size());
  }

  @Override
  public void restore(InputStream stream) throws IOException {
    byte[] bytes = stream.readNBytes(SNAPSHOT_BYTES);
    Map<String, Ballot> next = new TreeMap<>();
    try {
      if (bytes.length > 0) {
        read(new WireReader(bytes), next);
      }
    } catch (WireFormatException e) {
      throw new IOException("snapshot of configurations is corrupt: " + e.getMessage(), e);
    }
    stores.clear();
    stores.putAll(next);
    stores.forEach((name, ballot) -> listener.accept(name, ballot.config()));
  }

  private static void read(WireReader in, Map<String, Ballot> stores) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new WireFormatException("format " + format);
    }
    for (int left = in.readCount(); left > 0; left--) {
      String name = in.readString(NAME_BYTES);
      StoreConfig config = StoreConfig.read(in);
      TreeMap<ReplicaId, Report> reports = new TreeMap<>();
      for (int count = in.readCount(); count > 0; count--) {
        if (ConfigCommand.decode(in.readBytes(Limits.COMMAND_BYTES)) instanceof Report report) {
          reports.put(report.by(), report);
        } else {
          throw new WireFormatException("a report that is none");
        }
      }
      stores.put(name, new Ballot(config, reports));
    }
    in.expectEnd();
  }
}
