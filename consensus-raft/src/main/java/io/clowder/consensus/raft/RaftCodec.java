// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.AppendRequest;
import io.clowder.consensus.raft.RaftMessage.Appended;
import io.clowder.consensus.raft.RaftMessage.Base;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.TimeoutNow;
import io.clowder.consensus.raft.RaftMessage.Vote;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import io.clowder.consensus.raft.RaftMessage.VoteRequest;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of {@link RaftMessage}: a kind, a version, the fields. Kinds and layouts are on disks:
 * they never change, only new versions are added.
 */
final class RaftCodec implements Codec<Message> {
  static final int VERSION = 1;

  @Override
  public void write(Message message, WireWriter out) {
    if (message instanceof AppendRequest m) {
      head(1, out).writeVarLong(m.term()).writeVarLong(m.prevIndex()).writeVarLong(m.prevTerm());
      out.writeVarLong(m.commit());
      writeEntries(m.prevTerm(), m.entries(), out);
    } else if (message instanceof AppendReply m) {
      head(2, out).writeVarLong(m.term()).writeVarLong(m.match());
    } else if (message instanceof AppendReject m) {
      head(3, out).writeVarLong(m.term()).writeVarLong(m.prevIndex());
      out.writeVarLong(m.hintIndex()).writeVarLong(m.hintTerm());
    } else if (message instanceof Heartbeat m) {
      head(4, out).writeVarLong(m.term()).writeVarLong(m.commit()).writeVarLong(m.round());
    } else if (message instanceof HeartbeatReply m) {
      head(5, out).writeVarLong(m.term()).writeVarLong(m.round());
    } else if (message instanceof VoteRequest m) {
      head(6, out).writeVarLong(m.term()).writeVarLong(m.lastIndex()).writeVarLong(m.lastTerm());
      out.writeBoolean(m.pre()).writeBoolean(m.transfer());
    } else if (message instanceof VoteReply m) {
      head(7, out).writeVarLong(m.term()).writeBoolean(m.pre()).writeBoolean(m.granted());
    } else if (message instanceof TimeoutNow m) {
      head(8, out).writeVarLong(m.term());
    } else if (message instanceof Vote m) {
      writeNode(m.vote(), head(9, out).writeVarLong(m.term()));
    } else if (message instanceof Appended m) {
      head(10, out).writeVarLong(m.prevIndex()).writeVarLong(m.prevTerm());
      writeEntries(m.prevTerm(), m.entries(), out);
    } else if (message instanceof Base m) {
      head(11, out).writeVarLong(m.index()).writeVarLong(m.indexTerm()).writeVarLong(m.term());
      writeNode(m.vote(), out);
    } else {
      throw new AssertionError("not Raft's: " + message);
    }
  }

  @Override
  public Message read(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("version " + version + " of Raft message kind " + kind);
    }
    try {
      return read(kind, in);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("Raft message kind " + kind + ": " + e.getMessage());
    }
  }

  // Java evaluates arguments from left to right: the fields are read in the order written.
  private static RaftMessage read(int kind, WireReader in) {
    return switch (kind) {
      case 1 -> readAppendRequest(in);
      case 2 -> new AppendReply(in.readVarLong(), in.readVarLong());
      case 3 ->
          new AppendReject(in.readVarLong(), in.readVarLong(), in.readVarLong(), in.readVarLong());
      case 4 -> new Heartbeat(in.readVarLong(), in.readVarLong(), in.readVarLong());
      case 5 -> new HeartbeatReply(in.readVarLong(), in.readVarLong());
      case 6 ->
          new VoteRequest(
              in.readVarLong(),
              in.readVarLong(),
              in.readVarLong(),
              in.readBoolean(),
              in.readBoolean());
      case 7 -> new VoteReply(in.readVarLong(), in.readBoolean(), in.readBoolean());
      case 8 -> new TimeoutNow(in.readVarLong());
      case 9 -> new Vote(in.readVarLong(), readNode(in));
      case 10 -> {
        long prevIndex = in.readVarLong();
        long prevTerm = in.readVarLong();
        yield new Appended(prevIndex, prevTerm, readEntries(prevTerm, in));
      }
      case 11 -> new Base(in.readVarLong(), in.readVarLong(), in.readVarLong(), readNode(in));
      default -> throw new WireFormatException("no Raft message has kind " + kind);
    };
  }

  private static AppendRequest readAppendRequest(WireReader in) {
    long term = in.readVarLong();
    long prevIndex = in.readVarLong();
    long prevTerm = in.readVarLong();
    long commit = in.readVarLong();
    return new AppendRequest(term, prevIndex, prevTerm, commit, readEntries(prevTerm, in));
  }

  private static WireWriter head(int kind, WireWriter out) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  /** Terms as differences: nearly always a zero, and never falling by construction. */
  private static void writeEntries(long prevTerm, Entries entries, WireWriter out) {
    out.writeVarLong(entries.size());
    long term = prevTerm;
    for (int i = 0; i < entries.size(); i++) {
      out.writeVarLong(entries.term(i) - term).writeBytes(entries.command(i));
      term = entries.term(i);
    }
  }

  private static Entries readEntries(long prevTerm, WireReader in) {
    int count = in.readCount();
    if (count > Entries.COUNT_MAX || count > in.remaining() / 2) {
      throw new WireFormatException(count + " entries in " + in.remaining() + " bytes");
    }
    if (count == 0) {
      return Entries.NONE;
    }
    long[] terms = new long[count];
    byte[][] commands = new byte[count][];
    long term = prevTerm;
    for (int i = 0; i < count; i++) {
      long rise = in.readVarLong();
      if (rise < 0 || rise > RaftMessage.NUMBER_MAX || term < 0 || term > RaftMessage.NUMBER_MAX) {
        throw new WireFormatException("an entry's term " + term + " + " + rise);
      }
      term += rise;
      terms[i] = term;
      commands[i] = in.readBytes(Limits.RECORD_BYTES);
    }
    return new Entries(terms, commands);
  }

  private static void writeNode(@Nullable NodeId node, WireWriter out) {
    out.writeString(node == null ? "" : node.value());
  }

  private static @Nullable NodeId readNode(WireReader in) {
    String value = in.readString(64);
    return value.isEmpty() ? null : new NodeId(value);
  }
}
