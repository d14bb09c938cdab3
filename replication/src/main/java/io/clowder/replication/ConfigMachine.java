// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Change;
import io.clowder.replication.ConfigCommand.Create;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Report;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ConfigCommand.Switchover;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
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
    }
    return result(stores.get(store));
  }

  private static @Nullable Ballot create(Create create) {
    return create.members().size() < create.minInsync()
        ? null
        : Ballot.empty(StoreConfig.create(create.minInsync(), create.members()));
  }

  /** What a change of this very configuration makes of it; null if it is not allowed. */
  private static @Nullable Ballot change(Change change, Ballot present) {
    if (change instanceof Report report) {
      return present.with(report);
    }
    StoreConfig next = change(change, present.config());
    return next == null ? null : Ballot.empty(next);
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
          ? config.withPrimary(config.epoch() + 1, it.to(), it.toLife())
          : null;
    } else if (change instanceof Resign it) {
      return it.by().equals(config.primary()) && it.life() != config.life()
          ? config.withPrimary(config.epoch(), null, 0)
          : null;
    } else if (change instanceof Admit it) {
      return admit(it.replica(), config);
    }
    throw new AssertionError("cannot apply " + change.getClass());
  }

  private static @Nullable StoreConfig admit(ReplicaId learner, StoreConfig config) {
    if (config.members().contains(learner)) {
      return null;
    }
    StoreConfig next = config.withMember(learner);
    boolean isLost = next.insync().isEmpty() && next.eligible().isEmpty();
    // The last copy is not given up by itself: whoever has it may come back.
    return isLost || next.members().size() > StoreConfig.MEMBERS_MAX ? null : next;
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
