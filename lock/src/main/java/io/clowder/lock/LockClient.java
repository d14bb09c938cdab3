// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.Limits;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.runtime.Timer;
import io.clowder.lock.ClientSession.Answer;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Enter;
import io.clowder.lock.LockRequest.Leave;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockRequest.Settle;
import io.clowder.lock.LockResult.Busy;
import io.clowder.lock.LockResult.Granted;
import io.clowder.lock.LockResult.Queued;
import io.clowder.lock.Request.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The requests of this node, and the grants that came of them. Everything that happens to one, the
 * answer of the group, an entry that touches it, a timer, a call, goes through this monitor, which
 * nobody holds while he waits; callers' stages complete on the {@link Timer}'s threads.
 */
final class LockClient implements LockTable.Observer, ClientSession.Client {
  /** A grant, by what releases it. */
  private record Held(String name, long token) {}

  /** An owner of a lock within a bundle. */
  private record Owner(int bundle, String name, String owner) {}

  private final ClientSession session;
  private final LockTable table;
  private final Timer timer;
  private final int waitersMax;

  private final Map<Integer, String> bundles = new HashMap<>();
  private final Map<Long, Request> requests = new HashMap<>();

  /** Requests whose Acquire may still be on its way. */
  private final TreeSet<Long> unsettled = new TreeSet<>();

  /** Requests that hold their lock. */
  private final Map<Held, Request> held = new HashMap<>();

  /** Requests with an owner, until nobody wants them any more. */
  private final Map<Owner, Request> owned = new HashMap<>();

  private int lastBundle;
  private long lastId;
  private boolean watching;
  private boolean closed;

  /**
   * A client that has not begun.
   *
   * @param waitersMax how many may wait for a lock that one of this node wants, 1 to {@link
   *     Limits#LOCK_WAITERS}
   */
  LockClient(ClientSession session, LockTable table, Timer timer, int waitersMax) {
    this.session = session;
    this.table = table;
    this.timer = timer;
    this.waitersMax = waitersMax;
  }

  /** Listens to the table, and opens the session. */
  void start() {
    table.add(this);
    session.open(this);
  }

  // --- bundles ----------------------------------------------------------------------------------

  /**
   * A bundle begins to use locks; its number. The group is told at once, lest the first lock has to
   * wait for that; if it does not hear of it, it asks when the first lock is wanted.
   */
  int enter(String name) {
    int bundle;
    synchronized (this) {
      bundle = ++lastBundle;
      bundles.put(bundle, name);
    }
    session
        .ask(this, new Enter(session.client(), bundle, name), session.timeout())
        .whenComplete((answer, failure) -> entered(bundle));
    return bundle;
  }

  /** A bundle that was gone when the group heard of it is not to stay there. */
  @Override
  public void entered(int bundle) {
    if (bundle(bundle) == null) {
      leave(new Leave(session.client(), bundle), 0);
    }
  }

  /** A bundle has stopped: it loses what it holds, and nobody waits for it any more. */
  void leave(int bundle) {
    synchronized (this) {
      if (closed || bundles.remove(bundle) == null) {
        return;
      }
      for (Request request : List.copyOf(requests.values())) {
        if (request.bundle != bundle || request.phase == Phase.LEAVING) {
          continue;
        }
        fail(request, LockFailure.bundleStopped());
        if (request.phase == Phase.HELD) {
          lose(request);
        }
        if (request.phase == Phase.ASKING) {
          leave(request); // Its Acquire may come after the Leave.
        } else {
          drop(request);
        }
      }
    }
    leave(new Leave(session.client(), bundle), 0);
  }

