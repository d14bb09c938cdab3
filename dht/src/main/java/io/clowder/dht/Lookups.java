// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.Found;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The lookups that began at this member, each until it is answered or its time is over. What gets
 * stuck or lost on the way is begun again.
 */
final class Lookups {
  /** How many attempts a lookup has time for if each of them is lost. */
  private static final int ATTEMPTS = 4;

  /** Who wants to know. */
  interface Asker {
    /** Whom the lookup found. */
    void found(Located answer);

    /** Why it found nobody. */
    void failed(Failure failure);
  }

  private static final class Pursuit {
    Query query;
    final @Nullable Member contact;
    final Asker asker;
    final long deadline;
    boolean isOnItsWay;
    long nextAt;
    int retries;
    Failure last = Failure.DEADLINE;

    Pursuit(Query query, @Nullable Member contact, Asker asker, long deadline) {
      this.query = query;
      this.contact = contact;
      this.asker = asker;
      this.deadline = deadline;
    }

    long dueAt() {
      return Math.min(nextAt, deadline);
    }
  }

  private final Ring ring;
  private final Map<Long, Pursuit> pursuits = new LinkedHashMap<>();

  /** Brings a lookup on. */
  private @Nullable Consumer<Query> forward;

  /** Has a lookup brought on by somebody who is on a ring. */
  private @Nullable Handing hand;

  /** Gives a lookup to a contact. */
  interface Handing {
    void hand(Query query, Member contact);
  }

  Lookups(Ring ring) {
    this.ring = ring;
  }

  /** Who does the routing. */
  void over(Consumer<Query> forwarding, Handing handing) {
    forward = forwarding;
    hand = handing;
  }

  /** Begins a lookup from here. */
  void begin(Identifier key, boolean isForPredecessor, Asker asker) {
    begin(key, isForPredecessor, null, asker);
  }

  /**
   * Begins a lookup.
   *
   * @param contact who brings it on if this member cannot, not being on a ring
   */
  void begin(Identifier key, boolean isForPredecessor, @Nullable Member contact, Asker asker) {
    if (pursuits.size() >= ring.settings.lookupsMax()) {
      asker.failed(Failure.BUSY);
      return;
    }
    Query query = new Query(ring.me, ring.token(), 0, key, isForPredecessor, List.of(), 0, 0);
    long deadline = ring.now + ring.settings.lookupNanos();
    Pursuit pursuit = new Pursuit(query, contact, asker, deadline);
    pursuits.put(query.ticket(), pursuit);
    attempt(pursuit);
  }

  private void attempt(Pursuit pursuit) {
    pursuit.isOnItsWay = true;
    pursuit.nextAt = ring.now + Math.max(1, ring.settings.lookupNanos() / ATTEMPTS);
    if (pursuit.contact != null && hand != null) {
      hand.hand(pursuit.query, pursuit.contact);
    } else if (forward != null) {
      forward.accept(pursuit.query);
    }
  }

  long dueAt() {
    long due = Ring.NEVER;
    for (Pursuit pursuit : pursuits.values()) {
      due = Math.min(due, pursuit.dueAt());
    }
    return due;
  }

  void tick() {
    List<Pursuit> due = new ArrayList<>();
    for (Iterator<Pursuit> rest = pursuits.values().iterator(); rest.hasNext(); ) {
      Pursuit pursuit = rest.next();
      if (pursuit.dueAt() <= ring.now) {
        due.add(pursuit);
        if (pursuit.deadline <= ring.now) {
          rest.remove();
        }
      }
    }
    for (Pursuit pursuit : due) {
      if (pursuit.deadline <= ring.now) {
        pursuit.asker.failed(pursuit.last);
      } else {
        if (pursuit.isOnItsWay) {
          pursuit.last = Failure.DEADLINE;
          pursuit.retries++;
        }
        pursuit.query = pursuit.query.again(pursuit.isOnItsWay ? 1 : 0);
        attempt(pursuit);
      }
    }
  }

  /** A member says that it is whom a lookup seeks. */
  void found(Member source, Found found) {
    Pursuit pursuit = pursuits.remove(found.ticket());
    if (pursuit != null) {
      Set<Member> replicas = new LinkedHashSet<>(found.replicas().list());
      replicas.removeIf(it -> it.isArtificial() || it.equals(source));
      int claims = Math.min(found.claims(), found.path().size());
      pursuit.asker.found(
          new Located(
              source,
              List.copyOf(replicas),
              found.path(),
              claims,
              found.timeouts(),
              pursuit.retries));
    }
  }

  /** A lookup got stuck. */
  void unfound(long ticket, Failure failure) {
    Pursuit pursuit = pursuits.get(ticket);
    if (pursuit != null && pursuit.isOnItsWay) {
      pursuit.isOnItsWay = false;
      pursuit.last = failure;
      pursuit.retries++;
      pursuit.nextAt = ring.now + ring.backoff();
    }
  }

  /** Nothing comes back any more. */
  void end() {
    List<Pursuit> open = new ArrayList<>(pursuits.values());
    pursuits.clear();
    open.forEach(it -> it.asker.failed(Failure.NO_MEMBER));
  }
}
