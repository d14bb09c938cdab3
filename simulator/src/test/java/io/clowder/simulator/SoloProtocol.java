// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/**
 * Consensus of one member, who agrees with itself as soon as its disk does; or before, which is a
 * mistake that the simulation must find.
 */
final class SoloProtocol implements ConsensusProtocol {
  private final boolean waitsForDisk;

  SoloProtocol(boolean waitsForDisk) {
    this.waitsForDisk = waitsForDisk;
  }

  /** A command at its slot: the only record, and the message to oneself when it is on disk. */
  private record Written(long slot, byte[] command) implements Message {}

  @Override
  public ProtocolCore open(CoreSetting setting, Iterable<Message> records) {
    List<Written> log = new ArrayList<>();
    for (var record : records) {
      var written = (Written) record;
      if (written.slot() > setting.snapshotSlot()) {
        log.add(written);
      }
    }
    return new Core(setting, log);
  }

  @Override
  public void check(List<NodeId> members, SortedMap<String, String> parameters) {}

  @Override
  public Codec<Message> codec() {
    return new Codec<>() {
      @Override
      public void write(Message value, WireWriter out) {
        var written = (Written) value;
        out.writeLong(written.slot()).writeBytes(written.command());
      }

      @Override
      public Message read(WireReader in) {
        return new Written(in.readLong(), in.readBytes(1 << 20));
      }
    };
  }

  private final class Core implements ProtocolCore {
    private final CoreSetting setting;
    private final List<Written> found;
    private long last;
    private long decided;
    private long term;

    Core(CoreSetting setting, List<Written> found) {
      this.setting = setting;
      this.found = found;
      this.decided = setting.snapshotSlot();
      this.last = decided;
    }

    @Override
    public void step(Event event, Actions out) {
      if (event instanceof Event.Clock clock && term == 0) {
        // Larger than that of any core opened here before, as this clock outlives them.
        term = (1L << 50) + (clock.now() >> 8);
        found.forEach(written -> decide(written, out));
        last = decided;
        out.add(new Action.Lead(term));
      } else if (event instanceof Event.Propose propose) {
        for (byte[] command : propose.commands()) {
          var written = new Written(++last, command);
          if (waitsForDisk) {
            out.add(new Action.Persist(written, last));
            out.add(new Action.Send(setting.self(), written));
          } else {
            decide(written, out);
            out.add(new Action.Send(setting.self(), written));
          }
        }
      } else if (event instanceof Event.Receive receive) {
        var written = (Written) receive.message();
        if (waitsForDisk) {
          decide(written, out);
        } else {
          out.add(new Action.Persist(written, written.slot()));
        }
      } else if (event instanceof Event.Barrier barrier) {
        out.add(new Action.Ready(barrier.ticket(), decided));
      } else if (event instanceof Event.Compacted compacted) {
        out.add(new Action.Trim(compacted.slot()));
      }
    }

    private void decide(Written written, Actions out) {
      decided = written.slot();
      out.add(new Action.Decide(written.slot(), List.of(written.command())));
    }

    @Override
    public byte[] anchor(long slot) {
      return new byte[0];
    }

    @Override
    public View view() {
      return new View("leader", term, last, decided, "");
    }
  }
}
