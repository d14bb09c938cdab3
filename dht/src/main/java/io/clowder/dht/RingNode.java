// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.Claim;
import io.clowder.dht.RingMessage.Denied;
import io.clowder.dht.RingMessage.Found;
import io.clowder.dht.RingMessage.Gone;
import io.clowder.dht.RingMessage.Meet;
import io.clowder.dht.RingMessage.Notify;
import io.clowder.dht.RingMessage.Nudge;
import io.clowder.dht.RingMessage.Pending;
import io.clowder.dht.RingMessage.Ping;
import io.clowder.dht.RingMessage.Pong;
import io.clowder.dht.RingMessage.Route;
import io.clowder.dht.RingMessage.State;
import io.clowder.dht.RingMessage.Taken;
import io.clowder.dht.RingMessage.Unfound;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * One life of a node on the ring: a pure state machine. One thread calls it, with the time in
 * nanoseconds of a clock that only rises; all that it does goes through its {@link Outlet}.
 *
 * <p>It begins outside, and becomes a member once: by {@link #found} or by {@link #join}. Each wait
 * has a limit, and {@link #dueAt} says when the next one ends.
 */
final class RingNode {
  private final Ring ring;
  private final Lookups lookups;
  private final Fingers fingers;
  private final Stabilization stabilization;
  private final Joining joining;
  private final Routing routing;
  private final Reunion reunion;
  private boolean isOver;
  private long roundAt = Ring.NEVER;

  /** How many fingers are still to be looked up at once, after a join. */
  private int fingersToFill;

  /**
   * A node that is not on a ring yet.
   *
   * @param me with a life that it has not had before
   */
  RingNode(Member me, RingSettings settings, RandomGenerator random, Outlet outlet, long now) {
    ring = new Ring(me, settings, random, outlet, now);
    lookups = new Lookups(ring);
    fingers = new Fingers(ring);
    stabilization = new Stabilization(ring, this::rectified);
    routing = new Routing(ring, fingers, stabilization, lookups::found, lookups::unfound);
    reunion = new Reunion(ring, stabilization, routing);
    joining = new Joining(ring, lookups, this::joined);
    lookups.over(routing::forward, (query, contact) -> routing.hand(query, contact, false));
  }

  private void rectified(Member by) {
    routing.rectified(by);
  }

  // ---- membership ----------------------------------------------------------------------------

  /**
   * Begins a ring, as one of those that begin it together, each with the same set. At least one
   * more than successor lists are long: with fewer, the ring cannot be kept right (Zave, section
   * V).
   *
   * @throws IllegalArgumentException if there are fewer, or this node is not among them
   */
  void found(Founders founders, long now) {
    ring.now = now;
    checkOutside();
    if (founders.size() < ring.settings.foundersMin() || !founders.contains(ring.me)) {
      throw new IllegalArgumentException(
          founders.size()
              + " founders, of which at least "
              + ring.settings.foundersMin()
              + " are needed, this node among them");
    }
    reunion.seeds(founders.all());
    int place = founders.placeFrom(ring.me.id());
    ring.enter(
        founders.get(place - 1),
        Successors.of(founders.from(place + 1, ring.settings.successors())));
    for (int left = fingers.count(); left > 0; left--) {
      int exponent = fingers.next();
      int first = founders.placeFrom(ring.me.id().plusPowerOfTwo(exponent));
      int after = Math.min(ring.settings.alternates(), founders.size()) - 1;
      fingers.put(exponent, founders.get(first), founders.from(first + 1, after));
    }
    // By chance, so that those who begin together do not stabilize together ever after.
    roundAt = now + ring.random.nextLong(ring.settings.roundNanosMax()) + 1;
  }

  /**
   * Joins a ring, and tries again and again until that is done.
   *
   * @param contacts members of the ring or those that will be; their lives need not be known
   */
  void join(List<Member> contacts, long now) {
    ring.now = now;
    checkOutside();
    if (contacts.isEmpty()) {
      throw new IllegalArgumentException("nobody to join through");
    }
    reunion.seeds(List.copyOf(contacts));
    joining.begin(contacts);
  }

  private void checkOutside() {
    if (ring.isMember() || isOver || joining.dueAt() != Ring.NEVER) {
      throw new IllegalStateException(ring.me + " has begun already");
    }
  }

  private void joined() {
    stabilization.stabilize();
    fingersToFill = fingers.count();
    fixFinger();
    nextRound();
  }

  /** Ends this life, and tells those next to it, which saves them the time to find out. */
  void leave(long now) {
    ring.now = now;
    if (ring.isMember()) {
      ring.leave();
      Gone gone = new Gone(ring.me);
      tell(ring.predecessor(), gone);
      tell(ring.successors().head(), gone);
    }
    isOver = true;
    joining.end();
    lookups.end();
  }

  private void tell(Member neighbour, RingMessage message) {
    if (!neighbour.isArtificial() && !neighbour.equals(ring.me)) {
      ring.send(neighbour, message);
    }
  }

  /**
   * Has this ring and that of a contact find each other, if they are two. Members that were silent
   * and are heard again need no introduction.
   */
  void introduce(Member contact, long now) {
    ring.now = now;
    if (ring.isMember()) {
      reunion.introduce(contact);
    }
  }

  // ---- what can be asked ---------------------------------------------------------------------

  Member me() {
    return ring.me;
  }

  /** Whether it is a member. */
  boolean isMember() {
    return ring.isMember();
  }

  /** Who is taken for the member before this one; itself if there is no other. */
  Member predecessor() {
    return ring.predecessor();
  }

  /** The successor list. */
  Successors successors() {
    return ring.successors();
  }

  /** Whether a member is no more, by the word of its node. */
  boolean isGone(Member member) {
    return ring.absentees.isGone(member);
  }

  /** Another number whenever {@link #fingers} may be others. */
  long fingersRevision() {
    return fingers.revision();
  }

  /** The fingers with their alternates. */
  Collection<List<Member>> fingers() {
    return fingers.all();
  }

  /** Whether it answers for a key. */
  boolean owns(Identifier key) {
    return ring.owns(key);
  }

  /** Zave's NoDuplicates, here: false if members are fewer than r + 1, or the ring is broken. */
  boolean hasNoDuplicates() {
    return !ring.successors().hasDuplicates(ring.me);
  }

  /** Zave's OrderedSuccessorLists, here; as {@link #hasNoDuplicates}. */
  boolean hasOrderedSuccessors() {
    return ring.successors().isOrdered(ring.me);
  }

  /**
   * Looks up who owns a key; the ticket is answered once, now or later, unless this life ends
   * without {@link #leave}.
   */
  void lookup(long ticket, Identifier key, long now) {
    seek(ticket, key, false, now);
  }

  /** As {@link #lookup}, of the member before the key, whom nobody checks. */
  void seek(long ticket, Identifier key, boolean isForPredecessor, long now) {
    ring.now = now;
    if (!ring.isMember()) {
      ring.outlet.failed(ticket, Failure.NO_MEMBER);
      return;
    }
    lookups.begin(
        key,
        isForPredecessor,
        new Lookups.Asker() {
          @Override
          public void found(Located answer) {
            ring.outlet.found(ticket, answer);
          }

          @Override
          public void failed(Failure failure) {
            ring.outlet.failed(ticket, failure);
          }
        });
  }

  // ---- the world -----------------------------------------------------------------------------

  /** When {@link #tick} is to be called, unless something happens before. */
  long dueAt() {
    if (isOver) {
      return Ring.NEVER;
    }
    long due = Math.min(lookups.dueAt(), routing.dueAt());
    due = Math.min(due, Math.min(joining.dueAt(), stabilization.dueAt()));
    return Math.min(due, ring.isMember() ? roundAt : Ring.NEVER);
  }

  /** To be called when it is {@link #dueAt}, or a little later. */
  void tick(long now) {
    ring.now = now;
    if (isOver) {
      return;
    }
    lookups.tick();
    routing.tick();
    joining.tick();
    stabilization.tick();
    if (ring.isMember() && roundAt <= now) {
      nextRound();
      stabilization.stabilize();
      fixFinger();
      reunion.round();
    }
  }

  private void nextRound() {
    long spread = ring.settings.roundNanosMax() - ring.settings.roundNanosMin();
    roundAt = ring.now + ring.settings.roundNanosMin() + ring.random.nextLong(spread + 1);
  }

  private void fixFinger() {
    int exponent = fingers.next();
    if (exponent < 0) {
      return;
    }
    fingersToFill--;
    lookups.begin(
        ring.me.id().plusPowerOfTwo(exponent),
        false,
        new Lookups.Asker() {
          @Override
          public void found(Located answer) {
            fingers.put(exponent, answer.owner(), answer.replicas());
            if (fingersToFill > 0) {
              fixFinger();
            }
          }

          @Override
          public void failed(Failure failure) {
            // The finger stays as it is, until its next turn.
          }
        });
  }

  /** A message came in. */
  void received(Envelope envelope, long now) {
    ring.now = now;
    Member source = envelope.source();
    Member target = envelope.target();
    RingMessage message = envelope.message();
    if (source.isArtificial() || source.isSameNode(ring.me)) {
      return;
    } else if (isOver || !ring.me.isMeantBy(target)) {
      boolean isOfThisNode = isOver || target.isSameNode(ring.me);
      if (isOfThisNode && !(message instanceof Gone)) {
        ring.send(source, new Gone(isOver ? ring.me : target));
      }
      return;
    }
    ring.absentees.heard(source);
    take(source, message);
  }

  private void take(Member source, RingMessage message) {
    if (message instanceof Ping ping) {
      ring.send(source, new Pong(ping.token()));
    } else if (message instanceof Pong pong) {
      stabilization.lives(source, pong.token());
    } else if (message instanceof AskState ask) {
      asked(source, ask.token());
    } else if (message instanceof State state) {
      stabilization.shown(source, state);
      joining.shown(source, state);
    } else if (message instanceof Pending pending) {
      stabilization.pending(source, pending.token());
      joining.pending(source, pending.token());
      routing.pending(source, pending.token());
    } else if (message instanceof Notify) {
      if (ring.isMember()) {
        stabilization.notified(source);
      }
    } else if (message instanceof Nudge) {
      if (source.equals(ring.successors().head())) {
        stabilization.stabilize();
      }
    } else if (message instanceof Gone gone) {
      gone(source, gone.member());
    } else if (message instanceof Meet meet) {
      if (ring.isMember()) {
        reunion.meet(meet.stranger(), meet.hops());
      }
    } else if (message instanceof Route route) {
      routing.route(source, route);
    } else if (message instanceof Claim claim) {
      routing.claim(source, claim);
    } else if (message instanceof Taken taken) {
      routing.taken(source, taken.token());
    } else if (message instanceof Denied denied) {
      routing.denied(source, denied);
    } else if (message instanceof Found found) {
      lookups.found(source, found);
    } else if (message instanceof Unfound unfound) {
      lookups.unfound(unfound.ticket(), unfound.failure());
    } else {
      throw new AssertionError("cannot take " + message.getClass());
    }
  }

  private void asked(Member source, long token) {
    if (stabilization.isWaiting()) {
      ring.send(source, new Pending(token));
    } else if (ring.isMember()) {
      ring.send(source, new State(token, ring.predecessor(), ring.successors()));
    }
  }

  private void gone(Member source, Member member) {
    // Only its own node knows.
    if (member.isSameNode(source) && !member.equals(ring.me)) {
      ring.absentees.gone(member);
      stabilization.gone(member);
      routing.gone(member);
    }
  }
}
