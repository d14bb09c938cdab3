// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One core of a trace and its disk, which syncs at once unless it is held. */
final class TraceNode {
  /** Chance that a trace decides. */
  static final class Chance implements RandomGenerator {
    long value;

    @Override
    public long nextLong() {
      return value;
    }

    @Override
    public long nextLong(long bound) {
      return Math.min(value, bound - 1);
    }
  }

  /** A message on its way, at the time its sender may let it go. */
  record Sent(NodeId to, Message message) {}

  final NodeId id;
  final Chance chance = new Chance();
  boolean held;
  private final ConsensusProtocol protocol;
  private final CoreSetting setting;
  private final List<Message> disk;

  /** Records not synced, and sends that wait for them: in the order of the actions. */
  private final List<Object> waiting = new ArrayList<>();

  private @Nullable ProtocolCore core;

  TraceNode(ConsensusProtocol protocol, CoreSetting.Timing timing, Opening opening) {
    this.protocol = protocol;
    id = opening.id();
    disk = new ArrayList<>(opening.records());
    setting =
        new CoreSetting(
            0,
            id,
            opening.members(),
            opening.parameters(),
            opening.snapshotSlot(),
            opening.anchor(),
            timing,
            chance);
    restart();
  }

  /** What a core of a trace starts from. */
  record Opening(
      NodeId id,
      List<NodeId> members,
      SortedMap<String, String> parameters,
      long snapshotSlot,
      byte[] anchor,
      List<Message> records) {}

  ProtocolCore core() {
    if (core == null) {
      throw new IllegalArgumentException(id + " is down");
    }
    return core;
  }

  boolean isUp() {
    return core != null;
  }

  void restart() {
    core = protocol.open(setting, disk);
  }

  void crash() {
    waiting.clear();
    held = false;
    core = null;
  }

  List<Action> step(Event event) {
    List<Action> actions = new ArrayList<>();
    core().step(event, actions::add);
    for (Action action : actions) {
      if (action instanceof Action.Persist persist) {
        waiting.add(persist.message());
      } else if (action instanceof Action.Send send) {
        waiting.add(new Sent(send.to(), send.message()));
      }
    }
    return actions;
  }

  /** What may leave now: everything, or what no record must be synced for. */
  List<Sent> release(boolean synced) {
    List<Sent> released = new ArrayList<>();
    while (!waiting.isEmpty() && (synced || waiting.get(0) instanceof Sent)) {
      Object first = waiting.remove(0);
      if (first instanceof Sent sent) {
        released.add(sent);
      } else {
        disk.add((Message) first);
      }
    }
    return released;
  }
}
