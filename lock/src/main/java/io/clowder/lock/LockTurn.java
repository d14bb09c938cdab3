// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockEvent.Kind;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Enter;
import io.clowder.lock.LockRequest.Leave;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Promote;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockRequest.Settle;
import io.clowder.lock.LockRequest.Show;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Done;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.NotEntered;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.OtherKind;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import io.clowder.lock.LockState.Bundle;
import io.clowder.lock.LockState.Delay;
import io.clowder.lock.LockState.Holder;
import io.clowder.lock.LockState.Lock;
import io.clowder.lock.LockState.Place;
import io.clowder.lock.LockState.Session;
import io.clowder.lock.LockState.Waiter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The work of one entry: from one state to the next. A lock that becomes free goes to its first
 * waiters within the same entry, so handing over costs nothing.
 */
final class LockTurn {
  /** A request whose standing was changed by somebody else's entry. */
  record Touched(long session, long request) {}

  private static final int PRIORITY_SHIFT = 56;

  private final long position;
  private final long timeMillis;
  private final List<Touched> touched = new ArrayList<>(1);
  private final List<LockEvent> events = new ArrayList<>(2);
  private TreePMap<String, Lock> locks;
  private TreePMap<Long, Session> sessions;
  private LastTokens freed;
  private LastTokens fences;
  private TreePSet<Delay> delays;

  LockTurn(LockState before, long position, long timeMillis) {
    if (position <= before.position()) {
      throw new AssertionError("entry " + position + " after " + before.position());
    }
    this.position = position;
    this.timeMillis = timeMillis;
    this.locks = before.locks();
    this.sessions = before.sessions();
    this.freed = before.freed();
    this.fences = before.fences();
    this.delays = before.delays();
  }

  LockState state() {
    return new LockState(position, timeMillis, locks, sessions, freed, fences, delays);
  }

  List<Touched> touched() {
    return touched;
  }

  List<LockEvent> events() {
    return events;
  }

  LockResult apply(long session, Change change) {
    if (change instanceof Acquire acquire) {
      return acquire(session, acquire);
    } else if (change instanceof Release release) {
      return release(release);
    } else if (change instanceof Cancel cancel) {
      return cancel(session, cancel);
    } else if (change instanceof Open open) {
      return open(session, open);
    } else if (change instanceof Enter enter) {
      return enter(session, enter);
    } else if (change instanceof Leave leave) {
      return leave(session, leave);
    } else if (change instanceof Promote promote) {
      return promote(promote);
    } else if (change instanceof Show show) {
      return show(show);
    } else if (change instanceof Settle) {
      settle();
      return new Done();
    }
    throw new AssertionError("cannot apply " + change.getClass());
  }

  // --- sessions and bundles ---------------------------------------------------------------------

  private LockResult open(long id, Open open) {
    long current = client(id);
    if (current == open.client()) {
      return new Done();
    }
    if (current != open.expected()) {
      return new NotOpen(current);
    }
    // A client that takes over from another does so because that one is dead.
    end(id, open.client() == 0 ? Kind.CLOSED : Kind.EXPIRED);
    if (open.client() != 0) {
      sessions = sessions.plus(id, new Session(open.node(), open.client(), open.floor()));
    }
    return new Done();
  }

  private LockResult enter(long id, Enter enter) {
    if (client(id) != enter.client()) {
      return new NotOpen(client(id));
    }
    Session session = session(id);
    if (!session.bundles().containsKey(enter.bundle())) {
      if (session.bundles().size() >= LockState.BUNDLES_MAX) {
        return new Full(Full.What.BUNDLES);
      }
      Bundle bundle = new Bundle(enter.name(), timeMillis);
      sessions =
          sessions.plus(id, session.withBundles(session.bundles().plus(enter.bundle(), bundle)));
    }
    return new Done();
  }

  private LockResult leave(long id, Leave leave) {
    if (client(id) != leave.client()) {
      return new NotOpen(client(id));
    }
    end(id, leave.bundle(), Kind.CLOSED);
    Session session = session(id);
    sessions = sessions.plus(id, session.withBundles(session.bundles().minus(leave.bundle())));
    return new Done();
  }

