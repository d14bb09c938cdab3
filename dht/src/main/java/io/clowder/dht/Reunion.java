// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.Meet;
import io.clowder.dht.RingMessage.Ping;
import java.util.List;

/**
 * How two rings that should be one become one, after a partition or after living members were taken
 * for dead. After Ring Unification (Shafaat, Ghodsi, Haridi, "Dealing with network partitions in
 * structured overlay networks", 2009):
 *
 * <ul>
 *   <li>Who did not answer is remembered, and asked again and again.
 *   <li>When it was heard again, one of such in each round is asked to bring the asker to its place
 *       on the other's ring; that is their mlookup. A member there that has it between itself and
 *       its successor has found that there are two rings, or that one was skipped; else all is
 *       well, and nothing happens. It is not done once and for all when the other is heard, since
 *       the request may get lost, nor at once, since where all are slow all return all the time.
 *   <li>Where it is taken in, the former successor is brought to it in turn, so that the two rings
 *       close like a zip, from many places at once ({@link Stabilization}).
 * </ul>
 *
 * <p>To be named is not enough: who is taken in has to answer, as in any stabilization. So if there
 * was one ring all the time, the steps are those that the proof knows.
 */
final class Reunion {
  /** How many of the silent, and in too small a ring of the seeds, are tried in each round. */
  private static final int PROBES_A_ROUND = 4;

  private final Ring ring;
  private final Stabilization stabilization;
  private final Routing routing;

  /** With whom it founded the ring, or by whom it joined. */
  private List<Member> seeds = List.of();

  private int nextSeed;

  Reunion(Ring ring, Stabilization stabilization, Routing routing) {
    this.ring = ring;
    this.stabilization = stabilization;
    this.routing = routing;
  }

  /** Whom to turn to when nobody else is left. */
  void seeds(List<Member> members) {
    seeds = members;
  }

  /** Once a round: are any of the silent there again, and do the rings of the others know me? */
  void round() {
    for (int i = 0; i < PROBES_A_ROUND; i++) {
      Member silent = ring.absentees.anySilent();
      if (silent != null) {
        ring.send(silent, new Ping(ring.token()));
      }
    }
    Member returned = ring.absentees.anyReturned();
    if (returned != null) {
      introduce(returned);
    }
    if (!seeds.isEmpty() && !ring.successors().isOrdered(ring.me)) {
      // A ring so small that its members may have outlived all others whom they knew. The nodes by
      // which it began may live, or live again.
      for (int i = 0; i < PROBES_A_ROUND; i++) {
        introduce(seeds.get(Math.floorMod(nextSeed++, seeds.size())).anyLife());
      }
    }
  }

  /** Has the ring of another member bring this one to its place. */
  void introduce(Member other) {
    ring.send(other, new Meet(ring.me, 0));
  }

  /** Brings a stranger to its place on this ring. */
  void meet(Member stranger, int hops) {
    if (stranger.isArtificial() || stranger.life() == 0 || stranger.isSameNode(ring.me)) {
      return;
    }
    Member head = ring.successors().head();
    if (Member.between(ring.me, stranger, head)) {
      stabilization.meet(stranger);
    } else if (!stranger.equals(head) && hops < ring.settings.hopsMax()) {
      Member next = routing.closestPreceding(stranger.id());
      if (!next.equals(ring.me)) {
        ring.send(next, new Meet(stranger, hops + 1));
      }
    }
  }
}
