// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.Limits;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.consensus.paxos.PaxosMessage.Accept;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.Base;
import io.clowder.consensus.paxos.PaxosMessage.Canvass;
import io.clowder.consensus.paxos.PaxosMessage.Heartbeat;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Missing;
import io.clowder.consensus.paxos.PaxosMessage.Prepare;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Promised;
import io.clowder.consensus.paxos.PaxosMessage.Rejected;
import io.clowder.consensus.paxos.PaxosMessage.Succeed;
import io.clowder.consensus.paxos.PaxosMessage.Support;
import io.clowder.consensus.paxos.PaxosMessage.Trimmed;
import io.clowder.consensus.paxos.PaxosMessage.Voted;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of {@link PaxosMessage}: a kind, a version, the fields; a ballot is its number. Kinds
 * and layouts are on disks: they never change, only new versions are added.
 */
final class PaxosCodec implements Codec<Message> {
  static final int VERSION = 1;

  @Override
  public void write(Message message, WireWriter out) {
    if (message instanceof Accept m) {
      head(1, m.ballot(), out).writeVarLong(m.first()).writeVarLong(m.chosen());
      writeCommands(m.commands(), out);
    } else if (message instanceof Accepted m) {
      head(2, m.ballot(), out).writeVarLong(m.upTo());
    } else if (message instanceof Missing m) {
      head(3, m.ballot(), out).writeVarLong(m.upTo()).writeVarLong(m.before());
    } else if (message instanceof Heartbeat m) {
      head(4, m.ballot(), out).writeVarLong(m.chosen()).writeVarLong(m.round());
    } else if (message instanceof HeartbeatReply m) {
      head(5, m.ballot(), out).writeVarLong(m.round()).writeVarLong(m.upTo());
    } else if (message instanceof Rejected m) {
      head(6, m.ballot(), out).writeVarLong(m.promised().number());
    } else if (message instanceof Canvass m) {
      head(7, m.ballot(), out).writeVarLong(m.from());
    } else if (message instanceof Support m) {
      head(8, m.ballot(), out).writeBoolean(m.granted()).writeVarLong(m.promised().number());
    } else if (message instanceof Prepare m) {
      head(9, m.ballot(), out).writeVarLong(m.from()).writeBoolean(m.transfer());
    } else if (message instanceof Promise m) {
      head(10, m.ballot(), out).writeVarLong(m.from()).writeVarLong(m.decided());
      writeVotes(m.votes(), out.writeVarLong(m.last()));
    } else if (message instanceof Trimmed m) {
      head(11, m.ballot(), out).writeVarLong(m.slot());
    } else if (message instanceof Succeed m) {
      head(12, m.ballot(), out);
    } else if (message instanceof Promised m) {
      head(13, m.ballot(), out);
    } else if (message instanceof Voted m) {
      head(14, m.ballot(), out).writeVarLong(m.first()).writeVarLong(m.decided());
      writeCommands(m.commands(), out);
    } else if (message instanceof Base m) {
      head(15, m.promised(), out).writeVarLong(m.slot());
    } else {
      throw new AssertionError("not Paxos's: " + message);
    }
  }

  @Override
  public Message read(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("version " + version + " of Paxos message kind " + kind);
    }
    try {
      return read(kind, readBallot(in), in);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("Paxos message kind " + kind + ": " + e.getMessage());
    }
  }

  // Java evaluates arguments from left to right: the fields are read in the order written.
  private static PaxosMessage read(int kind, Ballot ballot, WireReader in) {
    return switch (kind) {
      case 1 -> new Accept(ballot, in.readVarLong(), in.readVarLong(), readCommands(in));
      case 2 -> new Accepted(ballot, in.readVarLong());
      case 3 -> new Missing(ballot, in.readVarLong(), in.readVarLong());
      case 4 -> new Heartbeat(ballot, in.readVarLong(), in.readVarLong());
      case 5 -> new HeartbeatReply(ballot, in.readVarLong(), in.readVarLong());
      case 6 -> new Rejected(ballot, readBallot(in));
      case 7 -> new Canvass(ballot, in.readVarLong());
      case 8 -> new Support(ballot, in.readBoolean(), readBallot(in));
      case 9 -> new Prepare(ballot, in.readVarLong(), in.readBoolean());
      case 10 ->
          new Promise(ballot, in.readVarLong(), in.readVarLong(), in.readVarLong(), readVotes(in));
      case 11 -> new Trimmed(ballot, in.readVarLong());
      case 12 -> new Succeed(ballot);
      case 13 -> new Promised(ballot);
      case 14 -> new Voted(ballot, in.readVarLong(), in.readVarLong(), readCommands(in));
      case 15 -> new Base(in.readVarLong(), ballot);
      default -> throw new WireFormatException("no Paxos message has kind " + kind);
    };
  }

  private static WireWriter head(int kind, Ballot ballot, WireWriter out) {
    return out.writeByte(kind).writeByte(VERSION).writeVarLong(ballot.number());
  }

  private static Ballot readBallot(WireReader in) {
    return Ballot.of(in.readVarLong());
  }

  private static void writeCommands(Commands commands, WireWriter out) {
    out.writeVarLong(commands.size());
    for (int i = 0; i < commands.size(); i++) {
      out.writeBytes(commands.get(i));
    }
  }

  private static Commands readCommands(WireReader in) {
    byte[][] commands = new byte[count(in)][];
    for (int i = 0; i < commands.length; i++) {
      commands[i] = in.readBytes(Limits.RECORD_BYTES);
    }
    return new Commands(commands);
  }

  private static void writeVotes(Votes votes, WireWriter out) {
    out.writeVarLong(votes.size());
    for (int i = 0; i < votes.size(); i++) {
      Ballot ballot = votes.ballot(i);
      if (ballot == null) {
        out.writeVarLong(0);
      } else {
        out.writeVarLong(ballot.number()).writeBytes(votes.command(i));
      }
    }
  }

  private static Votes readVotes(WireReader in) {
    int count = count(in);
    @Nullable Ballot[] ballots = new @Nullable Ballot[count];
    byte[] @Nullable [] commands = new byte @Nullable [count][];
    for (int i = 0; i < count; i++) {
      long number = in.readVarLong();
      if (number != 0) {
        ballots[i] = Ballot.of(number);
        commands[i] = in.readBytes(Limits.RECORD_BYTES);
      }
    }
    return new Votes(ballots, commands);
  }

  /** A count of commands of at least one byte each. */
  private static int count(WireReader in) {
    int count = in.readCount();
    if (count > Commands.COUNT_MAX) {
      throw new WireFormatException(count + " commands in " + in.remaining() + " bytes");
    }
    return count;
  }
}