  /** The session is over: it lets go of its locks, in the order in which it asked for them. */
  void end(long id, Kind why) {
    if (sessions.containsKey(id)) {
      end(id, null, why);
      sessions = sessions.minus(id);
    }
    settle();
  }

  /** Ends all requests of a session, or of one of its bundles. */
  private void end(long id, @Nullable Integer bundle, Kind why) {
    List<Place> left = new ArrayList<>();
    // First out of the queues, lest one of its own requests inherits from another.
    for (Map.Entry<Long, Place> entry : session(id).requests().entrySet()) {
      Place place = entry.getValue();
      if (bundle == null || place.bundle() == bundle) {
        left.add(place);
        if (place.token() == 0) {
          removeWaiter(id, entry.getKey(), place);
        }
      }
    }
    for (Place place : left) {
      if (place.token() > 0) {
        removeHolder(place.name(), place.token(), lock(place.name()), why, "");
      }
    }
    for (Place place : left) {
      if (locks.containsKey(place.name())) { // Else it was served for another of these already.
        serve(place.name());
      }
    }
  }

  // --- locks ------------------------------------------------------------------------------------

  private LockResult acquire(long id, Acquire acquire) {
    if (client(id) != acquire.client()) {
      return new NotOpen(client(id));
    }
    Session session = raiseFloor(id, acquire.floor());
    long request = acquire.request();
    Place place = session.requests().get(request);
    if (place != null) { // Asked again.
      return place.token() > 0 ? new Granted(id, place.token()) : new Queued(id);
    }
    if (request < session.floor() || session.cancelled().contains(request)) {
      return new Cancelled();
    }
    if (!session.bundles().containsKey(acquire.bundle())) {
      return new NotEntered();
    }
    String name = acquire.name();
    Want want = acquire.want();
    Lock lock = locks.get(name);
    if (lock == null || lock.isIdle()) {
      if (lock == null && locks.size() >= Limits.LOCKS) {
        return new Full(Full.What.LOCKS);
      }
      lock =
          lock == null
              ? new Lock(want.of(), freed.last(name))
              : new Lock(want.of(), lock.last()).withDelay(lock.delayedUntilMillis());
    } else if (lock.permits() != want.of()) {
      return new OtherKind(lock.permits());
    }
    long ticket = (long) (Want.PRIORITY_MAX + 1 - want.priority()) << PRIORITY_SHIFT | position;
    boolean first = lock.waiters().isEmpty() || ticket < lock.waiters().firstKey();
    if (first && lock.hasRoomFor(want) && !lock.isDelayed(timeMillis)) {
      freed = freed.minus(name);
      long token = grant(name, lock, id, request, acquire.bundle(), want);
      return new Granted(id, token);
    }
    if (acquire.queue() == 0) {
      return new Busy();
    }
    if (lock.waiters().size() >= acquire.queue()) {
      return new Full(Full.What.WAITERS);
    }
    freed = freed.minus(name);
    Waiter waiter = new Waiter(id, request, want, timeMillis);
    locks = locks.plus(name, lock.withWaiters(lock.waiters().plus(ticket, waiter)));
    putPlace(id, request, new Place(name, acquire.bundle(), ticket, 0));
    event(Kind.QUEUED, name, 0, id, acquire.bundle(), "");
    return new Queued(id);
  }

  /** Gives the lock to one more holder. */
  private long grant(String name, Lock lock, long id, long request, int bundle, Want want) {
    // Later entries have larger positions; what one entry grants together is told apart by this.
    long token = Math.max(position, lock.last() + 1);
    locks =
        locks.plus(name, lock.withHolder(token, new Holder(id, request, want, timeMillis, false)));
    putPlace(id, request, new Place(name, bundle, 0, token));
    event(Kind.GRANTED, name, token, id, bundle, "");
    return token;
  }

