// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.Limits;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.wire.WireFormatException;
import io.clowder.kv.KvRequest.Change;
import io.clowder.kv.KvRequest.CompareAndSet;
import io.clowder.kv.KvRequest.Delete;
import io.clowder.kv.KvRequest.Fenced;
import io.clowder.kv.KvRequest.Get;
import io.clowder.kv.KvRequest.Page;
import io.clowder.kv.KvRequest.Put;
import io.clowder.kv.KvRequest.Question;
import io.clowder.kv.KvRequest.Write;
import io.clowder.kv.KvResult.Changed;
import io.clowder.kv.KvResult.Conflict;
import io.clowder.kv.KvResult.Entries;
import io.clowder.kv.KvResult.Removed;
import io.clowder.kv.KvResult.Row;
import io.clowder.kv.KvResult.Stale;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * The map itself. A change's version is the position of its entry, so versions rise across the
 * whole map and no counter has to be kept.
 *
 * <p>The state is made of persistent maps: a change makes a new one that shares all but a path with
 * the old. A snapshot is therefore one field read, and writes go on while it is written out.
 */
public final class KvMachine implements StateMachine {
  private static final byte[] NO_RESULT = {};

  /** A value and the version of the change that set it. */
  record Versioned(byte[] value, long version) {}

  /** All that the machine knows. */
  record State(TreePMap<byte[], Versioned> entries, Fences fences) {
    static final State EMPTY =
        new State(TreePMap.empty(Arrays::compareUnsigned), Fences.none(Limits.FENCES, 0));

    State with(TreePMap<byte[], Versioned> next) {
      return new State(next, fences);
    }

    State with(Fences next) {
      return new State(entries, next);
    }
  }

  private State state = State.EMPTY;

  /** An empty map. */
  public KvMachine() {}

  @Override
  public byte[] apply(Entry entry) {
    if (entry.kind() != Entry.Kind.COMMAND) {
      return NO_RESULT; // The map keeps nothing in the name of a session.
    }
    if (KvRequest.decode(entry.command()) instanceof Change change) {
      return apply(change, entry.position()).encode();
    }
    throw new WireFormatException("a question is not a command");
  }

  private KvResult apply(Change change, long position) {
    if (change instanceof Fenced fenced) {
      long seen = state.fences.seen(fenced.resource());
      if (fenced.token() < seen) {
        return new Stale(seen);
      }
      // Whatever becomes of the write: its sender has the lock, so all before it have lost it.
      state = state.with(state.fences.raised(fenced.resource(), fenced.token()));
      return write(fenced.write(), position);
    } else if (change instanceof Write write) {
      return write(write, position);
    }
    throw new AssertionError("cannot apply " + change.getClass());
  }

  private KvResult write(Write write, long position) {
    if (write instanceof Put put) {
      return set(put.key(), put.value(), position);
    } else if (write instanceof Delete delete) {
      boolean existed = state.entries.containsKey(delete.key());
      state = state.with(state.entries.minus(delete.key()));
      return new Removed(existed);
    } else if (write instanceof CompareAndSet cas) {
      Versioned found = state.entries.get(cas.key());
      long version = found == null ? 0 : found.version();
      return version == cas.expected()
          ? set(cas.key(), cas.value(), position)
          : new Conflict(version);
    }
    throw new AssertionError("cannot apply " + write.getClass());
  }

  private KvResult set(byte[] key, byte[] value, long position) {
    state = state.with(state.entries.plus(key, new Versioned(value, position)));
    return new Changed(position);
  }

  @Override
  public byte[] query(byte[] query) {
    try {
      if (KvRequest.decode(query) instanceof Question question) {
        return new Entries(answer(question)).encode();
      }
    } catch (WireFormatException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    throw new IllegalArgumentException("a command is not a question");
  }

  private List<Row> answer(Question question) {
    if (question instanceof Get get) {
      Versioned found = state.entries.get(get.key());
      return found == null ? List.of() : List.of(row(get.key(), found));
    } else if (question instanceof Page page) {
      return page(page.prefix(), page.after(), page.limit());
    }
    throw new AssertionError("cannot answer " + question.getClass());
  }

  private List<Row> page(byte[] prefix, byte @Nullable [] after, int limit) {
    TreePMap<byte[], Versioned> rest =
        after == null || Arrays.compareUnsigned(after, prefix) < 0
            ? state.entries.tailMap(prefix, true)
            : state.entries.tailMap(after, false);
    List<Row> rows = new ArrayList<>();
    int room = Limits.RESULT_BYTES - Row.FRAME_BYTES;
    for (Map.Entry<byte[], Versioned> entry : rest.entrySet()) {
      Row row = row(entry.getKey(), entry.getValue());
      room -= row.size();
      if (rows.size() == limit || room < 0 || !startsWith(row.key(), prefix)) {
        break;
      }
      rows.add(row);
    }
    return rows;
  }

  private static Row row(byte[] key, Versioned value) {
    return new Row(key, value.value(), value.version());
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  @Override
  public Snapshot snapshot() {
    State captured = state;
    return out -> KvSnapshot.write(captured, out);
  }

  @Override
  public void restore(InputStream in) throws IOException {
    state = KvSnapshot.read(in);
  }
}
