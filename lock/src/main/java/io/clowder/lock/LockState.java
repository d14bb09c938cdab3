// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockSession;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * All locks at one position of the log; immutable, so that any thread may look.
 *
 * <p>Invariants: a holder's and a waiter's session is in {@code sessions}, and has a place for the
 * request; every place leads back to a holder or a waiter, and is a known bundle's. No lock could
 * be given to its first waiter.
 *
 * @param position the last entry that is in it
 * @param timeMillis the time of that entry
 * @param locks what is held, waited for, or delayed, by name
 * @param sessions who holds and waits
 * @param freed the last tokens of locks that are free
 * @param fences the largest tokens that were shown for resources
 * @param delays of locks that have one, first over first
 */
record LockState(
    long position,
    long timeMillis,
    TreePMap<String, Lock> locks,
    TreePMap<Long, Session> sessions,
    LastTokens freed,
    LastTokens fences,
    TreePSet<Delay> delays) {
  /** Free locks whose last token is remembered by name. */
  static final int FREED_MAX = 10_000;

  /** Bundles of one node. */
  static final int BUNDLES_MAX = 1_000;

  static final LockState EMPTY =
      new LockState(
          0,
          0,
          TreePMap.empty(),
          TreePMap.empty(),
          LastTokens.none(FREED_MAX),
          LastTokens.none(Limits.FENCES),
          TreePSet.empty(Comparator.comparingLong(Delay::untilMillis).thenComparing(Delay::name)));

  /** The end of a lock's delay. */
  record Delay(long untilMillis, String name) {}

  /**
   * A lock.
   *
   * @param permits of a semaphore; 0 for any other lock
   * @param used how much of it the holders have together
   * @param last the largest token that was given
   * @param holders by token
   * @param waiters by ticket: first come, first served within a priority
   * @param delayedUntilMillis until when nobody gets it, or got it
   */
  record Lock(
      int permits,
      int used,
      long last,
      TreePMap<Long, Holder> holders,
      TreePMap<Long, Waiter> waiters,
      long delayedUntilMillis) {
    /** A free lock. */
    Lock(int permits, long last) {
      this(permits, 0, last, TreePMap.empty(), TreePMap.empty(), 0);
    }

    boolean isIdle() {
      return holders.isEmpty() && waiters.isEmpty();
    }

    boolean isHeldAlone() {
      return holders.size() == 1
          && holders.firstEntry().getValue().want.mode() == Claim.Mode.EXCLUSIVE;
    }

    boolean isDelayed(long timeMillis) {
      return timeMillis < delayedUntilMillis;
    }

    boolean hasRoomFor(Want want) {
      return used + want.weight() <= Want.room(permits);
    }

    Lock withHolder(long token, Holder holder) {
      return new Lock(
          permits,
          used + holder.want.weight(),
          Math.max(last, token),
          holders.plus(token, holder),
          waiters,
          delayedUntilMillis);
    }

    Lock withoutHolder(long token) {
      Holder holder = holders.get(token);
      if (holder == null) {
        throw new AssertionError("nobody holds with token " + token);
      }
      return new Lock(
          permits,
          used - holder.want.weight(),
          last,
          holders.minus(token),
          waiters,
          delayedUntilMillis);
    }

    /** The same, every holder asked to give way. */
    Lock withHoldersAsked() {
      TreePMap<Long, Holder> asked = holders;
      for (Map.Entry<Long, Holder> entry : holders.entrySet()) {
        asked = asked.plus(entry.getKey(), entry.getValue().whenAsked());
      }
      return new Lock(permits, used, last, asked, waiters, delayedUntilMillis);
    }

    Lock withWaiters(TreePMap<Long, Waiter> changed) {
      return new Lock(permits, used, last, holders, changed, delayedUntilMillis);
    }

    Lock withDelay(long untilMillis) {
      return new Lock(permits, used, last, holders, waiters, untilMillis);
    }
  }

  /** Who holds a lock, and since when by the log's clock. */
  record Holder(long session, long request, Want want, long sinceMillis, boolean asked) {
    Holder whenAsked() {
      return new Holder(session, request, want, sinceMillis, true);
    }
  }

  /** Who waits, and since when by the log's clock. */
  record Waiter(long session, long request, Want want, long sinceMillis) {}

  /**
   * A session that was opened.
   *
   * @param client whose requests these are; not 0
   * @param floor the client has done with its requests below
   * @param cancelled requests from {@code floor} on that were cancelled before they were heard of
   * @param bundles in whose name requests are made, by the client's numbers for them
   * @param requests where requests hold or wait
   */
  record Session(
      NodeId node,
      long client,
      long floor,
      TreePSet<Long> cancelled,
      TreePMap<Integer, Bundle> bundles,
      TreePMap<Long, Place> requests) {
    Session(NodeId node, long client, long floor) {
      this(node, client, floor, TreePSet.empty(), TreePMap.empty(), TreePMap.empty());
    }

    /** The same with a higher floor. */
    Session withFloor(long raised) {
      return new Session(node, client, raised, cancelled.tailSet(raised, true), bundles, requests);
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
          bundles,
          requests);
    }

    Session withBundles(TreePMap<Integer, Bundle> changed) {
      return new Session(node, client, floor, cancelled, changed, requests);
    }

    Session withRequests(TreePMap<Long, Place> changed) {
      return new Session(node, client, floor, cancelled, bundles, changed);
    }

    /** The name of a bundle. */
    String bundle(int number) {
      Bundle bundle = bundles.get(number);
      if (bundle == null) {
        throw new AssertionError("bundle " + number + " of " + node + " was never named");
      }
      return bundle.name;
    }
  }

  /** A bundle, and since when it is known by the log's clock. */
  record Bundle(String name, long sinceMillis) {}

  /**
   * Where a request stands.
   *
   * @param bundle whose it is
   * @param ticket its place in the queue, 0 if it holds
   * @param token with which it holds, 0 if it waits
   */
  record Place(String name, int bundle, long ticket, long token) {}

  /** The token with which a request holds its lock, 0 if it waits, null if it does neither. */
  @Nullable Long tokenOf(long session, long client, long request) {
    Session known = sessions.get(session);
    Place place = known == null || known.client != client ? null : known.requests.get(request);
    return place == null ? null : place.token;
  }

  /** Whether the holder with this token was asked to give way. */
  boolean isAsked(String name, long token) {
    Lock lock = locks.get(name);
    Holder holder = lock == null ? null : lock.holders.get(token);
    return holder != null && holder.asked;
  }

  /**
   * How long it takes until a waiter may get its lock because a delay is over, if nothing but that
   * is in its way and it is the first in line; 0 if something else is, or none.
   */
  long delayMillis(long session, long request) {
    Session known = sessions.get(session);
    Place place = known == null ? null : known.requests.get(request);
    Lock lock = place == null ? null : locks.get(place.name);
    if (place == null || lock == null || place.token > 0 || !lock.isDelayed(timeMillis)) {
      return 0;
    }
    return lock.waiters.firstKey() == place.ticket ? lock.delayedUntilMillis - timeMillis : 0;
  }

  /** The lock, or null if it is free. */
  @Nullable LockInfo info(String name) {
    Lock lock = locks.get(name);
    return lock == null || isFree(lock) ? null : info(name, lock);
  }

  private boolean isFree(Lock lock) {
    return lock.isIdle() && !lock.isDelayed(timeMillis);
  }

  /** A page of locks that are not free, no larger than a result may be. */
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
      if (isFree(entry.getValue())) {
        continue;
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
    List<LockInfo.Holder> holders = new ArrayList<>();
    for (Map.Entry<Long, Holder> entry : lock.holders.entrySet()) {
      if (holders.size() == LockInfo.SHOWN) {
        break;
      }
      Holder holder = entry.getValue();
      Session session = session(holder.session);
      holders.add(
          new LockInfo.Holder(
              entry.getKey(),
              session.node,
              holder.session,
              bundle(session, holder.request),
              holder.want.mode(),
              holder.want.permits(),
              holder.sinceMillis,
              holder.asked,
              holder.want.note()));
    }
    List<LockInfo.Waiter> waiters = new ArrayList<>();
    for (Waiter waiter : lock.waiters.values()) {
      if (waiters.size() == LockInfo.SHOWN) {
        break;
      }
      Session session = session(waiter.session);
      waiters.add(
          new LockInfo.Waiter(
              session.node,
              waiter.session,
              bundle(session, waiter.request),
              waiter.want.mode(),
              waiter.want.permits(),
              waiter.want.priority(),
              waiter.sinceMillis,
              waiter.want.note()));
    }
    return new LockInfo(
        name,
        lock.permits,
        holders,
        lock.holders.size(),
        waiters,
        lock.waiters.size(),
        lock.isDelayed(timeMillis) ? lock.delayedUntilMillis : 0);
  }

  /** The bundle in whose name a request holds or waits. */
  private static String bundle(Session session, long request) {
    Place place = session.requests.get(request);
    if (place == null) {
      throw new AssertionError("request " + request + " of " + session.node + " has no place");
    }
    return session.bundle(place.bundle);
  }

  /** The first bundles, by session. */
  List<LockSession> bundles(int limit) {
    List<LockSession> found = new ArrayList<>();
    for (Map.Entry<Long, Session> entry : sessions.entrySet()) {
      Session session = entry.getValue();
      Map<Integer, Integer> holding = new HashMap<>();
      Map<Integer, Integer> waiting = new HashMap<>();
      session
          .requests
          .values()
          .forEach(
              place -> (place.token > 0 ? holding : waiting).merge(place.bundle, 1, Integer::sum));
      for (Map.Entry<Integer, Bundle> bundle : session.bundles.entrySet()) {
        if (found.size() == limit) {
          return found;
        }
        found.add(
            new LockSession(
                session.node,
                entry.getKey(),
                bundle.getValue().name,
                bundle.getValue().sinceMillis,
                holding.getOrDefault(bundle.getKey(), 0),
                waiting.getOrDefault(bundle.getKey(), 0)));
      }
    }
    return found;
  }

  private Session session(long id) {
    Session session = sessions.get(id);
    if (session == null) {
      throw new AssertionError("session " + id + " holds or waits, and was never opened");
    }
    return session;
  }
}