  private LockResult cancel(long id, Cancel cancel) {
    if (client(id) != cancel.client()) {
      return new NotOpen(client(id));
    }
    Session session = raiseFloor(id, cancel.floor());
    long request = cancel.request();
    Place place = session.requests().get(request);
    if (place == null) {
      // Its Acquire may be on the way still; it must find this when it arrives.
      sessions = sessions.plus(id, session.withCancelled(request));
    } else if (place.token() > 0) {
      removeHolder(place.name(), place.token(), lock(place.name()), Kind.RELEASED, "");
      serve(place.name());
    } else {
      removeWaiter(id, request, place);
      serve(place.name()); // It may have stood in the way of others.
    }
    return new Cancelled();
  }

  private LockResult release(Release release) {
    String name = release.name();
    long token = release.token();
    Lock lock = locks.get(name);
    Holder holder = lock == null ? null : lock.holders().get(token);
    if (lock != null && holder != null) {
      touched.add(new Touched(holder.session(), holder.request()));
      boolean revoked = !release.reason().isEmpty();
      removeHolder(name, token, lock, revoked ? Kind.REVOKED : Kind.RELEASED, release.reason());
      serve(name);
      return new Done();
    }
    if (lock != null && lock.used() == Limits.LOCK_HOLDERS && lock.permits() == 0) {
      return new Refused(lock.holders().firstKey());
    }
    long last = lock == null ? freed.last(name) : lock.last();
    return token > 0 && token <= last ? new Done() : new Refused(0);
  }

  private LockResult promote(Promote promote) {
    Lock lock = locks.get(promote.name());
    Map.Entry<Long, Waiter> found = lock == null ? null : firstOf(promote.node(), lock);
    if (lock == null || found == null) {
      return new Refused(0);
    }
    long ticket = found.getKey();
    Waiter waiter = found.getValue();
    // Below the tickets of all priorities, and of all that were promoted before.
    long ahead = Math.min(lock.waiters().firstKey(), 1L << PRIORITY_SHIFT) - 1;
    if (ahead < 1) {
      throw new AssertionError("no ticket left before " + lock.waiters().firstKey());
    }
    if (lock.waiters().firstKey() != ticket || ticket >= 1L << PRIORITY_SHIFT) {
      TreePMap<Long, Waiter> waiters = lock.waiters().minus(ticket).plus(ahead, waiter);
      lock = lock.withWaiters(waiters);
      Place place = place(waiter.session(), waiter.request());
      putPlace(
          waiter.session(), waiter.request(), new Place(promote.name(), place.bundle(), ahead, 0));
    }
    lock.holders()
        .forEach(
            (token, holder) -> {
              touched.add(new Touched(holder.session(), holder.request()));
              int bundle = place(holder.session(), holder.request()).bundle();
              event(Kind.ASKED, promote.name(), token, holder.session(), bundle, "");
            });
    locks = locks.plus(promote.name(), lock.withHoldersAsked());
    serve(promote.name());
    return new Done();
  }

  private Map.@Nullable Entry<Long, Waiter> firstOf(NodeId node, Lock lock) {
    for (Map.Entry<Long, Waiter> entry : lock.waiters().entrySet()) {
      if (session(entry.getValue().session()).node().equals(node)) {
        return entry;
      }
    }
    return null;
  }

  private LockResult show(Show show) {
    long last = fences.last(show.resource());
    if (show.token() < last) {
      return new Refused(last);
    }
    fences = fences.plus(show.resource(), show.token());
    return new Done();
  }

  /** Delays that are over stand in nobody's way any more. */
  private void settle() {
    while (!delays.isEmpty() && delays.first().untilMillis() <= timeMillis) {
      String name = delays.first().name();
      putDelay(name, lock(name), 0);
      serve(name);
    }
  }

