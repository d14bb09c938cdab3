// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Open;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Cancelled;
import io.clowder.lock.LockResult.Full;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.NotOpen;
import io.clowder.lock.LockResult.Opened;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.LockResult.Refused;
import io.clowder.lock.LockResult.Released;
import io.clowder.lock.LockState.Freed;
import io.clowder.lock.LockState.Holder;
import io.clowder.lock.LockState.Lock;
import io.clowder.lock.LockState.Place;
import io.clowder.lock.LockState.Session;
import io.clowder.lock.LockState.Waiter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.pcollections.TreePMap;

/**
 * The work of one entry: from one state to the next. A lock that becomes free goes to its first
 * waiter within the same entry, so handing over costs nothing.
 */
final class LockTurn {
  /** A request whose standing was changed by somebody else's entry. */
  record Touched(long session, long request) {}

  private final long position;
  private final long timeMillis;
  private final List<Touched> touched = new ArrayList<>();
  private TreePMap<String, Lock> locks;
  private TreePMap<Long, Session> sessions;
  private Freed freed;

  LockTurn(LockState before, long position, long timeMillis) {
    if (position <= before.position()) {
      throw new AssertionError("entry " + position + " after " + before.position());
    }
    this.position = position;
    this.timeMillis = timeMillis;
    this.locks = before.locks();
    this.sessions = before.sessions();
    this.freed = before.freed();
  }

  LockState state() {
    return new LockState(position, locks, sessions, freed);
  }

  List<Touched> touched() {
    return touched;
  }

  LockResult apply(long session, Change change) {
    if (change instanceof Open open) {
      return open(session, open);
    } else if (change instanceof Acquire acquire) {
      return acquire(session, acquire);
    } else if (change instanceof Cancel cancel) {
      return cancel(session, cancel);
    } else if (change instanceof Release release) {
      return release(release);
    }
    throw new AssertionError("cannot apply " + change.getClass());
  }

  private LockResult open(long id, Open open) {
    long current = client(id);
    if (current == open.client()) {
      return new Opened();
    }
    if (current != open.expected()) {
      return new NotOpen(current);
    }
    end(id);
    if (open.client() != 0) {
      sessions = sessions.plus(id, new Session(open.node(), open.client(), open.floor()));
    }
    return new Opened();
  }

  private LockResult acquire(long id, Acquire acquire) {
    if (client(id) != acquire.client()) {
      return new NotOpen(client(id));
    }
    Session session = raiseFloor(id, acquire.floor());
    long request = acquire.request();
    Place place = session.requests().get(request);
    if (place != null) { // Asked again.
      Holder holder = lock(place.name()).holder();
      return holder.is(id, request) ? new Granted(id, holder.token()) : new Queued(id);
    }
    if (request < session.floor() || session.cancelled().contains(request)) {
      return new Cancelled();
    }
    Lock lock = locks.get(acquire.name());
    if (lock == null) {
      if (locks.size() >= Limits.LOCKS) {
        return new Full(false);
      }
      Holder holder = new Holder(id, request, position, timeMillis);
      locks = locks.plus(acquire.name(), new Lock(holder, TreePMap.empty()));
      freed = freed.minus(acquire.name());
      addPlace(id, request, acquire.name());
      return new Granted(id, position);
    }
    if (!acquire.queue()) {
      return new Busy();
    }
    if (lock.waiters().size() >= Limits.LOCK_WAITERS) {
      return new Full(true);
    }
    TreePMap<Long, Waiter> waiters = lock.waiters().plus(position, new Waiter(id, request));
    locks = locks.plus(acquire.name(), new Lock(lock.holder(), waiters));
    addPlace(id, request, acquire.name());
    return new Queued(id);
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
    } else {
      removePlace(id, request);
      Lock lock = lock(place.name());
      if (lock.holder().is(id, request)) {
        free(place.name(), lock);
      } else {
        removeWaiter(place, lock);
      }
    }
    return new Cancelled();
  }

  private LockResult release(Release release) {
    Lock lock = locks.get(release.name());
    if (lock == null) {
      return freed.mayHaveGiven(release.name(), release.token()) ? new Released() : new Refused(0);
    }
    Holder holder = lock.holder();
    if (holder.token() != release.token()) {
      return new Refused(holder.token());
    }
    removePlace(holder.session(), holder.request());
    touched.add(new Touched(holder.session(), holder.request()));
    free(release.name(), lock);
    return new Released();
  }

  /** The session is over: it lets go of its locks, in the order in which it asked for them. */
  void end(long id) {
    Session session = sessions.get(id);
    if (session == null) {
      return;
    }
    sessions = sessions.minus(id);
    List<Place> held = new ArrayList<>();
    // First out of the queues, lest one of its own requests inherits from another.
    for (Map.Entry<Long, Place> entry : session.requests().entrySet()) {
      Place place = entry.getValue();
      Lock lock = lock(place.name());
      if (lock.holder().is(id, entry.getKey())) {
        held.add(place);
      } else {
        removeWaiter(place, lock);
      }
    }
    held.forEach(place -> free(place.name(), lock(place.name())));
  }

  /** The holder is gone, its place too: the first waiter holds, or nobody. */
  private void free(String name, Lock lock) {
    if (lock.waiters().isEmpty()) {
      locks = locks.minus(name);
      freed = freed.plus(name, lock.holder().token());
      return;
    }
    Map.Entry<Long, Waiter> first = lock.waiters().firstEntry();
    Waiter waiter = first.getValue();
    Holder holder = new Holder(waiter.session(), waiter.request(), position, timeMillis);
    locks = locks.plus(name, new Lock(holder, lock.waiters().minus(first.getKey())));
    addPlace(waiter.session(), waiter.request(), name);
    touched.add(new Touched(waiter.session(), waiter.request()));
  }

  private void removeWaiter(Place place, Lock lock) {
    if (!lock.waiters().containsKey(place.ticket())) {
      throw new AssertionError("nobody waits at " + place);
    }
    TreePMap<Long, Waiter> waiters = lock.waiters().minus(place.ticket());
    locks = locks.plus(place.name(), new Lock(lock.holder(), waiters));
  }

  /** From this entry on, the request waits for or holds the lock. */
  private void addPlace(long id, long request, String name) {
    Session session = session(id);
    Place place = new Place(name, position);
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

  private Lock lock(String name) {
    Lock lock = locks.get(name);
    if (lock == null) {
      throw new AssertionError("a request stands at the lock " + name + ", which is free");
    }
    return lock;
  }
}
