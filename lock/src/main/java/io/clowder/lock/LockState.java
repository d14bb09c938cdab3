// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.LockInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * All locks at one position of the log; immutable, so that any thread may look.
 *
 * <p>Invariants: a holder's and a waiter's session is in {@code sessions}, and has a place for the
 * request; every place leads back to a holder or a waiter.
 *
 * @param position the last entry that is in it
 * @param locks what is held, by name
 * @param sessions who holds and waits
 * @param freed tokens of locks that are free
 */
record LockState(
    long position, TreePMap<String, Lock> locks, TreePMap<Long, Session> sessions, Freed freed) {
  static final LockState EMPTY =
      new LockState(0, TreePMap.empty(), TreePMap.empty(), Freed.NOTHING);

  /**
   * A held lock.
   *
   * @param waiters by the position of the entry that queued them: first come, first served
   */
  record Lock(Holder holder, TreePMap<Long, Waiter> waiters) {}

  /** Who holds a lock, with which token, and since when by the leader's clock. */
  record Holder(long session, long request, long token, long sinceMillis) {
    boolean is(long aSession, long aRequest) {
      return session == aSession && request == aRequest;
    }
  }

  /** Who waits. */
  record Waiter(long session, long request) {}

  /**
   * A session that was opened.
   *
   * @param client whose requests these are; not 0
   * @param floor the client has done with its requests below
   * @param cancelled requests from {@code floor} on that were cancelled before they were heard of
   * @param requests where requests hold or wait
   */
  record Session(
      NodeId node,
      long client,
      long floor,
      TreePSet<Long> cancelled,
      TreePMap<Long, Place> requests) {
    Session(NodeId node, long client, long floor) {
      this(node, client, floor, TreePSet.empty(), TreePMap.empty());
    }

    /** The same with a higher floor. */
    Session withFloor(long raised) {
      return new Session(node, client, raised, cancelled.tailSet(raised, true), requests);
    }

    Session withCancelled(long request) {
      if (request < floor) {
        return this; // Its Acquire would be refused for that.
      }
      TreePSet<Long> more = cancelled.plus(request);
      return new Session(
          node,
          client,
          floor,
          more.size() > Limits.PENDING_REQUESTS ? more.minusFirst() : more,
          requests);
    }

    Session withRequests(TreePMap<Long, Place> changed) {
      return new Session(node, client, floor, cancelled, changed);
    }
  }

  /** Where a request stands: at a lock, waiting or holding since the entry at {@code ticket}. */
  record Place(String name, long ticket) {}

  /**
   * Which tokens free locks last had, to tell a release that comes again from one that is wrong.
   * The names of the last {@link #NAMES_MAX} are kept; of older ones only how large their tokens
   * may have been.
   */
  record Freed(TreePMap<String, Long> tokens, TreePSet<Last> order, long forgotten) {
    static final int NAMES_MAX = 10_000;
    static final Freed NOTHING =
        new Freed(
            TreePMap.empty(),
            TreePSet.empty(Comparator.comparingLong(Last::token).thenComparing(Last::name)),
            0);

    /** A name and its last token. */
    record Last(long token, String name) {}

    Freed plus(String name, long token) {
      Freed more =
          new Freed(tokens.plus(name, token), order.plus(new Last(token, name)), forgotten);
      if (more.order.size() <= NAMES_MAX) {
        return more;
      }
      Last oldest = more.order.first();
      return more.minus(oldest.name).withForgotten(oldest.token);
    }

    Freed minus(String name) {
      Long token = tokens.get(name);
      return token == null
          ? this
          : new Freed(tokens.minus(name), order.minus(new Last(token, name)), forgotten);
    }

    Freed withForgotten(long token) {
      return new Freed(tokens, order, Math.max(forgotten, token));
    }

    /** Whether {@code token} was given for the free lock, or may have been. */
    boolean mayHaveGiven(String name, long token) {
      Long last = tokens.get(name);
      return token > 0 && token <= (last == null ? forgotten : last);
    }
  }

  /** The token with which a request holds its lock, 0 if it waits, null if it does neither. */
  @Nullable Long tokenOf(long session, long client, long request) {
    Session known = sessions.get(session);
    Place place = known == null || known.client != client ? null : known.requests.get(request);
    if (place == null) {
      return null;
    }
    Holder holder = lock(place.name).holder;
    return holder.is(session, request) ? holder.token : 0;
  }

  /** The lock, or null if it is free. */
  @Nullable LockInfo info(String name) {
    Lock lock = locks.get(name);
    return lock == null ? null : info(name, lock);
  }

  /** A page of held locks, no larger than a result may be. */
  List<LockInfo> page(String prefix, @Nullable String after, int limit) {
    List<LockInfo> page = new ArrayList<>();
    TreePMap<String, Lock> rest =
        after == null || after.compareTo(prefix) < 0
            ? locks.tailMap(prefix, true)
            : locks.tailMap(after, false);
    int room = Limits.RESULT_BYTES - 32;
    for (Map.Entry<String, Lock> entry : rest.entrySet()) {
      if (page.size() == limit || !entry.getKey().startsWith(prefix)) {
        break;
      }
      LockInfo info = info(entry.getKey(), entry.getValue());
      room -= LockResult.Locks.size(info);
      if (room < 0) {
        break;
      }
      page.add(info);
    }
    return page;
  }

  private LockInfo info(String name, Lock lock) {
    Holder holder = lock.holder;
    List<NodeId> waiters =
        lock.waiters.values().stream().map(waiter -> session(waiter.session).node).toList();
    return new LockInfo(
        name,
        holder.token,
        session(holder.session).node,
        holder.session,
        holder.sinceMillis,
        waiters);
  }

  private Session session(long id) {
    Session session = sessions.get(id);
    if (session == null) {
      throw new AssertionError("session " + id + " holds or waits, and was never opened");
    }
    return session;
  }

  private Lock lock(String name) {
    Lock lock = locks.get(name);
    if (lock == null) {
      throw new AssertionError("a request stands at the lock " + name + ", which is free");
    }
    return lock;
  }
}
