// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.random.RandomGenerator;

/** What a member knows of its ring, and what all of its parts share. */
final class Ring {
  /** A time that does not come. */
  static final long NEVER = Long.MAX_VALUE;

  final Member me;
  final RingSettings settings;
  final RandomGenerator random;
  final Outlet outlet;
  final Absentees absentees;

  /** The time of the present event. */
  long now;

  private boolean isMember;
  private Member predecessor;
  private Successors successors;
  private long tokens;

  Ring(Member me, RingSettings settings, RandomGenerator random, Outlet outlet, long now) {
    if (me.isArtificial() || me.life() == 0) {
      throw new IllegalArgumentException("a member has a node, and a life that is not 0");
    }
    this.me = me;
    this.settings = settings;
    this.random = random;
    this.outlet = outlet;
    this.absentees = new Absentees(settings.rememberedMax(), random);
    this.now = now;
    this.predecessor = me;
    this.successors = Successors.alone(me, settings.successors());
    this.tokens = random.nextLong() >>> 8;
  }

  /** Whether this is a member of a ring, and what it knows of it is of use to others. */
  boolean isMember() {
    return isMember;
  }

  /** Who is taken for the member before this one, and may be dead. */
  Member predecessor() {
    return predecessor;
  }

  Successors successors() {
    return successors;
  }

  /** Takes a place on the ring. */
  void enter(Member before, Successors after) {
    isMember = true;
    predecessor = before;
    successors = after;
    outlet.changed();
  }

  /** Gives the place up. */
  void leave() {
    isMember = false;
  }

  void predecessor(Member next) {
    predecessor = next;
    outlet.changed();
  }

  void successors(Successors next) {
    if (next.size() != settings.successors()) {
      throw new AssertionError("a list of " + next.size() + ", not " + settings.successors());
    }
    if (!next.equals(successors)) {
      successors = next;
      outlet.changed();
    }
  }

  /**
   * Not one of the successors is left. The proof has no such state; this member goes on as a ring
   * of its own, which those that it remembers may take in again.
   */
  void alone() {
    predecessor = me;
    successors = Successors.alone(me, settings.successors());
    outlet.changed();
  }

  /** Whether a key is this member's. */
  boolean owns(Identifier key) {
    return isMember && Identifier.betweenOrAt(predecessor.id(), key, me.id());
  }

  /** Another one each time; unlikely to be one of an earlier life. */
  long token() {
    return ++tokens;
  }

  /** Something between a half and one and a half of the time that an answer may take. */
  long backoff() {
    long answer = settings.answerNanos();
    return answer / 2 + random.nextLong(answer) + 1;
  }

  void send(Member target, RingMessage message) {
    outlet.send(new Envelope(me, target, message));
  }
}
