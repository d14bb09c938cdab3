// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The least a protocol can be: whoever leads decides alone, once its own record is durable. Keeps
 * the laws; who leads is what the test says. A member that does not lead decides what the leader
 * sends it as an {@link Accept}.
 */
final class InstantProtocol implements ConsensusProtocol {
  /** Whether this node leads; taken notice of at the next {@code Clock}. */
  boolean leads = true;

  /** Whether a core that begins to lead decides an empty command, as the contract wants it. */
  boolean opensWithNothing;

  /** Whether it does so without waiting for the disk, which no protocol may. */
  boolean needsNoDisk;

  /** Who leads otherwise. */
  @Nullable NodeId leader;

  /** Whether the core refuses proposals and barriers, as one that hands over. */
  boolean refuses;

  /** Whether it lets leadership go when asked to. */
  boolean resigns = true;

  /** Whether what was recovered is known to be decided, or has to be heard from a leader. */
  boolean knowsDecided = true;

  /** What the core throws at its next event, if it has a broken invariant. */
  @Nullable AssertionError broken;

  String waiting = "";

  final List<Event> events = new ArrayList<>();
  int opened;

  /** What the core writes down, and says to itself. */
  sealed interface Vote extends Message {
    /** These slots have these commands. */
    record Accept(long firstSlot, List<byte[]> commands) implements Vote {}

    /** Everything up to here is durable. */
    record Accepted(long slot) implements Vote {}

    /** A snapshot covers everything up to here. */
    record Covered(long slot) implements Vote {}
  }

  @Override
  public ProtocolCore open(CoreSetting setting, Iterable<Message> records) {
    opened++;
    return new Core(setting, records);
  }

  @Override
  public void check(List<NodeId> members, SortedMap<String, String> parameters) {}

  @Override
  public Codec<Message> codec() {
    return new VoteCodec();
  }

  private static final class VoteCodec implements Codec<Message> {
    @Override
    public void write(Message value, WireWriter out) {
      if (value instanceof Vote.Accept accept) {
        out.writeByte(1).writeVarLong(accept.firstSlot()).writeVarLong(accept.commands().size());
        accept.commands().forEach(out::writeBytes);
      } else if (value instanceof Vote.Accepted accepted) {
        out.writeByte(2).writeVarLong(accepted.slot());
      } else {
        out.writeByte(3).writeVarLong(((Vote.Covered) value).slot());
      }
    }

    @Override
    public Message read(WireReader in) {
      int kind = in.readByte();
      long slot = in.readVarLong();
      if (kind == 1) {
        List<byte[]> commands = new ArrayList<>();
        for (int i = in.readCount(); i > 0; i--) {
          commands.add(in.readBytes(1 << 20));
        }
        return new Vote.Accept(slot, commands);
      } else if (kind == 2) {
        return new Vote.Accepted(slot);
      } else if (kind == 3) {
        return new Vote.Covered(slot);
      }
      throw new WireFormatException("vote of kind " + kind);
    }
  }

  private final class Core implements ProtocolCore {
    private final NodeId self;
    private final List<byte[]> log = new ArrayList<>();
    private long base;
    private long decided;
    private long term;
    private boolean started;
    private boolean leading;
    private @Nullable NodeId following;

    Core(CoreSetting setting, Iterable<Message> records) {
      self = setting.self();
      base = setting.snapshotSlot();
      decided = base;
      for (Message record : records) {
        if (record instanceof Vote.Accept accept) {
          accept(accept);
        }
      }
    }

    private long last() {
      return base + log.size();
    }

    private void accept(Vote.Accept accept) {
      long slot = accept.firstSlot();
      for (byte[] command : accept.commands()) {
        if (slot > last()) {
          log.add(command);
        }
        slot++;
      }
    }

    @Override
    public void step(Event event, Actions out) {
      events.add(event);
      if (broken != null) {
        throw broken;
      }
      if (event instanceof Event.Clock) {
        start(out);
        elect(out);
      } else if (event instanceof Event.Propose propose) {
        propose(propose, out);
      } else if (event instanceof Event.Barrier barrier) {
        out.add(
            leading && !refuses
                ? new Action.Ready(barrier.ticket(), decided)
                : new Action.Refuse(barrier.ticket(), following));
      } else if (event instanceof Event.Receive receive) {
        receive(receive, out);
      } else if (event instanceof Event.Compacted compacted) {
        cover(compacted.slot(), out);
      } else if (event instanceof Event.Installed installed) {
        decided = Math.max(decided, installed.slot());
        cover(installed.slot(), out);
      } else if (event instanceof Event.Resign && resigns) {
        leads = false;
        elect(out);
      }
    }

    private void start(Actions out) {
      if (!started && knowsDecided) {
        decide(last(), out);
      }
      started = true;
    }

    private void elect(Actions out) {
      if (leads && !leading) {
        leading = true;
        out.add(new Action.Lead(++term));
        if (needsNoDisk && last() == 0) {
          accept(new Vote.Accept(1, List.of(new byte[0])));
          decide(1, out);
        } else if (opensWithNothing && last() == 0) {
          propose(new Event.Propose(0, List.of(new byte[0])), out);
        }
      } else if (!leads && (leading || !Objects.equals(leader, following))) {
        leading = false;
        following = leader;
        out.add(new Action.Follow(leader, ++term));
      }
    }

    private void propose(Event.Propose propose, Actions out) {
      if (!leading || refuses) {
        out.add(new Action.Refuse(propose.ticket(), following));
        return;
      }
      Vote.Accept accept = new Vote.Accept(last() + 1, propose.commands());
      accept(accept);
      out.add(new Action.Persist(accept, last()));
      out.add(new Action.Send(self, new Vote.Accepted(last())));
    }

    private void receive(Event.Receive receive, Actions out) {
      if (receive.message() instanceof Vote.Accepted accepted) {
        decide(accepted.slot(), out);
      } else if (receive.message() instanceof Vote.Accept accept) {
        accept(accept);
        out.add(new Action.Persist(accept, last()));
        decide(accept.firstSlot() + accept.commands().size() - 1, out);
      }
    }

    private void decide(long slot, Actions out) {
      if (slot > decided && slot <= last()) {
        int from = (int) (decided - base);
        out.add(
            new Action.Decide(decided + 1, List.copyOf(log.subList(from, (int) (slot - base)))));
        decided = slot;
      }
    }

    private void cover(long slot, Actions out) {
      if (slot > base) {
        log.subList(0, (int) Math.min(log.size(), slot - base)).clear();
        base = slot;
      }
      out.add(new Action.Persist(new Vote.Covered(slot), slot));
      out.add(new Action.Trim(slot));
    }

    @Override
    public byte[] anchor(long slot) {
      return ByteBuffer.allocate(8).putLong(slot).array();
    }

    @Override
    public View view() {
      return new View(leading ? "leader" : "follower", term, last(), decided, waiting);
    }
  }
}
