// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.lock.LockState.Bundle;
import io.clowder.lock.LockState.Delay;
import io.clowder.lock.LockState.Holder;
import io.clowder.lock.LockState.Lock;
import io.clowder.lock.LockState.Place;
import io.clowder.lock.LockState.Session;
import io.clowder.lock.LockState.Waiter;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The table as a file: a byte of format; position, time, largest forgotten token of locks and of
 * resources, eight bytes each; then sessions, locks, freed tokens and fences, each as eight bytes
 * of count and, in order, four bytes of length and that many of record. Nothing at all stands for
 * the table of the beginning.
 */
final class LockSnapshot {
  private static final int FORMAT = 2;

  /** A lock with all of its holders and waiters is the largest record. */
  private static final int RECORD_BYTES_MAX =
      (Limits.LOCK_HOLDERS + Limits.LOCK_WAITERS) * (Limits.NOTE_BYTES + 128)
          + 2 * Limits.RESULT_BYTES;

  private LockSnapshot() {}

  static void write(LockState state, OutputStream out) throws IOException {
    WireWriter header = new WireWriter(64);
    header.writeByte(FORMAT).writeLong(state.position()).writeLong(state.timeMillis());
    header.writeLong(state.freed().forgotten()).writeLong(state.fences().forgotten());
    flush(header, out);
    WireWriter record = new WireWriter(256);
    flush(header.writeLong(state.sessions().size()), out);
    for (Map.Entry<Long, Session> entry : state.sessions().entrySet()) {
      record.writeLong(entry.getKey());
      write(entry.getValue(), record);
      flushRecord(header, record, out);
    }
    flush(header.writeLong(state.locks().size()), out);
    for (Map.Entry<String, Lock> entry : state.locks().entrySet()) {
      record.writeString(entry.getKey());
      write(entry.getValue(), state, record);
      flushRecord(header, record, out);
    }
    write(state.freed(), header, record, out);
    write(state.fences(), header, record, out);
  }

  private static void write(Session session, WireWriter record) {
    record.writeString(session.node().value());
    record.writeLong(session.client()).writeVarLong(session.floor());
    record.writeVarLong(session.cancelled().size());
    session.cancelled().forEach(record::writeVarLong);
    record.writeVarLong(session.bundles().size());
    session
        .bundles()
        .forEach(
            (number, bundle) ->
                record
                    .writeVarLong(number)
                    .writeString(bundle.name())
                    .writeLong(bundle.sinceMillis()));
  }

  private static void write(Lock lock, LockState state, WireWriter record) {
    record.writeVarLong(lock.permits()).writeVarLong(lock.last());
    record.writeLong(lock.delayedUntilMillis()).writeVarLong(lock.holders().size());
    lock.holders()
        .forEach(
            (token, holder) -> {
              record.writeVarLong(token).writeLong(holder.session());
              record.writeVarLong(holder.request());
              record.writeVarLong(bundle(state, holder.session(), holder.request()));
              record.writeLong(holder.sinceMillis()).writeBoolean(holder.asked());
              holder.want().write(record);
            });
    record.writeVarLong(lock.waiters().size());
    lock.waiters()
        .forEach(
            (ticket, waiter) -> {
              record.writeVarLong(ticket).writeLong(waiter.session());
              record.writeVarLong(waiter.request());
              record.writeVarLong(bundle(state, waiter.session(), waiter.request()));
              record.writeLong(waiter.sinceMillis());
              waiter.want().write(record);
            });
  }

  private static int bundle(LockState state, long session, long request) {
    Session known = state.sessions().get(session);
    Place place = known == null ? null : known.requests().get(request);
    if (place == null) {
      throw new AssertionError("request " + request + " of session " + session + " has no place");
    }
    return place.bundle();
  }

  private static void write(LastTokens last, WireWriter header, WireWriter record, OutputStream out)
      throws IOException {
    flush(header.writeLong(last.tokens().size()), out);
    for (Map.Entry<String, Long> entry : last.tokens().entrySet()) {
      record.writeString(entry.getKey()).writeVarLong(entry.getValue());
      flushRecord(header, record, out);
    }
  }

  private static void flushRecord(WireWriter header, WireWriter record, OutputStream out)
      throws IOException {
    flush(header.writeInt(record.size()), out);
    flush(record, out);
  }

  private static void flush(WireWriter writer, OutputStream out) throws IOException {
    out.write(writer.array(), 0, writer.size());
    writer.reset();
  }

  /** Reads what {@link #write} wrote, and refuses anything else with an {@link IOException}. */
  static LockState read(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    int format = in.read();
    if (format < 0) {
      return LockState.EMPTY;
    }
    if (format != FORMAT) {
      throw new IOException("lock snapshot of format " + format + ", which is not known here");
    }
    try {
      Reading reading = new Reading(in.readLong(), in.readLong());
      long freedForgotten = in.readLong();
      long fencesForgotten = in.readLong();
      for (long left = in.readLong(); left != 0; left--) {
        reading.session(record(in));
      }
      for (long left = in.readLong(); left != 0; left--) {
        reading.lock(record(in));
      }
      LastTokens freed = tokens(in, LockState.FREED_MAX).withForgotten(freedForgotten);
      LastTokens fences = tokens(in, Limits.FENCES).withForgotten(fencesForgotten);
      if (in.read() >= 0) {
        throw new WireFormatException("it goes on after its last record");
      }
      for (String name : freed.tokens().keySet()) {
        Reading.check(!reading.locks.containsKey(name), "a lock that is free and not");
      }
      return new LockState(
          reading.position,
          reading.timeMillis,
          reading.locks,
          reading.sessions,
          freed,
          fences,
          reading.delays);
    } catch (EOFException e) {
      throw new IOException("lock snapshot is corrupt: cut short", e);
    } catch (WireFormatException e) {
      throw new IOException("lock snapshot is corrupt: " + e.getMessage(), e);
    }
  }

