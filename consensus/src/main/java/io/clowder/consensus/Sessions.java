// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The replicated table of sessions: whose commands were applied, and with what result. The same on
 * every node at the same position; part of every snapshot.
 */
final class Sessions {
  /**
   * How far a session's sequence numbers may run ahead of the oldest one it still waits for. Its
   * node sends nothing beyond.
   */
  static final int WINDOW = 2 * Limits.PENDING_REQUESTS;

  private final SortedMap<Long, Session> sessions = new TreeMap<>();

  /** How a command went. */
  enum Status {
    /** The machine gave a result. */
    APPLIED(0),
    /** The machine threw, here and everywhere. */
    FAILED(1),
    /** The machine was not there on this node; the result is filled in when it is back. */
    PENDING(2);

    private static final int NONE = 0xFF;
    private final int code;

    Status(int code) {
      this.code = code;
    }

    private static Status of(int code) {
      for (Status status : values()) {
        if (status.code == code) {
          return status;
        }
      }
      throw new WireFormatException("a result of status " + code);
    }
  }

  /**
   * A command's result.
   *
   * @param position where it was applied
   * @param bytes the machine's result if {@code APPLIED}, else empty
   */
  record Result(Status status, long position, byte[] bytes) {}

  /** One session. */
  static final class Session {
    final long id;
    final NodeId node;
    final long nonce;
    final int ttlMillis;

    /** Sequences below are answered and forgotten. */
    private long acknowledged = 1;

    /** One more than the highest sequence seen. */
    private long end = 1;

    /** Results of {@code acknowledged} to {@code end - 1}, by their low bits; gaps are null. */
    private @Nullable Result[] results = new Result[16];

    Session(long id, NodeId node, long nonce, int ttlMillis) {
      this.id = id;
      this.node = node;
      this.nonce = nonce;
      this.ttlMillis = ttlMillis;
    }

    /**
     * Whether a command of this sequence is neither applied, nor given up, nor beyond the window.
     */
    boolean isNew(long sequence) {
      return sequence >= acknowledged
          && sequence < acknowledged + WINDOW
          && result(sequence) == null;
    }

    @Nullable Result result(long sequence) {
      return sequence < acknowledged || sequence >= end
          ? null
          : results[(int) sequence & (results.length - 1)];
    }

    void record(long sequence, Result result) {
      while (sequence - acknowledged >= results.length) {
        grow();
      }
      end = Math.max(end, sequence + 1);
      results[(int) sequence & (results.length - 1)] = result;
    }

    /** Forgets what the session's node has received. */
    void acknowledge(long sequence) {
      while (acknowledged < Math.min(sequence, end)) {
        results[(int) acknowledged++ & (results.length - 1)] = null;
      }
      // What was given up before it got here is refused, should a late copy come.
      acknowledged = Math.max(acknowledged, sequence);
      end = Math.max(end, acknowledged);
    }

    private void grow() {
      @Nullable Result[] wider = new Result[results.length * 2];
      for (long sequence = acknowledged; sequence < end; sequence++) {
        wider[(int) sequence & (wider.length - 1)] = result(sequence);
      }
      results = wider;
    }

    private void write(WireWriter out) {
      out.writeVarLong(id).writeString(node.value()).writeLong(nonce).writeInt(ttlMillis);
      out.writeVarLong(acknowledged).writeVarLong(end - acknowledged);
      for (long sequence = acknowledged; sequence < end; sequence++) {
        Result result = result(sequence);
        out.writeByte(result == null ? Status.NONE : result.status.code);
        if (result != null) {
          out.writeVarLong(result.position).writeBytes(result.bytes);
        }
      }
    }

    private static Session read(WireReader in) {
      Session session =
          new Session(in.readVarLong(), new NodeId(in.readString(64)), in.readLong(), in.readInt());
      session.acknowledged = in.readVarLong();
      session.end = session.acknowledged;
      long first = session.acknowledged;
      int count = in.readCount();
      if (count > WINDOW) {
        throw new WireFormatException("a session of " + count + " results");
      }
      for (int i = 0; i < count; i++) {
        int status = in.readByte();
        if (status == Status.NONE) {
          continue;
        }
        session.record(
            first + i,
            new Result(Status.of(status), in.readVarLong(), in.readBytes(Limits.RESULT_BYTES)));
      }
      session.end = Math.max(session.end, first + count);
      return session;
    }
  }

  @Nullable Session get(long id) {
    return sessions.get(id);
  }

  Collection<Session> all() {
    return Collections.unmodifiableCollection(sessions.values());
  }

  /** The session that a node opened under this nonce, or null. */
  @Nullable Session find(NodeId node, long nonce) {
    for (Session session : sessions.values()) {
      if (session.nonce == nonce && session.node.equals(node)) {
        return session;
      }
    }
    return null;
  }

  /** The sessions of a node. */
  List<Session> of(NodeId node) {
    List<Session> found = new ArrayList<>();
    for (Session session : sessions.values()) {
      if (session.node.equals(node)) {
        found.add(session);
      }
    }
    return found;
  }

  void add(Session session) {
    sessions.put(session.id, session);
  }

  void remove(long id) {
    sessions.remove(id);
  }

  int size() {
    return sessions.size();
  }

  void write(WireWriter out) {
    out.writeVarLong(sessions.size());
    sessions.values().forEach(session -> session.write(out));
  }

  void read(WireReader in) {
    sessions.clear();
    int count = in.readCount();
    for (int i = 0; i < count; i++) {
      add(Session.read(in));
    }
  }
}
