// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One core and the order of its actions. Keeps law 1 of {@link io.clowder.api.protocol}: a {@code
 * Send} waits until every record persisted before it is on disk, any other action until those of
 * its own step are.
 */
final class Replica implements Actions {
  private final NodeId self;
  private final ProtocolCore core;
  private final JournalWriter journal;
  private final Outlet outlet;

  private final ArrayDeque<Gated> sends = new ArrayDeque<>();
  private final ArrayDeque<Gated> others = new ArrayDeque<>();
  private long appendedBeforeStep;
  private boolean stepping;
  private long wakeAt = Long.MAX_VALUE;

  /** An action, and how many records must be durable before it happens. */
  private record Gated(Action action, long durable) {}

  /** Where actions go when their time has come. May step the core. */
  interface Outlet {
    /** To another member. */
    void send(NodeId to, Message message);

    /** The door to the machines. */
    void decide(Action.Decide decided);

    /** A barrier was confirmed. */
    void ready(Action.Ready ready);

    /** A batch of proposals or a barrier was refused. */
    void refuse(Action.Refuse refusal);

    /** This replica leads. */
    void lead(long term);

    /** This replica does not lead. */
    void follow(@Nullable NodeId leader, long term);

    /** Writes what the journal must hold besides the core's records. */
    void describe(JournalWriter journal, long tag);

    /** A peer is too far behind for the log. */
    void needSnapshot(NodeId peer);
  }

  Replica(NodeId self, ProtocolCore core, JournalWriter journal, Outlet outlet) {
    this.self = self;
    this.core = core;
    this.journal = journal;
    this.outlet = outlet;
  }

  NodeId self() {
    return self;
  }

  ProtocolCore core() {
    return core;
  }

  JournalWriter journal() {
    return journal;
  }

  /** When the core wants the time again. */
  long wakeAt() {
    return wakeAt;
  }

  /** Gives the core an event; its actions happen in {@link #drain}. */
  void step(Event event) {
    if (stepping) {
      throw new AssertionError("a step within a step: " + event);
    }
    stepping = true;
    // When the journal's first files are about to go, what it says of itself must not go with them.
    if (event instanceof Event.Compacted compacted) {
      outlet.describe(journal, compacted.slot() + 1);
    } else if (event instanceof Event.Installed installed) {
      outlet.describe(journal, installed.slot() + 1);
    }
    appendedBeforeStep = journal.appended();
    core.step(event, this);
    stepping = false;
  }

  @Override
  public void add(Action action) {
    if (action instanceof Action.Persist persist) {
      journal.append(persist.slot(), persist.message());
    } else if (action instanceof Action.Send) {
      sends.add(new Gated(action, journal.appended()));
    } else if (action instanceof Action.WakeAt wish) {
      wakeAt = wish.nanos();
    } else {
      long appended = journal.appended();
      others.add(new Gated(action, appended > appendedBeforeStep ? appended : 0));
    }
  }

  /** Lets every action happen whose records are on disk; says whether there was any. */
  boolean drain() {
    boolean any = false;
    while (true) {
      Gated next = due(others);
      if (next == null) {
        next = due(sends);
      }
      if (next == null) {
        return any;
      }
      any = true;
      perform(next.action);
    }
  }

  private @Nullable Gated due(ArrayDeque<Gated> queue) {
    Gated head = queue.peek();
    return head != null && head.durable <= journal.durable() ? queue.poll() : null;
  }

  private void perform(Action action) {
    if (action instanceof Action.Send send) {
      if (send.to().equals(self)) {
        step(new Event.Receive(self, send.message()));
      } else {
        outlet.send(send.to(), send.message());
      }
    } else if (action instanceof Action.Decide decided) {
      outlet.decide(decided);
    } else if (action instanceof Action.Ready ready) {
      outlet.ready(ready);
    } else if (action instanceof Action.Refuse refusal) {
      outlet.refuse(refusal);
    } else if (action instanceof Action.Lead lead) {
      outlet.lead(lead.term());
    } else if (action instanceof Action.Follow follow) {
      outlet.follow(follow.leader(), follow.term());
    } else if (action instanceof Action.NeedSnapshot need) {
      outlet.needSnapshot(need.peer());
    } else if (action instanceof Action.Trim trim) {
      journal.trim(trim.slot());
    } else {
      throw new AssertionError(action);
    }
  }
}