  /** The lock has changed: whoever is first in line gets it, as far as there is room. */
  private void serve(String name) {
    Lock lock = lock(name);
    while (!lock.waiters().isEmpty() && !lock.isDelayed(timeMillis)) {
      Map.Entry<Long, Waiter> first = lock.waiters().firstEntry();
      Waiter waiter = first.getValue();
      if (!lock.hasRoomFor(waiter.want())) {
        break;
      }
      int bundle = place(waiter.session(), waiter.request()).bundle();
      Lock rest = lock.withWaiters(lock.waiters().minus(first.getKey()));
      grant(name, rest, waiter.session(), waiter.request(), bundle, waiter.want());
      touched.add(new Touched(waiter.session(), waiter.request()));
      lock = lock(name);
    }
    if (lock.isDelayed(timeMillis) && !lock.waiters().isEmpty()) {
      // It has to see to it that the lock goes on when the delay is over.
      Waiter first = lock.waiters().firstEntry().getValue();
      touched.add(new Touched(first.session(), first.request()));
    }
    if (lock.isIdle() && !lock.isDelayed(timeMillis)) {
      putDelay(name, lock, 0);
      locks = locks.minus(name);
      freed = freed.plus(name, lock.last());
    }
  }

  /** A holder is gone, and its place too; {@link #serve} is to follow. */
  private void removeHolder(String name, long token, Lock lock, Kind why, String reason) {
    Holder holder = lock.holders().get(token);
    if (holder == null) {
      throw new AssertionError("nobody holds " + name + " with token " + token);
    }
    int bundle = place(holder.session(), holder.request()).bundle();
    event(why, name, token, holder.session(), bundle, reason);
    removePlace(holder.session(), holder.request());
    Lock rest = lock.withoutHolder(token);
    long delayMillis = why == Kind.EXPIRED ? holder.want().delayMillis() : 0;
    if (delayMillis > 0) {
      putDelay(name, rest, Math.max(rest.delayedUntilMillis(), timeMillis + delayMillis));
    } else {
      locks = locks.plus(name, rest);
    }
  }

  private void putDelay(String name, Lock lock, long untilMillis) {
    if (lock.delayedUntilMillis() > 0) {
      delays = delays.minus(new Delay(lock.delayedUntilMillis(), name));
    }
    if (untilMillis > 0) {
      delays = delays.plus(new Delay(untilMillis, name));
    }
    locks = locks.plus(name, lock.withDelay(untilMillis));
  }

  /** A waiter is gone, and its place too; {@link #serve} is to follow. */
  private void removeWaiter(long id, long request, Place place) {
    event(Kind.LEFT, place.name(), 0, id, place.bundle(), "");
    removePlace(id, request);
    Lock lock = lock(place.name());
    if (!lock.waiters().containsKey(place.ticket())) {
      throw new AssertionError("nobody waits at " + place);
    }
    locks = locks.plus(place.name(), lock.withWaiters(lock.waiters().minus(place.ticket())));
  }

  private void putPlace(long id, long request, Place place) {
    Session session = session(id);
    sessions = sessions.plus(id, session.withRequests(session.requests().plus(request, place)));
  }

  private void removePlace(long id, long request) {
    Session session = session(id);
    sessions = sessions.plus(id, session.withRequests(session.requests().minus(request)));
  }

  private Session raiseFloor(long id, long floor) {
    Session session = session(id);
    if (floor <= session.floor()) {
      return session;
    }
    Session raised = session.withFloor(floor);
    sessions = sessions.plus(id, raised);
    return raised;
  }

  private void event(Kind kind, String name, long token, long id, int bundle, String reason) {
    Session session = session(id);
    events.add(
        new LockEvent(
            position,
            timeMillis,
            kind,
            name,
            token,
            session.node(),
            session.bundle(bundle),
            reason));
  }

  private long client(long id) {
    Session session = sessions.get(id);
    return session == null ? 0 : session.client();
  }

  private Session session(long id) {
    Session session = sessions.get(id);
    if (session == null) {
      throw new AssertionError("session " + id + " holds or waits, and was never opened");
    }
    return session;
  }

  private Place place(long id, long request) {
    Place place = session(id).requests().get(request);
    if (place == null) {
      throw new AssertionError("request " + request + " of session " + id + " has no place");
    }
    return place;
  }

  private Lock lock(String name) {
    Lock lock = locks.get(name);
    if (lock == null) {
      throw new AssertionError("a request stands at the lock " + name + ", which is free");
    }
    return lock;
  }
}
