// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockSession;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What {@link LockTable} answers: a byte of kind, a byte of version, the fields. */
sealed interface LockResult {
  /** The version that every kind has so far. */
  int VERSION = 2;

  /** It is as was asked for. */
  record Done() implements LockResult {}

  /** Nothing was done: the session is the client's {@code current}, 0 for nobody's. */
  record NotOpen(long current) implements LockResult {}

  /** Nothing was done: the bundle has to be named first. */
  record NotEntered() implements LockResult {}

  /** The request holds the lock, in the name of {@code session}. */
  record Granted(long session, long token) implements LockResult {}

  /** The request waits, in the name of {@code session}. */
  record Queued(long session) implements LockResult {}

  /** The lock is taken, and the request did not want to wait. */
  record Busy() implements LockResult {}

  /** No room for another one of these. */
  record Full(What what) implements LockResult {
    /** What there are too many of. */
    enum What {
      LOCKS(1),
      WAITERS(2),
      BUNDLES(3);

      private final int code;

      What(int code) {
        this.code = code;
      }

      static What read(WireReader in) {
        int code = in.readByte();
        for (What what : values()) {
          if (what.code == code) {
            return what;
          }
        }
        throw new WireFormatException("too many of " + code);
      }
    }
  }

  /** The name is a semaphore of so many permits, or no semaphore if 0. */
  record OtherKind(int permits) implements LockResult {}

  /** The request is over. */
  record Cancelled() implements LockResult {}

  /**
   * Nothing was changed: {@code token} is in the way, of a holder or shown for the resource; or
   * nothing is there that could be changed, if it is 0.
   */
  record Refused(long token) implements LockResult {}

  /** The locks asked for, by name. */
  record Locks(List<LockInfo> locks) implements LockResult {
    /** Bytes that a holder or waiter takes at most. */
    private static final int ENTRY_BYTES = 64 + LockRequest.NAME_BYTES + Limits.NOTE_BYTES + 64;

    /** Bytes that a lock takes at most. */
    static int size(LockInfo lock) {
      return 3 * lock.name().length()
          + 64
          + ENTRY_BYTES * (lock.holders().size() + lock.waiters().size());
    }
  }

  /** The bundles asked for. */
  record Bundles(List<LockSession> bundles) implements LockResult {}

  /** The bytes of this result. */
  default byte[] encode() {
    WireWriter out = new WireWriter(32);
    if (this instanceof Done) {
      begin(out, 1);
    } else if (this instanceof NotOpen notOpen) {
      begin(out, 2).writeLong(notOpen.current);
    } else if (this instanceof NotEntered) {
      begin(out, 3);
    } else if (this instanceof Granted granted) {
      begin(out, 4).writeLong(granted.session).writeVarLong(granted.token);
    } else if (this instanceof Queued queued) {
      begin(out, 5).writeLong(queued.session);
    } else if (this instanceof Busy) {
      begin(out, 6);
    } else if (this instanceof Full full) {
      begin(out, 7).writeByte(full.what.code);
    } else if (this instanceof OtherKind other) {
      begin(out, 8).writeVarLong(other.permits);
    } else if (this instanceof Cancelled) {
      begin(out, 9);
    } else if (this instanceof Refused refused) {
      begin(out, 10).writeVarLong(refused.token);
    } else if (this instanceof Locks locks) {
      begin(out, 11).writeVarLong(locks.locks.size());
      locks.locks.forEach(lock -> write(lock, out));
    } else if (this instanceof Bundles bundles) {
      begin(out, 12).writeVarLong(bundles.bundles.size());
      bundles.bundles.forEach(bundle -> write(bundle, out));
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
          case 1 -> new Done();
          case 2 -> new NotOpen(in.readLong());
          case 3 -> new NotEntered();
          case 4 -> new Granted(in.readLong(), in.readVarLong());
          case 5 -> new Queued(in.readLong());
          case 6 -> new Busy();
          case 7 -> new Full(Full.What.read(in));
          case 8 -> new OtherKind((int) in.readVarLong());
          case 9 -> new Cancelled();
          case 10 -> new Refused(in.readVarLong());
          case 11 -> new Locks(readPage(in, LockResult::readLock));
          case 12 -> new Bundles(readPage(in, LockResult::readBundle));
          default -> throw new WireFormatException("lock result of unknown kind " + kind);
        };
    in.expectEnd();
    return result;
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  private static void write(LockInfo lock, WireWriter out) {
    out.writeString(lock.name()).writeVarLong(lock.permits()).writeLong(lock.delayedUntilMillis());
    out.writeVarLong(lock.holding()).writeVarLong(lock.holders().size());
    for (LockInfo.Holder holder : lock.holders()) {
      out.writeVarLong(holder.token()).writeString(holder.node().value());
      out.writeLong(holder.session()).writeString(holder.bundle());
      Want.write(holder.mode(), out);
      out.writeVarLong(holder.permits());
      out.writeLong(holder.sinceMillis()).writeBoolean(holder.asked()).writeString(holder.note());
    }
    out.writeVarLong(lock.waiting()).writeVarLong(lock.waiters().size());
    for (LockInfo.Waiter waiter : lock.waiters()) {
      out.writeString(waiter.node().value()).writeLong(waiter.session());
      out.writeString(waiter.bundle());
      Want.write(waiter.mode(), out);
      out.writeVarLong(waiter.permits()).writeByte(waiter.priority());
      out.writeLong(waiter.sinceMillis()).writeString(waiter.note());
    }
  }

  private static void write(LockSession bundle, WireWriter out) {
    out.writeString(bundle.node().value()).writeLong(bundle.session());
    out.writeString(bundle.bundle()).writeLong(bundle.sinceMillis());
    out.writeVarLong(bundle.holds()).writeVarLong(bundle.waits());
  }

  private static <T> List<T> readPage(WireReader in, Function<WireReader, T> read) {
    int count = in.readCount();
    if (count > Limits.PAGE_ENTRIES) {
      throw new WireFormatException("page of " + count);
    }
    List<T> page = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      page.add(read.apply(in));
    }
    return page;
  }

  private static LockInfo readLock(WireReader in) {
    String name = LockName.readName(in);
    int permits = (int) in.readVarLong();
    long delayedUntilMillis = in.readLong();
    int holding = (int) in.readVarLong();
    List<LockInfo.Holder> holders = new ArrayList<>();
    for (int left = in.readCount(); left > 0; left--) {
      holders.add(
          new LockInfo.Holder(
              in.readVarLong(),
              in.readNode(),
              in.readLong(),
              in.readString(LockRequest.NAME_BYTES),
              Want.readMode(in),
              (int) in.readVarLong(),
              in.readLong(),
              in.readBoolean(),
              in.readString(Limits.NOTE_BYTES)));
    }
    int waiting = (int) in.readVarLong();
    List<LockInfo.Waiter> waiters = new ArrayList<>();
    for (int left = in.readCount(); left > 0; left--) {
      waiters.add(
          new LockInfo.Waiter(
              in.readNode(),
              in.readLong(),
              in.readString(LockRequest.NAME_BYTES),
              Want.readMode(in),
              (int) in.readVarLong(),
              in.readByte(),
              in.readLong(),
              in.readString(Limits.NOTE_BYTES)));
    }
    return new LockInfo(name, permits, holders, holding, waiters, waiting, delayedUntilMillis);
  }

  private static LockSession readBundle(WireReader in) {
    return new LockSession(
        in.readNode(),
        in.readLong(),
        in.readString(LockRequest.NAME_BYTES),
        in.readLong(),
        (int) in.readVarLong(),
        (int) in.readVarLong());
  }
}
