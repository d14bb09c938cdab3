// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/** What {@link LockTable} answers: a byte of kind, a byte of version, the fields. */
sealed interface LockResult {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The session is the client's. */
  record Opened() implements LockResult {}

  /** Nothing was done: the session is the client's {@code current}, 0 for nobody's. */
  record NotOpen(long current) implements LockResult {}

  /** The request holds the lock, in the name of {@code session}. */
  record Granted(long session, long token) implements LockResult {}

  /** The request waits, in the name of {@code session}. */
  record Queued(long session) implements LockResult {}

  /** The lock is taken, and the request did not want to wait. */
  record Busy() implements LockResult {}

  /** No room for another lock, or, if {@code queue}, for another waiter of this one. */
  record Full(boolean queue) implements LockResult {}

  /** The request is over. */
  record Cancelled() implements LockResult {}

  /** The acquisition with this token is over. */
  record Released() implements LockResult {}

  /**
   * Nothing was released: the lock is held with the token {@code held}, or is free if that is 0,
   * and the token was never given for it.
   */
  record Refused(long held) implements LockResult {}

  /** The locks asked for, by name. */
  record Locks(List<LockInfo> locks) implements LockResult {
    /** Bytes that a lock takes at most. */
    static int size(LockInfo lock) {
      return 3 * lock.name().length() + 128 + 66 * lock.waiters().size();
    }
  }

  /** The bytes of this result. */
  default byte[] encode() {
    WireWriter out = new WireWriter(32);
    if (this instanceof Opened) {
      begin(out, 1);
    } else if (this instanceof NotOpen notOpen) {
      begin(out, 2).writeLong(notOpen.current);
    } else if (this instanceof Granted granted) {
      begin(out, 3).writeLong(granted.session).writeVarLong(granted.token);
    } else if (this instanceof Queued queued) {
      begin(out, 4).writeLong(queued.session);
    } else if (this instanceof Busy) {
      begin(out, 5);
    } else if (this instanceof Full full) {
      begin(out, 6).writeBoolean(full.queue);
    } else if (this instanceof Cancelled) {
      begin(out, 7);
    } else if (this instanceof Released) {
      begin(out, 8);
    } else if (this instanceof Refused refused) {
      begin(out, 9).writeVarLong(refused.held);
    } else if (this instanceof Locks locks) {
      begin(out, 10).writeVarLong(locks.locks.size());
      locks.locks.forEach(lock -> write(lock, out));
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a result.
   *
   * @throws WireFormatException if the bytes are none
   */
  static LockResult decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("lock result of kind " + kind + " in version " + version);
    }
    LockResult result =
        switch (kind) {
          case 1 -> new Opened();
          case 2 -> new NotOpen(in.readLong());
          case 3 -> new Granted(in.readLong(), in.readVarLong());
          case 4 -> new Queued(in.readLong());
          case 5 -> new Busy();
          case 6 -> new Full(in.readBoolean());
          case 7 -> new Cancelled();
          case 8 -> new Released();
          case 9 -> new Refused(in.readVarLong());
          case 10 -> new Locks(readLocks(in));
          default -> throw new WireFormatException("lock result of unknown kind " + kind);
        };
    in.expectEnd();
    return result;
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  private static void write(LockInfo lock, WireWriter out) {
    out.writeString(lock.name()).writeVarLong(lock.token()).writeString(lock.node().value());
    out.writeLong(lock.session()).writeLong(lock.sinceMillis());
    out.writeVarLong(lock.waiters().size());
    lock.waiters().forEach(node -> out.writeString(node.value()));
  }

  private static List<LockInfo> readLocks(WireReader in) {
    int count = in.readCount();
    if (count > Limits.PAGE_ENTRIES) {
      throw new WireFormatException("page of " + count + " locks");
    }
    List<LockInfo> locks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = LockName.readName(in);
      long token = in.readVarLong();
      NodeId node = LockRequest.readNode(in);
      long session = in.readLong();
      long sinceMillis = in.readLong();
      List<NodeId> waiters = new ArrayList<>();
      for (int left = in.readCount(); left > 0; left--) {
        waiters.add(LockRequest.readNode(in));
      }
      locks.add(new LockInfo(name, token, node, session, sinceMillis, waiters));
    }
    return locks;
  }
}