  private static LastTokens tokens(DataInputStream in, int max) throws IOException {
    LastTokens last = LastTokens.none(max);
    String before = "";
    long count = in.readLong();
    Reading.check(count >= 0 && count <= max, count + " names with tokens");
    for (long left = count; left > 0; left--) {
      WireReader record = record(in);
      String name = LockName.readName(record);
      long token = record.readVarLong();
      record.expectEnd();
      Reading.check(name.compareTo(before) > 0 && token > 0, "names with tokens out of order");
      last = last.plus(name, token);
      before = name;
    }
    return last;
  }

  private static WireReader record(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > RECORD_BYTES_MAX) {
      throw new WireFormatException("a record of " + length + " bytes");
    }
    byte[] record = in.readNBytes(length);
    if (record.length < length) {
      throw new EOFException();
    }
    return new WireReader(record);
  }

  /** A state in the making, which refuses what no table can have written. */
  private static final class Reading {
    private final long position;
    private final long timeMillis;
    private TreePMap<Long, Session> sessions = TreePMap.empty();
    private TreePMap<String, Lock> locks = TreePMap.empty();
    private TreePSet<Delay> delays = LockState.EMPTY.delays();

    Reading(long position, long timeMillis) {
      this.position = position;
      this.timeMillis = timeMillis;
    }

    void session(WireReader in) {
      long id = in.readLong();
      check(sessions.isEmpty() || id > sessions.lastKey(), "sessions out of order");
      NodeId node = in.readNode();
      long client = in.readLong();
      long floor = in.readVarLong();
      check(client != 0 && floor > 0, "a session that was never opened");
      TreePSet<Long> cancelled = TreePSet.empty();
      for (int left = in.readCount(); left > 0; left--) {
        long request = in.readVarLong();
        check(
            request >= floor && (cancelled.isEmpty() || request > cancelled.last()),
            "cancelled requests out of order");
        cancelled = cancelled.plus(request);
      }
      TreePMap<Integer, Bundle> bundles = TreePMap.empty();
      for (int left = in.readCount(); left > 0; left--) {
        int number = LockRequest.readBundle(in);
        check(bundles.isEmpty() || number > bundles.lastKey(), "bundles out of order");
        String name = in.readString(LockRequest.NAME_BYTES);
        bundles = bundles.plus(number, new Bundle(name, since(in)));
      }
      in.expectEnd();
      sessions =
          sessions.plus(id, new Session(node, client, floor, cancelled, bundles, TreePMap.empty()));
    }

    void lock(WireReader in) {
      String name = LockName.readName(in);
      check(locks.isEmpty() || name.compareTo(locks.lastKey()) > 0, "locks out of order");
      long permits = in.readVarLong();
      check(permits >= 0 && permits <= Limits.LOCK_HOLDERS, "a semaphore of " + permits);
      long last = in.readVarLong();
      long delayedUntilMillis = in.readLong();
      Lock lock = new Lock((int) permits, last).withDelay(delayedUntilMillis);
      for (int left = in.readCount(); left > 0; left--) {
        long token = in.readVarLong();
        check(lock.holders().isEmpty() || token > lock.holders().lastKey(), "holders disordered");
        check(token > 0 && token <= last, "a token that was not given");
        long session = in.readLong();
        long request = in.readVarLong();
        place(session, request, new Place(name, LockRequest.readBundle(in), 0, token));
        long sinceMillis = since(in);
        boolean asked = in.readBoolean();
        Want want = Want.read(in);
        check(want.of() == permits && lock.hasRoomFor(want), "more holders than there is room for");
        lock = lock.withHolder(token, new Holder(session, request, want, sinceMillis, asked));
      }
      TreePMap<Long, Waiter> waiters = TreePMap.empty();
      for (int left = in.readCount(); left > 0; left--) {
        long ticket = in.readVarLong();
        check(waiters.isEmpty() || ticket > waiters.lastKey(), "waiters out of order");
        check(ticket > 0, "a waiter without a ticket");
        long session = in.readLong();
        long request = in.readVarLong();
        place(session, request, new Place(name, LockRequest.readBundle(in), ticket, 0));
        long sinceMillis = since(in);
        Want want = Want.read(in);
        check(want.of() == permits, "a waiter for another kind of lock");
        waiters = waiters.plus(ticket, new Waiter(session, request, want, sinceMillis));
      }
      in.expectEnd();
      lock = lock.withWaiters(waiters);
      locks = locks.plus(name, lock);
      if (delayedUntilMillis > 0) {
        delays = delays.plus(new Delay(delayedUntilMillis, name));
      }
    }

    private long since(WireReader in) {
      long sinceMillis = in.readLong();
      check(sinceMillis <= timeMillis, "something from the future");
      return sinceMillis;
    }

    private void place(long id, long request, Place place) {
      Session session = sessions.get(id);
      if (session == null) {
        throw new WireFormatException("a request of session " + id + ", which is not there");
      }
      check(session.bundles().containsKey(place.bundle()), "a request of an unknown bundle");
      check(!session.requests().containsKey(request), "a request in two places");
      sessions = sessions.plus(id, session.withRequests(session.requests().plus(request, place)));
    }

    private static void check(boolean holds, String otherwise) {
      if (!holds) {
        throw new WireFormatException(otherwise);
      }
    }
  }
}
