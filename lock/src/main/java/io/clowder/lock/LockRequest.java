// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/**
 * What {@link LockTable} may be asked: a byte of kind, a byte of version, the fields. Whose request
 * it is, the session, comes with the entry.
 *
 * <p>A session outlives the code that uses it: a bundle may be stopped and started, a process even,
 * within one session. So a <em>client</em>, one run of the lock service on a node, opens the
 * session for itself, which lets go of whatever an earlier client left there; and it numbers its
 * requests, rising from 1, and the bundles in whose names it makes them.
 */
sealed interface LockRequest {
  /** The version that every kind has so far. */
  int VERSION = 2;

  /** Longest name of a bundle, in bytes of UTF-8; longer ones are cut. */
  int NAME_BYTES = 128;

  /** What goes through the log. */
  sealed interface Change extends LockRequest {}

  /** What is answered from the present state. */
  sealed interface Question extends LockRequest {}

  /**
   * Makes {@code client} the session's client, 0 for none, if it is {@code expected} so far; an
   * Open of an earlier client that comes late therefore does nothing.
   *
   * @param floor as in {@link Acquire}
   * @param node whose session it is
   */
  record Open(long expected, long client, long floor, NodeId node) implements Change {}

  /** Names a bundle, in whose name requests are made from now on. */
  record Enter(long client, int bundle, String name) implements Change {}

  /** The bundle has stopped: ends all requests in its name. */
  record Leave(long client, int bundle) implements Change {}

  /**
   * Asks for a lock; if it is taken, in the queue.
   *
   * @param request the client's number for this acquisition
   * @param floor the client has done with all of its requests below this number: an Acquire of one
   *     that comes late must do nothing
   * @param bundle in whose name
   * @param queue how many may wait for it, this one among them; 0 if it does not want to wait
   */
  record Acquire(
      long client, long request, long floor, int bundle, int queue, String name, Want want)
      implements Change {}

  /**
   * Ends a request wherever it stands: unheard of, queued, or holding the lock.
   *
   * @param isLost whether its holder has lost it by the clock, so that it may be at work still
   */
  record Cancel(long client, long request, long floor, boolean isLost) implements Change {}

  /**
   * Ends the acquisition that has {@code token}, whoever it belongs to.
   *
   * @param reason why it is taken from its holder; empty if the holder releases it
   */
  record Release(String name, long token, String reason) implements Change {}

  /** Lets the first waiter of the node go ahead, and asks the holders to give way. */
  record Promote(String name, NodeId node) implements Change {}

  /** Has locks whose delay is over given to those who wait for them. */
  record Settle() implements Change {}

  /** Shows a token for a resource. */
  record Show(String resource, long token) implements Change {}

  /** One lock. */
  record Info(String name) implements Question {}

  /** Up to {@code limit} held locks that begin with {@code prefix} and come after {@code after}. */
  record Page(String prefix, @Nullable String after, int limit) implements Question {}

  /** Up to {@code limit} bundles. */
  record Bundles(int limit) implements Question {}

  /** The bytes of this request. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Open open) {
      begin(out, 1).writeLong(open.expected).writeLong(open.client);
      out.writeVarLong(open.floor).writeString(open.node.value());
    } else if (this instanceof Enter enter) {
      begin(out, 2).writeLong(enter.client).writeVarLong(enter.bundle).writeString(enter.name);
    } else if (this instanceof Leave leave) {
      begin(out, 3).writeLong(leave.client).writeVarLong(leave.bundle);
    } else if (this instanceof Acquire acquire) {
      begin(out, 4).writeLong(acquire.client).writeVarLong(acquire.request);
      out.writeVarLong(acquire.floor).writeVarLong(acquire.bundle).writeVarLong(acquire.queue);
      out.writeString(acquire.name);
      acquire.want.write(out);
    } else if (this instanceof Cancel cancel) {
      begin(out, 5).writeLong(cancel.client).writeVarLong(cancel.request);
      out.writeVarLong(cancel.floor).writeBoolean(cancel.isLost);
    } else if (this instanceof Release release) {
      begin(out, 6).writeString(release.name).writeVarLong(release.token);
      out.writeString(release.reason);
    } else if (this instanceof Promote promote) {
      begin(out, 7).writeString(promote.name).writeString(promote.node.value());
    } else if (this instanceof Settle) {
      begin(out, 8);
    } else if (this instanceof Show show) {
      begin(out, 9).writeString(show.resource).writeVarLong(show.token);
    } else if (this instanceof Info info) {
      begin(out, 10).writeString(info.name);
    } else if (this instanceof Page page) {
      begin(out, 11).writeString(page.prefix).writeBoolean(page.after != null);
      if (page.after != null) {
        out.writeString(page.after);
      }
      out.writeVarLong(page.limit);
    } else if (this instanceof Bundles bundles) {
      begin(out, 12).writeVarLong(bundles.limit);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a request.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static LockRequest decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("lock request of kind " + kind + " in version " + version);
    }
    LockRequest request =
        switch (kind) {
          case 1 -> new Open(in.readLong(), in.readLong(), readNumber(in), in.readNode());
          case 2 -> new Enter(readClient(in), readBundle(in), in.readString(NAME_BYTES));
          case 3 -> new Leave(readClient(in), readBundle(in));
          case 4 ->
              new Acquire(
                  readClient(in),
                  readNumber(in),
                  readNumber(in),
                  readBundle(in),
                  readQueue(in),
                  LockName.readName(in),
                  Want.read(in));
          case 5 -> new Cancel(readClient(in), readNumber(in), readNumber(in), in.readBoolean());
          case 6 ->
              new Release(
                  LockName.readName(in), in.readVarLong(), in.readString(Limits.NOTE_BYTES));
          case 7 -> new Promote(LockName.readName(in), in.readNode());
          case 8 -> new Settle();
          case 9 -> new Show(LockName.readName(in), readNumber(in));
          case 10 -> new Info(LockName.readName(in));
          case 11 ->
              new Page(
                  LockName.read(in), in.readBoolean() ? LockName.read(in) : null, readLimit(in));
          case 12 -> new Bundles(readLimit(in));
          default -> throw new WireFormatException("lock request of unknown kind " + kind);
        };
    in.expectEnd();
    return request;
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  private static long readClient(WireReader in) {
    long client = in.readLong();
    if (client == 0) {
      throw new WireFormatException("lock request of client 0, which is nobody");
    }
    return client;
  }

  private static long readNumber(WireReader in) {
    long number = in.readVarLong();
    if (number < 1) {
      throw new WireFormatException("lock request with the number " + number);
    }
    return number;
  }

  /** Reads the number of a bundle. */
  static int readBundle(WireReader in) {
    long bundle = in.readVarLong();
    if (bundle < 1 || bundle > Integer.MAX_VALUE) {
      throw new WireFormatException("lock request of bundle " + bundle);
    }
    return (int) bundle;
  }

  private static int readQueue(WireReader in) {
    long queue = in.readVarLong();
    if (queue < 0 || queue > Limits.LOCK_WAITERS) {
      throw new WireFormatException("a queue of " + queue);
    }
    return (int) queue;
  }

  private static int readLimit(WireReader in) {
    long limit = in.readVarLong();
    if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
      throw new WireFormatException("page of " + limit + " locks");
    }
    return (int) limit;
  }
}