  private void leave(Leave leave, int attempts) {
    session
        .ask(this, leave, session.timeout())
        .whenComplete(
            (answer, failure) -> {
              if (failure != null && !isClosed()) {
                timer.after(session.backOff(attempts), () -> leave(leave, attempts + 1));
              }
            });
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  @Override
  public synchronized @Nullable String bundle(int number) {
    return bundles.get(number);
  }

  // --- acquiring --------------------------------------------------------------------------------

  /**
   * Asks for a lock; without {@code wait}, only if it is free. Whoever completes the future does
   * not want the lock any more.
   *
   * @param orFail whether the future fails if the lock is not free; else it completes with null
   */
  CompletableFuture<Grant> acquire(
      int bundle, Claim claim, @Nullable Duration wait, boolean orFail) {
    Request request;
    Acquire command;
    synchronized (this) {
      CoordinationException gone = whyGone(bundle);
      if (gone != null) {
        return CompletableFuture.failedFuture(gone);
      } else if (requests.size() - held.size() >= Limits.PENDING_REQUESTS) {
        return CompletableFuture.failedFuture(LockFailure.tooMany());
      }
      Owner owner = claim.owner() == null ? null : new Owner(bundle, claim.name(), claim.owner());
      Request present = owner == null ? null : owned.get(owner);
      if (present != null && isStillWanted(present)) {
        return again(present, claim);
      }
      request = new Request(++lastId, bundle, claim, orFail);
      requests.put(request.id, request);
      unsettled.add(request.id);
      if (owner != null) {
        owned.put(owner, request);
      }
      command =
          new Acquire(
              session.client(),
              request.id,
              floor(),
              bundle,
              wait == null ? 0 : waitersMax,
              claim.name(),
              Claims.want(claim));
      if (wait != null) {
        request.callOff = timer.after(wait, () -> expired(request));
      }
    }
    var unused = request.answer.whenComplete((grant, failure) -> givenUp(request));
    session
        .ask(this, command, wait == null ? session.timeout() : wait)
        .whenComplete((answer, failure) -> asked(request, answer, failure));
    return request.answer;
  }

  /**
   * Whether the request goes on; one that its caller gave up, or whose session may have ended, does
   * not.
   */
  private boolean isStillWanted(Request request) {
    if (request.phase == Phase.HELD && !isValid(request)) {
      lapsed(request.id);
      return false;
    }
    return request.phase == Phase.HELD || !request.answered;
  }

  /** The owner asks again for what it holds. */
  private CompletableFuture<@Nullable Grant> again(Request present, Claim claim) {
    if (present.phase != Phase.HELD) {
      return CompletableFuture.failedFuture(LockFailure.ownerWaits(claim));
    } else if (present.claim.mode() != claim.mode() || present.claim.permits() != claim.permits()) {
      return CompletableFuture.failedFuture(LockFailure.ownerHolds(claim, present.claim.mode()));
    }
    // The longest time to hold it is that of the first claim.
    long untilNanos = present.grants.get(0).untilNanos();
    HeldLock grant = new HeldLock(this, present.claim, present, untilNanos);
    present.grants.add(grant);
    if (table.state().isAsked(present.name(), present.token)) {
      complete(grant.whenAsked(), null);
    }
    return CompletableFuture.completedFuture(grant);
  }

  /** The future is complete; if not by us, its caller does not want it any more. */
  private synchronized void givenUp(Request request) {
    if (!request.answered) {
      request.answered = true;
      if (request.phase == Phase.WAITING) {
        leave(request);
      } // Else the group's answer comes, and finds that nobody wants it.
    }
  }

  /** The group's answer to the Acquire. */
  private synchronized void asked(
      Request request, @Nullable Answer answer, @Nullable Throwable failure) {
    if (answer == null) {
      CoordinationException cause = LockFailure.cause(failure);
      if (cause.outcome() == Outcome.DID_NOT_HAPPEN) {
        drop(request);
      } else {
        leave(request);
      }
      fail(request, LockFailure.withdrawn(request.name(), cause));
      return;
    }
    unsettled.remove(request.id);
    LockResult result = answer.result();
    if (result instanceof Granted granted) {
      request.session = granted.session();
      request.since = answer.position();
      granted(request, granted.token());
      review(request); // It may have been released by another before this answer came.
    } else if (result instanceof Queued queued) {
      request.session = queued.session();
      request.since = answer.position();
      if (closed || request.answered) {
        leave(request);
      } else {
        request.phase = Phase.WAITING;
        review(request); // It may have been granted before this answer came.
      }
    } else {
      drop(request);
      if (result instanceof Busy && !request.orFail) {
        answer(request, null);
      } else if (result instanceof Busy) {
        fail(request, LockFailure.taken(request.name()));
      } else {
        fail(request, LockFailure.refusal(request.claim, result));
      }
    }
  }

  private void granted(Request request, long token) {
    if (closed || request.answered) {
      leave(request);
      return;
    }
    if (!session.isValid(request.session)) {
      fail(request, LockFailure.sessionEnded(request.name()));
      leave(request);
      return;
    }
    request.callOff.run();
    request.phase = Phase.HELD;
    request.token = token;
    held.put(new Held(request.name(), token), request);
    Duration maxHold = request.claim.maxHold();
    long untilNanos = 0;
    if (maxHold != null) {
      untilNanos = timer.nanoTime() + maxHold.toNanos();
      request.callOff = timer.after(maxHold, () -> lapsed(request.id));
    }
    HeldLock grant = new HeldLock(this, request.claim, request, untilNanos);
    request.grants.add(grant);
    answer(request, grant);
    watchSession();
  }

  /** Compares a request with what this node has applied. */
  private void review(Request request) {
    LockState state = table.state();
    if (state.position() < request.since) {
      return; // The replica starts again from an older state; the entries in between will come.
    }
    Long token = state.tokenOf(request.session, session.client(), request.id);
    if (request.phase == Phase.WAITING && token == null) {
      drop(request);
      fail(
          request,
          state.sessions().containsKey(request.session)
              ? LockFailure.releasedByAnother(request.name())
              : LockFailure.sessionEnded(request.name()));
    } else if (request.phase == Phase.WAITING && token > 0) {
      request.since = state.position();
      granted(request, token);
    } else if (request.phase == Phase.WAITING) {
      awaitDelay(request, Duration.ofMillis(state.delayMillis(request.session, request.id)));
    } else if (request.phase == Phase.HELD && token == null) {
      lose(request);
      drop(request);
    } else if (request.phase == Phase.HELD && state.isAsked(request.name(), request.token)) {
      request.grants.forEach(grant -> complete(grant.whenAsked(), null));
    }
  }

  /** The first in line sees to it that the lock goes on when its delay is over. */
  private void awaitDelay(Request request, Duration delay) {
    if (!delay.isZero() && !request.isDelayed) {
      request.isDelayed = true;
      timer.after(delay, () -> settle(request));
    }
  }

  private void settle(Request request) {
    if (isWaiting(request)) {
      session
          .ask(this, new Settle(), session.timeout())
          .whenComplete((answer, failure) -> settled(request, failure));
    }
  }

  private synchronized boolean isWaiting(Request request) {
    return request.phase == Phase.WAITING && !closed;
  }

  private synchronized void settled(Request request, @Nullable Throwable failure) {
    request.isDelayed = false;
    if (isWaiting(request) && failure != null) {
      awaitDelay(request, session.backOff(request.attempts++));
    } else if (isWaiting(request)) {
      review(request);
    }
  }

  @Override
  public synchronized void touched(long sessionId, long request) {
    Request known = requests.get(request);
    if (known != null && known.session == sessionId) {
      review(known);
    }
  }

  @Override
  public synchronized void ended(long sessionId) {
    List.copyOf(requests.values()).stream()
        .filter(request -> request.session == sessionId)
        .forEach(this::review);
  }

  @Override
  public synchronized void restored() {
    // What was lost comes first: no two grants of one lock are held at any time.
    List.copyOf(held.values()).forEach(this::review);
    List.copyOf(requests.values()).forEach(this::review);
  }

  /** The caller waited long enough. */
  private synchronized void expired(Request request) {
    if (request.answered) {
      return;
    }
    if (request.phase == Phase.WAITING) {
      fail(request, LockFailure.taken(request.name()));
      leave(request);
    } else {
      // The group's answer is about to time out too, and then says what there is to cancel.
      fail(request, LockFailure.unanswered(request.name()));
    }
  }

  // --- holding ----------------------------------------------------------------------------------

  /**
   * For how many nanoseconds locks of the session are surely held; not positive if they may not.
   */
  long validNanos(long sessionId) {
    return session.validNanos(sessionId);
  }

  /** How long it is until then, by the timer's clock. */
  long nanosUntil(long nanos) {
    return nanos - timer.nanoTime();
  }

  private boolean isValid(Request request) {
    return session.isValid(request.session)
        && (request.claim.maxHold() == null || nanosUntil(request.grants.get(0).untilNanos()) > 0);
  }

  /** By this node's clock, a grant may be over. */
  synchronized void lapsed(long id) {
    Request request = requests.get(id);
    if (request != null && request.phase == Phase.HELD && !isValid(request)) {
      lose(request);
      // The session may yet go on: then the group must not think that the lock is in use.
      request.isLost = true;
      leave(request);
    }
  }

  /** One timer for all grants: at the instant until which the session is known to live. */
  private void watchSession() {
    if (!watching && !closed) {
      watching = true;
      timer.after(session.validFor(), this::sessionDue);
    }
  }

  private synchronized void sessionDue() {
    watching = false;
    List.copyOf(held.values()).forEach(request -> lapsed(request.id));
    if (!held.isEmpty()) {
      watchSession();
    }
  }

  /** Releases a grant; again, if that fails, until it is certain. */
  void release(long id, HeldLock grant) {
    synchronized (this) {
      Request request = requests.get(id);
      if (grant.isOver() || request == null) {
        if (!grant.isReleasing()) {
          complete(grant.whenReleased(), null); // Lost before: there is nothing to do.
        }
        return;
      }
      grant.releasing();
      if (request.grants.size() > 1) {
        request.grants.remove(grant);
        end(grant);
        complete(grant.whenReleased(), null);
        return;
      }
      lose(request);
      request.phase = Phase.LEAVING;
    }
    session
        .ask(this, new Release(grant.claim().name(), grant.token(), ""), session.timeout())
        .whenComplete((answer, failure) -> released(id, grant, failure));
  }

  private synchronized void released(long id, HeldLock grant, @Nullable Throwable failure) {
    Request request = requests.get(id);
    if (failure == null && request != null) {
      drop(request);
    } else if (request != null) {
      leave(request);
    }
    complete(grant.whenReleased(), failure == null ? null : LockFailure.cause(failure));
  }

  /**
   * Releases the grants of this node with this token, if there are any: so that they turn false
   * before the group hears of it.
   */
  @Nullable CompletionStage<Void> release(String name, long token) {
    List<HeldLock> grants;
    synchronized (this) {
      Request request = held.get(new Held(name, token));
      if (request == null) {
        return null;
      }
      grants = List.copyOf(request.grants);
    }
    CompletionStage<Void> last = CompletableFuture.completedStage(null);
    for (HeldLock grant : grants) {
      last = grant.release();
    }
    return last;
  }

  /** Nobody wants this request any more. */
  private void leave(Request request) {
    request.callOff.run();
    request.phase = Phase.LEAVING;
    disown(request);
    timer.execute(() -> cancel(request));
  }

  private void cancel(Request request) {
    Cancel command;
    synchronized (this) {
      if (closed) {
        return;
      }
      command = new Cancel(session.client(), request.id, floor(), request.isLost);
    }
    session
        .ask(this, command, session.timeout())
        .whenComplete(
            (answer, failure) -> {
              if (failure == null) {
                drop(request);
              } else {
                timer.after(session.backOff(request.attempts++), () -> cancel(request));
              }
            });
  }

  /** Nothing of this request is left in the group. */
  private synchronized void drop(Request request) {
    request.callOff.run();
    unsettled.remove(request.id);
    requests.remove(request.id);
    disown(request);
  }

  private void disown(Request request) {
    String owner = request.claim.owner();
    if (owner != null) {
      owned.remove(new Owner(request.bundle, request.name(), owner), request);
    }
  }

  /** The lowest request whose Acquire may still be on its way. */
  @Override
  public synchronized long floor() {
    return unsettled.isEmpty() ? lastId + 1 : unsettled.first();
  }

  private void lose(Request request) {
    if (request.grants.isEmpty()) {
      throw new AssertionError("request " + request.id + " is held, and has no grant");
    }
    request.callOff.run();
    held.remove(new Held(request.name(), request.token), request);
    disown(request);
    request.grants.forEach(this::end);
    request.grants.clear();
  }

  private void end(HeldLock grant) {
    grant.end();
    complete(grant.whenLost(), null);
  }

  private void answer(Request request, @Nullable Grant grant) {
    request.answered = true;
    timer.execute(
        () -> {
          CoordinationException gone = whyGone(request.bundle);
          if (gone != null) {
            request.answer.completeExceptionally(gone); // The grant is lost by now.
          } else if (!request.answer.complete(grant) && grant != null) {
            grant.close(); // Its caller gave it up a moment ago.
          }
        });
  }

  /** Why a bundle of this node has no locks any more; null if it may have. */
  private synchronized @Nullable CoordinationException whyGone(int bundle) {
    if (closed) {
      return LockFailure.stopping();
    }
    return bundles.containsKey(bundle) ? null : LockFailure.bundleStopped();
  }

  private void fail(Request request, CoordinationException failure) {
    if (!request.answered) {
      request.answered = true;
      timer.execute(() -> request.answer.completeExceptionally(failure));
    }
  }

  private void complete(
      CompletableFuture<@Nullable Void> stage, @Nullable CoordinationException failure) {
    timer.execute(
        () -> {
          if (failure == null) {
            stage.complete(null);
          } else {
            stage.completeExceptionally(failure);
          }
        });
  }

  /**
   * Everything this node holds is lost, and all who wait fail.
   *
   * @return completes when the group has been told, or could not be
   */
  CompletionStage<?> close() {
    table.remove(this);
    synchronized (this) {
      closed = true;
      for (Request request : new ArrayList<>(requests.values())) {
        fail(request, LockFailure.stopping());
        if (request.phase == Phase.HELD) {
          lose(request);
        }
        drop(request);
      }
    }
    return session.close();
  }
}
