// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.Notify;
import io.clowder.dht.RingMessage.Ping;
import io.clowder.dht.RingMessage.Pong;
import io.clowder.dht.RingMessage.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chord as it was published (ToN 2003, figure 6 and section IV-E-3), to show that what is checked
 * here can fail: a joiner begins with a successor and nothing else, a pointer that a neighbour
 * names is taken over unseen, lists shrink, and who waits answers all the same.
 *
 * <p>It has the best of it: lookups of joiners are an oracle's, and its rings are founded whole.
 */
final class PublishedChord implements Berth {
  /** With what Zave's proof assumes, and to be held to all that it promises. */
  static final RingSchedule.Kind HELD_TO_OURS = new Kind(true);

  /** With what was assumed for it, and to be held to what was promised for it. */
  static final RingSchedule.Kind HELD_TO_ITS_OWN = new Kind(false);

  private record Kind(boolean isHeldToOurs) implements RingSchedule.Kind {
    @Override
    public Berth found(RingWorld world, Member me, Founders founders) {
      int place = founders.placeFrom(me.id());
      List<Member> after = founders.from(place + 1, world.settings.successors());
      return settle(new PublishedChord(world, me, founders.get(place - 1), after));
    }

    @Override
    public Berth join(RingWorld world, Member me, Berth contact) {
      Founders circle = new Founders(world.members().stream().map(Berth::me).toList());
      Member successor = circle.get(circle.placeFrom(me.id()));
      return settle(new PublishedChord(world, me, null, List.of(successor)));
    }

    @Override
    public @Nullable String assumption(Invariants invariants) {
      return isHeldToOurs ? invariants.inductive() : invariants.oneLiveSuccessor();
    }

    @Override
    public @Nullable String promise(Invariants invariants) {
      return isHeldToOurs ? invariants.violation() : invariants.claimed();
    }

    private Berth settle(PublishedChord node) {
      node.world.settle(node);
      node.world.changes++;
      return node;
    }

    @Override
    public void leave(RingWorld world, Berth seat) {
      world.kill(seat);
    }
  }

  private final RingWorld world;
  private final Member me;
  private @Nullable Member predecessor;
  private List<Member> successors;
  private long roundAt;
  private long tokens;

  private @Nullable Member asked;
  private long askedToken;
  private long askedUntil = Ring.NEVER;
  private long pingToken;
  private long pingUntil = Ring.NEVER;

  private PublishedChord(
      RingWorld world, Member me, @Nullable Member predecessor, List<Member> successors) {
    this.world = world;
    this.me = me;
    this.predecessor = predecessor;
    this.successors = new ArrayList<>(successors);
    this.roundAt = world.now + 1 + world.random.nextLong(world.settings.roundNanosMax());
  }

  @Override
  public Member me() {
    return me;
  }

  @Override
  public boolean isMember() {
    return true;
  }

  @Override
  public Member predecessor() {
    return predecessor == null ? me : predecessor;
  }

  @Override
  public List<Member> successors() {
    return successors;
  }

  @Override
  public long dueAt() {
    return Math.min(roundAt, Math.min(askedUntil, pingUntil));
  }

  @Override
  public void tick(long now) {
    if (pingUntil <= now) {
      pingUntil = Ring.NEVER;
      predecessor = null;
    }
    if (askedUntil <= now) {
      askedUntil = Ring.NEVER;
      become(successors.subList(1, successors.size()));
      stabilize(now);
    }
    if (roundAt <= now) {
      roundAt = now + world.settings.roundNanosMin() + world.random.nextLong(600_000_000);
      if (askedUntil == Ring.NEVER) {
        stabilize(now);
      }
      if (predecessor != null && pingUntil == Ring.NEVER) {
        pingToken = ++tokens;
        pingUntil = now + world.settings.answerNanos();
        send(predecessor, new Ping(pingToken));
      }
    }
  }

  private void stabilize(long now) {
    if (successors.isEmpty()) {
      return;
    }
    asked = successors.get(0);
    askedToken = ++tokens;
    askedUntil = now + world.settings.answerNanos();
    send(asked, new AskState(askedToken));
  }

  private void become(List<Member> next) {
    successors = new ArrayList<>(next);
    world.changes++;
  }

  private void send(Member target, RingMessage message) {
    world.send(new Envelope(me, target, message));
  }

  @Override
  public void received(Envelope envelope, long now) {
    Member source = envelope.source();
    RingMessage message = envelope.message();
    if (!envelope.target().equals(me)) {
      return;
    } else if (message instanceof Ping ping) {
      send(source, new Pong(ping.token()));
    } else if (message instanceof Pong pong && pong.token() == pingToken) {
      pingUntil = Ring.NEVER;
    } else if (message instanceof AskState ask && !successors.isEmpty()) {
      send(source, new State(ask.token(), predecessor(), Successors.of(successors)));
    } else if (message instanceof Notify) {
      if (predecessor == null || Member.between(predecessor, source, me)) {
        predecessor = source;
      }
    } else if (message instanceof State state
        && source.equals(asked)
        && state.token() == askedToken
        && askedUntil != Ring.NEVER) {
      askedUntil = Ring.NEVER;
      reconcile(source, state);
    }
  }

  private void reconcile(Member successor, State state) {
    become(successorsBy(successor, state));
    send(Objects.requireNonNull(successors.get(0)), new Notify());
  }

  @Override
  public List<Member> successorsBy(Member successor, State state) {
    List<Member> next = new ArrayList<>(List.of(successor));
    next.addAll(state.successors().list());
    Member nearer = state.predecessor();
    if (!nearer.equals(successor) && Member.between(me, nearer, successor)) {
      // "successor = x": what was the successor is in the list again after the next round.
      next.set(0, nearer);
    }
    return next.subList(0, Math.min(next.size(), world.settings.successors()));
  }
}
