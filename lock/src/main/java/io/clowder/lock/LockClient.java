// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.Limits;
import io.clowder.api.lock.Grant;
import io.clowder.lock.ClientSession.Answer;
import io.clowder.lock.LockRequest.Acquire;
import io.clowder.lock.LockRequest.Cancel;
import io.clowder.lock.LockRequest.Release;
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
final class LockClient implements LockTable.Observer {
  private final ClientSession session;
  private final LockTable table;
  private final Timer timer;

  private final Map<Long, Request> requests = new HashMap<>();

  /** Requests whose Acquire may still be on its way. */
  private final TreeSet<Long> unsettled = new TreeSet<>();

  /** Requests that hold their lock, by its name: one at most, for the table says so. */
  private final Map<String, Request> held = new HashMap<>();

  private long lastId;
  private boolean watching;
  private boolean closed;

  LockClient(ClientSession session, LockTable table, Timer timer) {
    this.session = session;
    this.table = table;
    this.timer = timer;
  }

  /** Listens to the table, and opens the session. */
  void start() {
    table.add(this);
    session.open(this::floor);
  }

  /** Asks for a lock; without {@code wait}, only if it is free. */
  CompletionStage<@Nullable Grant> acquire(String name, @Nullable Duration wait) {
    Request request;
    Acquire command;
    synchronized (this) {
      if (closed) {
        return CompletableFuture.failedStage(LockFailure.stopping());
      }
      if (requests.size() - held.size() >= Limits.PENDING_REQUESTS) {
        return CompletableFuture.failedStage(LockFailure.tooMany());
      }
      request = new Request(++lastId, name);
      requests.put(request.id, request);
      unsettled.add(request.id);
      command = new Acquire(session.client(), request.id, floor(), wait != null, name);
      if (wait != null) {
        request.callOff = timer.after(wait, () -> expired(request));
      }
    }
    session
        .ask(command, this::floor, wait == null ? session.timeout() : wait)
        .whenComplete((answer, failure) -> asked(request, answer, failure));
    return request.answer.minimalCompletionStage();
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
      fail(request, LockFailure.withdrawn(request.name, cause));
      return;
    }
    unsettled.remove(request.id);
    LockResult result = answer.result();
    if (result instanceof Granted granted) {
      request.session = granted.session();
      granted(request, granted.token());
      review(request); // It may have been released by another before this answer came.
    } else if (result instanceof Queued queued) {
      request.session = queued.session();
      request.since = answer.position();
      request.phase = Phase.WAITING;
      if (closed || request.answered) {
        leave(request);
      } else {
        review(request); // It may have been granted before this answer came.
      }
    } else {
      drop(request);
      if (result instanceof Busy) {
        answer(request, null);
      } else {
        fail(request, LockFailure.refusal(request.name, result));
      }
    }
  }

  private void granted(Request request, long token) {
    if (closed || request.answered) {
      leave(request);
      return;
    }
    if (!session.isValid(request.session)) {
      fail(request, LockFailure.sessionEnded(request.name));
      leave(request);
      return;
    }
    request.callOff.run();
    request.phase = Phase.HELD;
    held.put(request.name, request);
    request.since = token;
    request.grant = new HeldLock(this, request.id, request.session, request.name, token);
    answer(request, request.grant);
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
              ? LockFailure.releasedByAnother(request.name)
              : LockFailure.sessionEnded(request.name));
    } else if (request.phase == Phase.WAITING && token > 0) {
      granted(request, token);
    } else if (request.phase == Phase.HELD && token == null) {
      lose(request);
      drop(request);
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
      fail(request, LockFailure.taken(request.name));
      leave(request);
    } else {
      // The group's answer is about to time out too, and then says what there is to cancel.
      fail(request, LockFailure.unanswered(request.name));
    }
  }

  /** Whether locks of the session are surely held now. */
  boolean isValid(long sessionId) {
    return session.isValid(sessionId);
  }

  /** By this node's clock, the session of a grant may have ended. */
  synchronized void lapsed(long id) {
    Request request = requests.get(id);
    if (request != null && request.phase == Phase.HELD) {
      lose(request);
      // The session may yet go on: then the group must not think that the lock is in use.
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
    for (Request request : List.copyOf(held.values())) {
      if (!session.isValid(request.session)) {
        lapsed(request.id);
      }
    }
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
      lose(request);
      request.phase = Phase.LEAVING;
    }
    session
        .ask(new Release(grant.name(), grant.token()), this::floor, session.timeout())
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

  /** The grant of this node with this token, if there is one. */
  synchronized @Nullable Grant held(String name, long token) {
    Request request = held.get(name);
    HeldLock grant = request == null ? null : request.grant;
    return grant != null && grant.token() == token ? grant : null;
  }

  /** Nobody wants this request any more. */
  private void leave(Request request) {
    request.callOff.run();
    request.phase = Phase.LEAVING;
    timer.execute(() -> cancel(request));
  }

  private void cancel(Request request) {
    Cancel command;
    synchronized (this) {
      if (closed) {
        return;
      }
      command = new Cancel(session.client(), request.id, floor());
    }
    session
        .ask(command, this::floor, session.timeout())
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
  }

  /** The lowest request whose Acquire may still be on its way. */
  private synchronized long floor() {
    return unsettled.isEmpty() ? lastId + 1 : unsettled.first();
  }

  private void lose(Request request) {
    HeldLock grant = request.grant;
    if (grant == null) {
      throw new AssertionError("request " + request.id + " is held, and has no grant");
    }
    held.remove(request.name, request);
    grant.end();
    complete(grant.whenLost(), null);
  }

  private void answer(Request request, @Nullable Grant grant) {
    request.answered = true;
    timer.execute(() -> request.answer.complete(grant));
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
