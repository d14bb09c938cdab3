// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Limits;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.dht.TableChange.Outcome;
import io.clowder.dht.TableCommand.Join;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The tables of all rings in mode {@code consistent}, as a state machine in consensus. A command is
 * the name of the ring and a {@link TableCommand}; its result is a {@link Verdict}. A query is the
 * name alone; its result is the table, or nothing.
 */
final class TableMachine implements StateMachine {
  /** Longest name of a ring, in bytes. */
  static final int NAME_BYTES = 64;

  /** The most rings. */
  static final int RINGS = 100;

  /** The most partitions of all rings, so that a snapshot has an end. */
  static final int PARTITIONS = 16 * TableSettings.PARTITIONS_MAX;

  private static final int FORMAT = 1;
  private static final int SNAPSHOT_BYTES = 64 << 20;

  private final Map<String, Table> tables = new TreeMap<>();
  private final BiConsumer<String, Table> listener;

  /**
   * Without rings.
   *
   * @param listener is told each new table, and all of them after a restore, by the thread that
   *     applies: must not wait
   */
  TableMachine(BiConsumer<String, Table> listener) {
    this.listener = listener;
  }

  /** The bytes of a command to one ring. */
  static byte[] encode(String ring, TableCommand command) {
    byte[] bytes = command.encode();
    return new WireWriter(bytes.length + NAME_BYTES + 8)
        .writeString(ring)
        .writeBytes(bytes)
        .toByteArray();
  }

  /** The bytes of a query for the table of one ring. */
  static byte[] query(String ring) {
    return ring.getBytes(StandardCharsets.UTF_8);
  }

  /** Reads the result of a query; null if there is no such ring. */
  static @Nullable Table decode(byte[] result) {
    if (result.length == 0) {
      return null;
    }
    WireReader in = new WireReader(result);
    Table table = Table.read(in);
    in.expectEnd();
    return table;
  }

  @Override
  public byte[] apply(Entry entry) {
    if (entry.kind() != Entry.Kind.COMMAND) {
      return new byte[0];
    }
    WireReader in = new WireReader(entry.command());
    String ring = in.readString(NAME_BYTES);
    TableCommand command = TableCommand.decode(in.readBytes(Limits.COMMAND_BYTES));
    in.expectEnd();
    return apply(ring, command).encode();
  }

  private Verdict apply(String ring, TableCommand command) {
    Table before = tables.get(ring);
    if (before == null) {
      if (!(command instanceof Join join)) {
        return Verdict.refused(0, "there is no ring " + ring);
      }
      String refusal = refusal(join.settings());
      if (!refusal.isEmpty()) {
        return Verdict.refused(0, refusal);
      }
      before = Table.empty(join.settings());
    }
    Outcome outcome = TableChange.of(before, command);
    Table next = outcome.table();
    if (!outcome.isAccepted()) {
      return Verdict.refused(next.epoch(), outcome.refusal());
    }
    if (next.epoch() > before.epoch()) {
      tables.put(ring, next);
      listener.accept(ring, next);
    }
    return Verdict.accepted(next.epoch());
  }

  /** Why there may be no further ring; empty if there may. */
  private String refusal(TableSettings settings) {
    int partitions = tables.values().stream().mapToInt(it -> it.settings().partitions()).sum();
    if (tables.size() == RINGS) {
      return "there are " + RINGS + " rings already";
    }
    return partitions + settings.partitions() > PARTITIONS
        ? "all rings together would have more than " + PARTITIONS + " partitions"
        : "";
  }

  @Override
  public byte[] query(byte[] query) {
    Table table = tables.get(new String(query, StandardCharsets.UTF_8));
    return table == null ? new byte[0] : table.encode();
  }

  /** Tables do not change: to take them is enough, to write them takes time. */
  @Override
  public Snapshot snapshot() {
    Map<String, Table> taken = new TreeMap<>(tables);
    return stream -> {
      WireWriter out = new WireWriter(1024).writeByte(FORMAT).writeVarLong(taken.size());
      taken.forEach(
          (name, table) -> {
            out.writeString(name);
            table.write(out);
          });
      stream.write(out.array(), 0, out.size());
    };
  }

  @Override
  public void restore(InputStream stream) throws IOException {
    byte[] bytes = stream.readNBytes(SNAPSHOT_BYTES);
    Map<String, Table> next = new TreeMap<>();
    try {
      if (bytes.length > 0) {
        read(new WireReader(bytes), next);
      }
    } catch (WireFormatException e) {
      throw new IOException("snapshot of tables is corrupt: " + e.getMessage(), e);
    }
    tables.clear();
    tables.putAll(next);
    tables.forEach(listener);
  }

  private static void read(WireReader in, Map<String, Table> tables) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new WireFormatException("format " + format);
    }
    for (int left = in.readCount(); left > 0; left--) {
      String name = in.readString(NAME_BYTES);
      tables.put(name, Table.read(in));
    }
    in.expectEnd();
  }
}
