// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.kit;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.Codec;
import io.clowder.simulator.toy.Specimen;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Any protocol for a toy world, which cannot look into it: its cores are watched from outside. What
 * they do is written down, and what the contract forbids is an error at once.
 */
final class Witness implements Specimen<Witness.Watched> {
  /** Of messages that waited for a record, one in so many is followed by a crash: no more. */
  private static final int BINDING = 16;

  private final ConsensusProtocol protocol;
  private final IntFunction<SortedMap<String, String>> parameters;
  private final List<Life> lives = new ArrayList<>();
  private @Nullable Message bound;
  private int gated;

  Witness(ConsensusProtocol protocol, IntFunction<SortedMap<String, String>> parameters) {
    this.protocol = protocol;
    this.parameters = parameters;
  }

  /** All cores so far, from their beginnings to now. */
  List<Life> lives() {
    return lives;
  }

  @Override
  public Watched open(CoreSetting setting, List<Message> records, int tail) {
    Life life = new Life(setting, records);
    lives.add(life);
    return new Watched(life, protocol.open(life.again(), life.records));
  }

  @Override
  public Codec<Message> codec() {
    return protocol.codec();
  }

  @Override
  public SortedMap<String, String> parameters(int members, RandomGenerator random) {
    return parameters.apply(members);
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // this very message has waited
  public boolean binds(Message sent) {
    return sent == bound && ++gated % BINDING == 0;
  }

  @Override
  public void compare(Watched one, Watched other) {}

  /** A core, watched. */
  final class Watched implements Specimen.Subject, ProtocolCore {
    private final Life life;
    private final ProtocolCore core;
    private final SortedMap<Long, byte[]> anchors = new TreeMap<>();
    private final Set<Long> barriers = new HashSet<>();
    private long covered;
    private byte[] anchor;
    private long decided;
    private long term;
    private boolean leads;
    private boolean resigned;
    private boolean timed;
    private boolean wakes;

    Watched(Life life, ProtocolCore core) {
      this.life = life;
      this.core = core;
      covered = life.setting.snapshotSlot();
      anchor = life.setting.anchor();
      decided = covered;
      term = core.view().term();
    }

    @Override
    public ProtocolCore core() {
      return this;
    }

    /** What a core holds cannot be seen from outside. */
    @Override
    public long base() {
      return Long.MAX_VALUE - 1;
    }

    @Override
    public byte @Nullable [] command(long slot) {
      return null;
    }

    @Override
    public byte[] anchor(long slot) {
      byte[] given = core.anchor(slot);
      anchors.put(slot, given);
      return given;
    }

    @Override
    public View view() {
      return core.view();
    }

    @Override
    public void step(Event event, Actions out) {
      require(timed || event instanceof Event.Clock, "the first event is " + event);
      timed = true;
      before(event);
      List<Action> actions = new ArrayList<>();
      life.steps.add(new Life.Step(event, actions, covered, anchor));
      try {
        core.step(event, actions::add);
      } catch (RuntimeException e) {
        throw new AssertionError(life.setting.self() + " on " + event + ": threw " + e, e);
      }
      judge(event, actions);
      actions.forEach(out::add);
    }

    private void before(Event event) {
      if (event instanceof Event.Barrier barrier) {
        barriers.add(barrier.ticket());
      } else if (event instanceof Event.Resign) {
        resigned = leads;
      } else if (event instanceof Event.Compacted compacted) {
        anchor = anchors.getOrDefault(compacted.slot(), anchor);
        covered = Math.max(covered, compacted.slot());
      } else if (event instanceof Event.Installed installed && installed.slot() > covered) {
        anchor = installed.anchor();
        covered = installed.slot();
        decided = Math.max(decided, covered);
      }
    }

    private void judge(Event event, List<Action> actions) {
      boolean persisted = false;
      for (Action action : actions) {
        persisted |= action instanceof Action.Persist;
        if (action instanceof Action.Send send) {
          isMember(send.to(), send);
          bound = persisted ? send.message() : bound;
        } else if (action instanceof Action.NeedSnapshot need) {
          isMember(need.peer(), need);
          require(!need.peer().equals(life.setting.self()), "it gives itself a snapshot");
        } else if (action instanceof Action.Decide decide) {
          require(decide.firstSlot() == decided + 1, "law 3: " + decide + " after " + decided);
          decided += decide.commands().size();
        } else if (action instanceof Action.Trim trim) {
          require(trim.slot() <= covered, trim + ", but the snapshot ends at " + covered);
        } else {
          answer(event, action);
        }
      }
      View view = core.view();
      require(wakes, "it does not say when it wants the time");
      require(view.term() >= term, "the term falls from " + term + " to " + view.term());
      require(view.role().equals("leader") == leads, "leads: " + leads + ", but " + view);
      require(view.decided() == decided, "decided up to " + decided + ", but " + view);
    }

    private void answer(Event event, Action action) {
      if (action instanceof Action.WakeAt) {
        wakes = true;
      } else if (action instanceof Action.Lead lead) {
        require(!leads || lead.term() > term, "leads twice in term " + lead.term());
        isNoEarlierTerm(lead.term());
        leads = true;
        resigned = false;
      } else if (action instanceof Action.Follow follow) {
        isNoEarlierTerm(follow.term());
        leads = false;
        barriers.clear();
      } else if (action instanceof Action.Ready ready) {
        require(barriers.remove(ready.ticket()), ready + " of a barrier that does not wait");
        require(ready.slot() <= decided, ready + " beyond what is decided, " + decided);
      } else if (action instanceof Action.Refuse refuse) {
        boolean proposed =
            event instanceof Event.Propose propose && propose.ticket() == refuse.ticket();
        require(barriers.remove(refuse.ticket()) || proposed, refuse + " of what nobody waits for");
        require(!leads || resigned || !proposed, "a leader that was not to resign refuses");
      }
    }

    private void isNoEarlierTerm(long seen) {
      require(seen >= term, "it goes back from term " + term + " to " + seen);
      term = seen;
    }

    private void isMember(NodeId node, Action action) {
      require(life.setting.members().contains(node), action + " to one who is no member");
    }

    private void require(boolean condition, String what) {
      if (!condition) {
        throw new AssertionError(life.setting.self() + ": " + what);
      }
    }
  }

  /** Whether two lists of commands are the same. */
  static boolean same(List<byte[]> one, List<byte[]> other) {
    return one.size() == other.size()
        && Arrays.deepEquals(one.toArray(byte[][]::new), other.toArray(byte[][]::new));
  }
}
