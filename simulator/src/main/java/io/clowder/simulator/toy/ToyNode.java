// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A replica with the smallest driver that keeps the laws: a journal, a snapshot, held actions.
 *
 * @param <S> the protocol's cores
 */
public final class ToyNode<S extends Specimen.Subject> {
  /** Slots kept behind a snapshot: few, so that laggards often need one. */
  private static final int TAIL_SLOTS = 8;

  private record Written(@Nullable Message message, long slot) {}

  private record Held(long awaits, Action action) {}

  final NodeId id;
  private final ToyWorld<S> world;

  /** What the disk has, and what a crash may lose. */
  private final List<Written> disk = new ArrayList<>();

  private final List<Written> unsynced = new ArrayList<>();
  private long written;
  private long synced;
  private boolean syncing;
  private boolean hung;
  private final ArrayDeque<Held> held = new ArrayDeque<>();

  long snapshotSlot;
  private byte[] snapshotAnchor = {};

  /** Counts the lives: what was meant for an earlier one is void. */
  int life;

  long applied;
  long pausedUntil;
  private @Nullable S subject;

  /** Barriers: what was decided anywhere when they were asked. */
  private final Map<Long, Long> barriers = new HashMap<>();

  ToyNode(NodeId id, ToyWorld<S> world) {
    this.id = id;
    this.world = world;
    snapshotSlot = 0;
  }

  /** Its name. */
  public NodeId id() {
    return id;
  }

  /** Whether it runs. */
  public boolean isUp() {
    return subject != null;
  }

  /** Its core, opened up. */
  public S subject() {
    if (subject == null) {
      throw new AssertionError(id + " is down");
    }
    return subject;
  }

  /** Its core. */
  public ProtocolCore core() {
    return subject().core();
  }

  /** Whether it takes itself for the leader. */
  public boolean leads() {
    return isUp() && core().view().role().equals("leader");
  }

  /** The term it is in. */
  public long term() {
    return core().view().term();
  }

  /** The last slot it has applied. */
  public long applied() {
    return applied;
  }

  /** Opens its core on what its disk has. */
  public void start() {
    CoreSetting setting =
        new CoreSetting(
            0,
            id,
            world.members,
            world.parameters,
            snapshotSlot,
            snapshotAnchor,
            world.timing,
            world.random);
    List<Message> records = new ArrayList<>();
    for (Written record : disk) {
      if (record.message != null) {
        records.add(record.message);
      }
    }
    try {
      subject = world.specimen.open(setting, records, TAIL_SLOTS);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(e.getMessage() + "; " + setting + "; " + disk, e);
    }
    applied = snapshotSlot;
    step(null);
  }

  /** Loses what was not synced: all of it, or what comes after some record. */
  public void crash() {
    int kept = world.random.nextInt(unsynced.size() + 1);
    disk.addAll(unsynced.subList(0, kept));
    unsynced.clear();
    held.clear();
    barriers.clear();
    synced = written;
    syncing = false;
    subject = null;
    life++;
  }

  /** One event, at the world's time; none: only the time. */
  public void step(@Nullable Event event) {
    int before = life;
    one(new Event.Clock(world.now));
    if (event != null && life == before) {
      one(event);
    }
  }

  private void one(Event event) {
    world.steps++;
    List<Action> actions = new ArrayList<>();
    core().step(event, actions::add);
    boolean persisted = false;
    for (Action action : actions) {
      if (action instanceof Action.Persist persist) {
        persisted = true;
        written++;
        unsynced.add(new Written(world.plant.written(persist.message()), persist.slot()));
      } else {
        boolean waits = persisted || action instanceof Action.Send;
        if (world.plant.sendsEarly()) {
          waits = false;
        }
        held.add(new Held(waits ? written : 0, action));
      }
    }
    sync();
    release();
  }

  private void sync() {
    if (synced < written && !syncing && !hung) {
      syncing = true;
      world.scheduleSync(this, written);
    }
  }

  /** Has no sync end, from the next one on; or all of them again. */
  public void hangDisk(boolean hangs) {
    hung = hangs;
    sync();
  }

  void syncedUpTo(long sequence) {
    syncing = false;
    int count = unsynced.size() - (int) Math.min(unsynced.size(), written - sequence);
    disk.addAll(unsynced.subList(0, count));
    unsynced.subList(0, count).clear();
    synced = sequence;
    sync();
    release();
  }

  /** Others than sends may overtake; sends keep their order. A crash may come after any action. */
  private void release() {
    int before = life;
    List<Held> ready = new ArrayList<>();
    held.removeIf(h -> h.awaits <= synced && ready.add(h));
    for (Held h : ready) {
      if (life == before) {
        carryOut(h.action);
        if (world.strikesAfter(h.action)) {
          crash();
          world.restartSoon(this);
        }
      }
    }
  }

  private void carryOut(Action action) {
    if (action instanceof Action.Send send) {
      world.send(id, send.to(), send.message());
    } else if (action instanceof Action.Decide decide) {
      world.decided(this, decide.firstSlot(), decide.commands());
    } else if (action instanceof Action.Lead lead) {
      world.leads(this, lead.term());
    } else if (action instanceof Action.NeedSnapshot need) {
      if (snapshotSlot > 0) {
        world.sendSnapshot(id, need.peer(), snapshotSlot, snapshotAnchor);
      }
    } else if (action instanceof Action.Trim trim) {
      trim(trim.slot());
    } else if (action instanceof Action.WakeAt wake) {
      world.wake(this, wake.nanos());
    } else if (action instanceof Action.Ready ready) {
      Long known = barriers.remove(ready.ticket());
      if (known == null || ready.slot() < known) {
        throw new AssertionError(
            id + " reads at " + ready.slot() + ", but " + known + " was decided when asked");
      }
      world.reads++;
    } else if (action instanceof Action.Refuse refuse) {
      barriers.remove(refuse.ticket());
    }
  }

  /** A journal that can drop any record, or one that can only cut off its beginning. */
  private void trim(long slot) {
    if (world.trimsAnywhere) {
      disk.removeIf(record -> record.slot <= slot);
    } else {
      while (!disk.isEmpty() && disk.get(0).slot <= slot) {
        disk.remove(0);
      }
    }
  }

  /** Asks from which slot on a read is linearizable; an answer that is too low is an error. */
  public void barrier(long ticket) {
    barriers.put(ticket, world.decidedAnywhere());
    step(new Event.Barrier(ticket));
  }

  /** Whether a barrier is not answered yet. */
  public boolean awaits(long ticket) {
    return barriers.containsKey(ticket);
  }

  /** Makes a snapshot of all that it has applied. */
  public void compact() {
    if (applied > snapshotSlot) {
      snapshotAnchor = core().anchor(applied);
      snapshotSlot = applied;
      step(new Event.Compacted(snapshotSlot));
    }
  }

  /** The snapshot is durable before the core hears of it; a crash may come between. */
  void install(long slot, byte[] anchor) {
    if (slot > applied) {
      snapshotSlot = slot;
      snapshotAnchor = anchor;
      applied = slot;
      if (world.random.nextInt(8) == 0) {
        crash();
        start();
      } else {
        step(new Event.Installed(slot, anchor));
      }
    }
  }
}
