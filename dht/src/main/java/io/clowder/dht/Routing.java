// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.Claim;
import io.clowder.dht.RingMessage.Denied;
import io.clowder.dht.RingMessage.Found;
import io.clowder.dht.RingMessage.Pending;
import io.clowder.dht.RingMessage.Route;
import io.clowder.dht.RingMessage.Taken;
import io.clowder.dht.RingMessage.Unfound;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Brings lookups on, those of this member and those of others: recursive, each hop acknowledged,
 * and routed around who does not (Chord, ToN, section IV-E-3).
 *
 * <p>The last hop is a claim: the member before the key says to the one after it that the key is
 * its. Only who owns the key by its own predecessor answers the lookup. Otherwise the claim counts
 * as a notification, which is to the point: either its predecessor is dead, and then rectify makes
 * the claimant its predecessor and the key its own, or it names the member that the claimant does
 * not know yet.
 */
final class Routing {
  /** How many times an answer's time a claimed member has to ask its predecessor. */
  private static final int CLAIM_TIMES = 3;

  /** A lookup that was handed on. */
  private static final class Hop {
    final Query query;
    final Member target;
    final boolean isClaim;
    boolean isPending;
    long dueAt;

    Hop(Query query, Member target, boolean isClaim, long dueAt) {
      this.query = query;
      this.target = target;
      this.isClaim = isClaim;
      this.dueAt = dueAt;
    }
  }

  /** A lookup that was here. */
  private record Seen(Member origin, long ticket, int attempt) {}

  /** A claim that waits until its claimant was dealt with. */
  private record Claimed(Member claimant, long token, Query query) {}

  private final Ring ring;
  private final Fingers fingers;
  private final BiConsumer<Member, Found> found;
  private final BiConsumer<Long, Failure> unfound;
  private final Map<Long, Hop> hops = new LinkedHashMap<>();
  private final List<Claimed> claims = new ArrayList<>();

  /** The latest lookups of others that were here. */
  private final Latest<Seen> seen;

  /** Is told that a member takes itself for the predecessor; says whether it will see to that. */
  private final Predicate<Member> notified;

  /** Is told that the successor has somebody before it. */
  private final Runnable outdated;

  Routing(
      Ring ring,
      Fingers fingers,
      Stabilization stabilization,
      BiConsumer<Member, Found> found,
      BiConsumer<Long, Failure> unfound) {
    this.ring = ring;
    this.fingers = fingers;
    this.seen = new Latest<>(ring.settings.lookupsMax());
    this.notified = stabilization::notified;
    this.outdated = stabilization::stabilize;
    this.found = found;
    this.unfound = unfound;
  }

  long dueAt() {
    long due = Ring.NEVER;
    for (Hop hop : hops.values()) {
      due = Math.min(due, hop.dueAt);
    }
    return due;
  }

  void tick() {
    take(it -> it.dueAt <= ring.now).forEach(this::silent);
  }

  /** Some of the hops, which are not waited for any more. */
  private List<Hop> take(Predicate<Hop> which) {
    List<Hop> taken = new ArrayList<>();
    hops.values().removeIf(it -> which.test(it) && taken.add(it));
    return taken;
  }

  private void silent(Hop hop) {
    if (hop.isPending) {
      // It had the lookup and was to ask its predecessor, and is dead or overrun: to be begun anew.
      fail(hop.query, Failure.NOBODY);
      return;
    }
    ring.absentees.silent(hop.target);
    fingers.drop(hop.target);
    forward(hop.query.timedOut());
  }

  /** A member is no more. */
  void gone(Member member) {
    fingers.drop(member);
    take(it -> it.target.equals(member)).forEach(it -> forward(it.query));
  }

  // ---- onward --------------------------------------------------------------------------------

  /** A lookup came here. */
  void route(Member source, Route route) {
    if (ring.isMember()) {
      ring.send(source, new Taken(route.token()));
      if (isFirst(route.query())) {
        forward(route.query());
      }
    }
  }

  /**
   * Whether this attempt of a lookup was not here before. Who is slow is routed around, and brings
   * on what it was given all the same; were each of the two then to count, lookups would multiply
   * from hop to hop just when all are slow.
   */
  private boolean isFirst(Query query) {
    return seen.add(new Seen(query.origin(), query.ticket(), query.attempt()));
  }

  /** Brings a lookup that is here nearer to its key. */
  void forward(Query query) {
    if (!ring.isMember()) {
      fail(query, Failure.NO_MEMBER);
      return;
    } else if (query.path().isEmpty() && !query.isForPredecessor() && ring.owns(query.key())) {
      // Only for a lookup that begins here: one that was sent here comes to its owner by a claim of
      // the member before. Whoever takes the whole ring for its own must not take it from others.
      answer(query);
      return;
    } else if (query.path().size() >= ring.settings.hopsMax()) {
      fail(query, Failure.HOP_LIMIT);
      return;
    }
    Member head = firstPresent();
    if (head != null && Identifier.betweenOrAt(ring.me.id(), query.key(), head.id())) {
      if (query.isForPredecessor()) {
        answer(query);
      } else {
        hand(query, head, true);
      }
      return;
    }
    Member next = closestPreceding(query.key());
    if (next.equals(ring.me)) {
      fail(query, Failure.NOBODY);
    } else {
      hand(query, next, false);
    }
  }

