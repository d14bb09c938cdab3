// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.lock.LockState.Freed;
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
 * The table as a file: a byte of format; position and largest forgotten token, eight bytes each;
 * then sessions, locks and freed tokens, each as eight bytes of count and, in order, four bytes of
 * length and that many of record. Nothing at all stands for the table of the beginning.
 */
final class LockSnapshot {
  private static final int FORMAT = 1;

  /** A lock with all of its waiters, or a session with all of its cancelled requests. */
  private static final int RECORD_BYTES_MAX = Limits.RESULT_BYTES;

  private LockSnapshot() {}

  static void write(LockState state, OutputStream out) throws IOException {
    WireWriter header = new WireWriter(32);
    header.writeByte(FORMAT).writeLong(state.position()).writeLong(state.freed().forgotten());
    flush(header, out);
    WireWriter record = new WireWriter(256);
    flush(header.writeLong(state.sessions().size()), out);
    for (Map.Entry<Long, Session> entry : state.sessions().entrySet()) {
      Session session = entry.getValue();
      record.writeLong(entry.getKey()).writeString(session.node().value());
      record.writeLong(session.client()).writeVarLong(session.floor());
      record.writeVarLong(session.cancelled().size());
      session.cancelled().forEach(record::writeVarLong);
      flushRecord(header, record, out);
    }
    flush(header.writeLong(state.locks().size()), out);
    for (Map.Entry<String, Lock> entry : state.locks().entrySet()) {
      Holder holder = entry.getValue().holder();
      record.writeString(entry.getKey()).writeLong(holder.session()).writeVarLong(holder.request());
      record.writeVarLong(holder.token()).writeLong(holder.sinceMillis());
      record.writeVarLong(entry.getValue().waiters().size());
      entry
          .getValue()
          .waiters()
          .forEach(
              (ticket, waiter) ->
                  record
                      .writeVarLong(ticket)
                      .writeLong(waiter.session())
                      .writeVarLong(waiter.request()));
      flushRecord(header, record, out);
    }
    flush(header.writeLong(state.freed().tokens().size()), out);
    for (Map.Entry<String, Long> entry : state.freed().tokens().entrySet()) {
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
      Reading reading = new Reading(in.readLong());
      reading.freed = Freed.NOTHING.withForgotten(in.readLong());
      for (long left = in.readLong(); left != 0; left--) {
        reading.session(record(in));
      }
      for (long left = in.readLong(); left != 0; left--) {
        reading.lock(record(in));
      }
      for (long left = in.readLong(); left != 0; left--) {
        reading.freed(record(in));
      }
      if (in.read() >= 0) {
        throw new WireFormatException("it goes on after its last record");
      }
      return new LockState(reading.position, reading.locks, reading.sessions, reading.freed);
    } catch (EOFException e) {
      throw new IOException("lock snapshot is corrupt: cut short", e);
    } catch (WireFormatException e) {
      throw new IOException("lock snapshot is corrupt: " + e.getMessage(), e);
    }
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
    private TreePMap<Long, Session> sessions = TreePMap.empty();
    private TreePMap<String, Lock> locks = TreePMap.empty();
    private Freed freed = Freed.NOTHING;

    Reading(long position) {
      this.position = position;
    }

    void session(WireReader in) {
      long id = in.readLong();
      check(sessions.isEmpty() || id > sessions.lastKey(), "sessions out of order");
      NodeId node = LockRequest.readNode(in);
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
      in.expectEnd();
      sessions = sessions.plus(id, new Session(node, client, floor, cancelled, TreePMap.empty()));
    }

    void lock(WireReader in) {
      String name = LockName.readName(in);
      check(locks.isEmpty() || name.compareTo(locks.lastKey()) > 0, "locks out of order");
      long holderSession = in.readLong();
      long holderRequest = in.readVarLong();
      Holder holder = new Holder(holderSession, holderRequest, in.readVarLong(), in.readLong());
      place(holder.session(), holder.request(), new Place(name, holder.token()));
      TreePMap<Long, Waiter> waiters = TreePMap.empty();
      for (int left = in.readCount(); left > 0; left--) {
        long ticket = in.readVarLong();
        check(waiters.isEmpty() || ticket > waiters.lastKey(), "waiters out of order");
        Waiter waiter = new Waiter(in.readLong(), in.readVarLong());
        place(waiter.session(), waiter.request(), new Place(name, ticket));
        waiters = waiters.plus(ticket, waiter);
      }
      in.expectEnd();
      locks = locks.plus(name, new Lock(holder, waiters));
    }

    void freed(WireReader in) {
      String name = LockName.readName(in);
      TreePMap<String, Long> known = freed.tokens();
      check(known.isEmpty() || name.compareTo(known.lastKey()) > 0, "freed locks out of order");
      long token = in.readVarLong();
      check(!locks.containsKey(name) && token > 0 && token <= position, "a wrong freed lock");
      in.expectEnd();
      check(known.size() < Freed.NAMES_MAX, "too many freed locks");
      freed = freed.plus(name, token);
    }

    private void place(long id, long request, Place place) {
      check(place.ticket() > 0 && place.ticket() <= position, "a request from the future");
      Session session = sessions.get(id);
      if (session == null) {
        throw new WireFormatException("a request of session " + id + ", which is not there");
      }
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
