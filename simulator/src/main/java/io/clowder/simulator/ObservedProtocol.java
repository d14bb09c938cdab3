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
import java.util.List;
import java.util.SortedMap;

/** A protocol whose cores are watched: every action is shown to the judge before it is taken. */
final class ObservedProtocol implements ConsensusProtocol {
  private final ConsensusProtocol protocol;
  private final NodeId node;
  private final int incarnation;
  private final Judge judge;
  private final Runnable onElection;
  private int opened;

  /**
   * A protocol of one incarnation of a node.
   *
   * @param onElection told when a core without a leader writes something down and then speaks
   */
  ObservedProtocol(
      ConsensusProtocol protocol, NodeId node, int incarnation, Judge judge, Runnable onElection) {
    this.protocol = protocol;
    this.node = node;
    this.incarnation = incarnation;
    this.judge = judge;
    this.onElection = onElection;
  }

  /** How many cores were opened: a group opens another one after its disk was full. */
  int opened() {
    return opened;
  }

  @Override
  public void check(List<NodeId> members, SortedMap<String, String> parameters) {
    protocol.check(members, parameters);
  }

  @Override
  public Codec<Message> codec() {
    return protocol.codec();
  }

  @Override
  public ProtocolCore open(CoreSetting setting, Iterable<Message> records) {
    opened++;
    return new ObservedCore(
        setting.segment(), protocol.open(setting, records), setting.snapshotSlot());
  }

  private final class ObservedCore implements ProtocolCore {
    private final int segment;
    private final ProtocolCore core;
    private long decided;
    private long term;
    private boolean led;
    private boolean written;

    ObservedCore(int segment, ProtocolCore core, long decided) {
      this.segment = segment;
      this.core = core;
      this.decided = decided;
    }

    @Override
    public void step(Event event, Actions out) {
      try {
        if (event instanceof Event.Installed installed) {
          decided = Math.max(decided, installed.slot());
        }
        written = false;
        core.step(
            event,
            action -> {
              see(action);
              out.add(action);
            });
      } catch (AssertionError | RuntimeException e) {
        judge.fail(e);
        throw e;
      }
    }

    private void see(Action action) {
      if (action instanceof Action.Lead lead) {
        judge.leads(segment, node, incarnation, lead.term());
        seeTerm(lead.term());
        led = true;
      } else if (action instanceof Action.Follow follow) {
        seeTerm(follow.term());
        led = follow.leader() != null;
      } else if (action instanceof Action.Persist) {
        written = true;
      } else if (action instanceof Action.Send && written && !led) {
        written = false;
        onElection.run();
      } else if (action instanceof Action.Decide decide) {
        judge.require(
            decide.firstSlot() == decided + 1,
            node + " decides " + decide.firstSlot() + " after " + decided);
        for (byte[] command : decide.commands()) {
          judge.decided(segment, node, ++decided, command);
        }
      }
    }

    private void seeTerm(long seen) {
      judge.require(seen >= term, node + " went back from term " + term + " to " + seen);
      term = seen;
    }

    @Override
    public byte[] anchor(long slot) {
      return core.anchor(slot);
    }

    @Override
    public View view() {
      return core.view();
    }
  }
}