  private @Nullable Member firstPresent() {
    Successors list = ring.successors();
    for (int i = 0; i < list.size(); i++) {
      Member member = list.get(i);
      if (member.equals(ring.me)) {
        return null;
      } else if (!member.isArtificial() && !ring.absentees.isAbsent(member)) {
        return member;
      }
    }
    return null;
  }

  /** Whom this member knows closest before a point, of those that are there; itself if nobody. */
  Member closestPreceding(Identifier point) {
    Member best = ring.me;
    Successors list = ring.successors();
    for (int i = 0; i < list.size(); i++) {
      best = closer(best, list.get(i), point);
    }
    for (List<Member> finger : fingers.all()) {
      for (int i = 0; i < finger.size(); i++) {
        best = closer(best, finger.get(i), point);
      }
    }
    return best;
  }

  private Member closer(Member best, Member other, Identifier point) {
    boolean isCloser =
        !other.isArtificial()
            && Identifier.between(best.id(), other.id(), point)
            && !other.id().equals(ring.me.id())
            && !ring.absentees.isAbsent(other);
    return isCloser ? other : best;
  }

  /** Gives a lookup to a member, and waits for it to say so. */
  void hand(Query query, Member target, boolean isClaim) {
    if (hops.size() >= ring.settings.lookupsMax()) {
      fail(query, Failure.BUSY);
      return;
    }
    long token = ring.token();
    hops.put(token, new Hop(query, target, isClaim, ring.now + ring.settings.answerNanos()));
    Query there = query.at(target, isClaim);
    ring.send(target, isClaim ? new Claim(token, there) : new Route(token, there));
  }

  /** The lookup is in another's hands. */
  void taken(Member source, long token) {
    Hop hop = hops.get(token);
    if (hop != null && isFrom(hop, source)) {
      hops.remove(token);
    }
  }

  /** The claimed member must ask somebody first. */
  void pending(Member source, long token) {
    Hop hop = hops.get(token);
    if (hop != null && hop.isClaim && isFrom(hop, source) && !hop.isPending) {
      hop.isPending = true;
      hop.dueAt = ring.now + ring.settings.answerNanos() * ring.settings.tries() * CLAIM_TIMES;
    }
  }

  /** The claimed member has somebody before it. */
  void denied(Member source, Denied denied) {
    Hop hop = hops.get(denied.token());
    if (hop == null || !hop.isClaim || !isFrom(hop, source)) {
      return;
    }
    hops.remove(denied.token());
    Member nearer = denied.predecessor();
    Query query = hop.query.at(source, true);
    boolean isNearer =
        Member.between(ring.me, nearer, source)
            && Identifier.betweenOrAt(ring.me.id(), query.key(), nearer.id());
    if (!isNearer || nearer.isArtificial() || ring.absentees.isAbsent(nearer)) {
      fail(query, Failure.NOBODY);
    } else if (query.path().size() >= ring.settings.hopsMax()) {
      fail(query, Failure.HOP_LIMIT);
    } else {
      hand(query, nearer, true);
    }
    outdated.run();
  }

  private static boolean isFrom(Hop hop, Member source) {
    // Who joins does not know the life of its contact.
    return source.isMeantBy(hop.target);
  }

  // ---- here ----------------------------------------------------------------------------------

  /** A member says that a key is this one's. */
  void claim(Member claimant, Claim claim) {
    if (!ring.isMember()) {
      return;
    } else if (ring.owns(claim.query().key())) {
      ring.send(claimant, new Taken(claim.token()));
      answer(claim.query());
    } else if (claims.size() < ring.settings.lookupsMax()) {
      ring.send(claimant, new Pending(claim.token()));
      Claimed claimed = new Claimed(claimant, claim.token(), claim.query());
      claims.add(claimed);
      if (!notified.test(claimant)) {
        claims.remove(claimed);
      }
    }
  }

  /** The notification of a member was dealt with. */
  void rectified(Member by) {
    if (claims.isEmpty()) {
      return;
    }
    List<Claimed> ready = new ArrayList<>();
    claims.removeIf(it -> it.claimant.equals(by) && ready.add(it));
    for (Claimed claimed : ready) {
      if (ring.owns(claimed.query.key())) {
        ring.send(by, new Taken(claimed.token));
        answer(claimed.query);
      } else {
        ring.send(by, new Denied(claimed.token, ring.predecessor()));
      }
    }
  }

  private void answer(Query query) {
    Found answer =
        new Found(
            query.ticket(), ring.successors(), query.path(), query.claims(), query.timeouts());
    if (query.origin().equals(ring.me)) {
      found.accept(ring.me, answer);
    } else {
      ring.send(query.origin(), answer);
    }
  }

  private void fail(Query query, Failure failure) {
    if (query.origin().equals(ring.me)) {
      unfound.accept(query.ticket(), failure);
    } else {
      ring.send(query.origin(), new Unfound(query.ticket(), failure));
    }
  }
}
