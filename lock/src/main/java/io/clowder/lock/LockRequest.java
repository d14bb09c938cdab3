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
 * requests, rising from 1.
 */
sealed interface LockRequest {
  /** The version that every kind has so far. */
  int VERSION = 1;

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

  /**
   * Asks for a lock; if it is taken and {@code queue} holds, in the queue.
   *
   * @param request the client's number for this acquisition
   * @param floor the client has done with all of its requests below this number: an Acquire of one
   *     that comes late must do nothing
   */
  record Acquire(long client, long request, long floor, boolean queue, String name)
      implements Change {}

  /** Ends a request wherever it stands: unheard of, queued, or holding the lock. */
  record Cancel(long client, long request, long floor) implements Change {}

  /** Ends the acquisition that has {@code token}, whoever it belongs to. */
  record Release(String name, long token) implements Change {}

  /** One lock. */
  record Info(String name) implements Question {}

  /** Up to {@code limit} held locks that begin with {@code prefix} and come after {@code after}. */
  record Page(String prefix, @Nullable String after, int limit) implements Question {}

  /** The bytes of this request. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Open open) {
      begin(out, 1).writeLong(open.expected).writeLong(open.client);
      out.writeVarLong(open.floor).writeString(open.node.value());
    } else if (this instanceof Acquire acquire) {
      begin(out, 2).writeLong(acquire.client).writeVarLong(acquire.request);
      out.writeVarLong(acquire.floor).writeBoolean(acquire.queue).writeString(acquire.name);
    } else if (this instanceof Cancel cancel) {
      begin(out, 3).writeLong(cancel.client).writeVarLong(cancel.request);
      out.writeVarLong(cancel.floor);
    } else if (this instanceof Release release) {
      begin(out, 4).writeString(release.name).writeVarLong(release.token);
    } else if (this instanceof Info info) {
      begin(out, 5).writeString(info.name);
    } else if (this instanceof Page page) {
      begin(out, 6).writeString(page.prefix).writeBoolean(page.after != null);
      if (page.after != null) {
        out.writeString(page.after);
      }
      out.writeVarLong(page.limit);
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
          case 1 -> new Open(in.readLong(), in.readLong(), readNumber(in), readNode(in));
          case 2 ->
              new Acquire(
                  readClient(in),
                  readNumber(in),
                  readNumber(in),
                  in.readBoolean(),
                  LockName.readName(in));
          case 3 -> new Cancel(readClient(in), readNumber(in), readNumber(in));
          case 4 -> new Release(LockName.readName(in), in.readVarLong());
          case 5 -> new Info(LockName.readName(in));
          case 6 ->
              new Page(
                  LockName.read(in), in.readBoolean() ? LockName.read(in) : null, readLimit(in));
          default -> throw new WireFormatException("lock request of unknown kind " + kind);
        };
    in.expectEnd();
    return request;
  }

  /** Reads the name of a node. */
  static NodeId readNode(WireReader in) {
    String name = in.readString(64);
    try {
      return new NodeId(name);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
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

  private static int readLimit(WireReader in) {
    long limit = in.readVarLong();
    if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
      throw new WireFormatException("page of " + limit + " locks");
    }
    return (int) limit;
  }
}
