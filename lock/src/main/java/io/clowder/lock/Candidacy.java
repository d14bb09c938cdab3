// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.osgi.service.condition.Condition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One candidate, from election to election. It waits for the election's lock; what follows is in
 * this order:
 *
 * <pre>
 *   granted ─► Leadership ─► Condition ─► elected()
 *   lost, asked to give way, resigned, left ─► Condition and Leadership go, in this order
 *           ─► deposed() ─► the lock is released ─► a pause ─► waits again
 * </pre>
 *
 * <p>So nobody begins to use what is about to end, and the next one leads only when this one has
 * been told. Two lanes: the candidate is called on one and everything else happens on the other, so
 * that a candidate that does not return keeps its own lock from being released, and nothing else;
 * above all not the condition from going when the node's session has ended.
 */
final class Candidacy {
  /** Where services are registered. */
  interface Registry {
    /** Registers a service; what comes back takes it back. */
    <S> Runnable register(Class<S> type, S service, Map<String, Object> properties);
  }

  private record Stand(Standing standing, LockService locks) {}

  private static final Logger LOG = LoggerFactory.getLogger(Candidacy.class);

  private static final Duration PAUSE_MIN = Duration.ofMillis(100);
  private static final int PAUSE_DOUBLINGS = 6;

  /** After waiting or leading for this long, the next pause is short again. */
  private static final Duration STEADY = Duration.ofSeconds(10);

  private final Candidate candidate;
  private final Registry registry;
  private final Timer timer;
  private final Executor threads;

  /** Calls the candidate. */
  private final Lane calls;

  /** The term that the candidate was told of; for {@link #calls} alone. */
  private @Nullable Term elected;

  /** Everything else happens here: the fields below are this lane's. */
  private final Lane lane;

  private @Nullable Stand stand;
  private @Nullable CompletableFuture<Grant> asking;

  /** From the grant until the candidate has been told that it is over. */
  private @Nullable Term term;

  private boolean ending;
  private final Deque<Runnable> services = new ArrayDeque<>();
  private Runnable callOffPause = () -> {};
  private long sinceNanos;
  private int pauses;

  /**
   * Stands in no election yet.
   *
   * @param timer for pauses
   * @param threads call the candidate and the registry, and have to put up with a candidate that
   *     never returns
   */
  Candidacy(Candidate candidate, Registry registry, Timer timer, Executor threads) {
    this.candidate = candidate;
    this.registry = registry;
    this.timer = timer;
    this.threads = threads;
    this.calls = new Lane(threads);
    this.lane = new Lane(threads);
  }

  /** Stands from now on, and no longer where it stood before. */
  void stand(Standing standing, LockService locks) {
    lane.execute(
        () -> {
          giveUp();
          stand = new Stand(standing, locks);
          pauses = 0;
          ask();
        });
  }

  /**
   * Stands nowhere from now on.
   *
   * @return completes when the candidate knows that it does not lead, and the lock service that
   *     nobody wants its lock; on any thread
   */
  CompletionStage<Void> leave() {
    CompletableFuture<@Nullable Void> left = new CompletableFuture<>();
    lane.execute(
        () -> {
          giveUp();
          stand = null;
          Term last = term;
          if (last == null) {
            left.complete(null);
          } else {
            var unused = last.told().thenRun(() -> left.complete(null));
          }
        });
    return left;
  }

  /** Whether the caller was called from here, and waits for itself if it waits for this. */
  boolean isHere() {
    return calls.isHere() || lane.isHere();
  }

  private void giveUp() {
    callOffPause.run();
    CompletableFuture<Grant> asked = asking;
    asking = null;
    if (asked != null) {
      asked.cancel(false);
    }
    Term last = term;
    if (last != null) {
      stepDown(last);
    }
  }

  private void ask() {
    Stand where = stand;
    if (where == null || asking != null || term != null) {
      return;
    }
    callOffPause.run();
    sinceNanos = timer.nanoTime();
    CompletableFuture<Grant> answer =
        where.locks().acquire(where.standing().claim(), BundleLocks.WAIT_MAX).toCompletableFuture();
    asking = answer;
    var unused =
        answer.whenComplete(
            (grant, failure) ->
                lane.execute(() -> answered(answer, where.standing(), grant, failure)));
  }

  private void answered(
      CompletableFuture<Grant> answer,
      Standing standing,
      @Nullable Grant grant,
      @Nullable Throwable failure) {
    if (asking != answer) {
      if (grant != null) {
        grant.close(); // It was given up a moment before.
      }
      return;
    }
    asking = null;
    if (grant == null) {
      pause(LockFailure.cause(failure).getMessage());
    } else {
      lead(standing, grant);
    }
  }

  /** Asks again, after a while. */
  private void pause(@Nullable String failure) {
    Stand where = stand;
    if (where == null || asking != null || term != null) {
      return;
    }
    if (timer.nanoTime() - sinceNanos >= STEADY.toNanos()) {
      pauses = 0;
    }
    if (failure != null && pauses == 0) {
      LOG.warn(
          "a candidate of {} cannot stand in election {}, and tries again: {}",
          where.standing().note(),
          where.standing().election(),
          failure);
    }
    callOffPause.run();
    Duration pause = PAUSE_MIN.multipliedBy(1L << Math.min(pauses++, PAUSE_DOUBLINGS));
    callOffPause = timer.after(pause, () -> lane.execute(this::ask));
  }

  private void lead(Standing standing, Grant grant) {
    Term next = new Term(standing.election(), grant, threads, this::over);
    term = next;
    ending = false;
    var unused = grant.lost().thenRun(() -> over(next));
    unused = grant.asked().thenRun(() -> over(next));
    if (!next.isLeader()) {
      stepDown(next); // Lost on the way here.
      return;
    }
    try {
      announce(standing, next);
    } catch (RuntimeException e) { // The registry is closing.
      LOG.warn("{} begins and ends: its services cannot be registered", next, e);
      stepDown(next);
      return;
    }
    calls.execute(() -> elect(next));
  }

  private void announce(Standing standing, Term next) {
    Map<String, Object> properties = standing.properties(next.epoch());
    services.push(registry.register(Leadership.class, next, properties));
    Map<String, Object> condition = new HashMap<>(properties);
    condition.put(Condition.CONDITION_ID, Leadership.CONDITION + next.election());
    services.push(registry.register(Condition.class, Condition.INSTANCE, condition));
  }

  /** On any thread: the term is to end. */
  private void over(Term last) {
    last.end();
    lane.execute(() -> stepDown(last));
  }

  private void stepDown(Term last) {
    if (term != last || ending) {
      return;
    }
    ending = true;
    last.end();
    while (!services.isEmpty()) {
      takeBack(services.pop());
    }
    calls.execute(() -> depose(last));
  }

  private static void takeBack(Runnable service) {
    try {
      service.run();
    } catch (IllegalStateException e) {
      LOG.debug("the framework has taken the service back already", e);
    }
  }

  /** On {@link #calls}. */
  private void elect(Term next) {
    if (next.isLeader()) {
      elected = next;
      call("elected", next, () -> candidate.elected(next));
    } // Else over before the candidate heard of it.
  }

  /** On {@link #calls}. */
  private void depose(Term last) {
    if (elected == last) {
      elected = null;
      call("deposed", last, candidate::deposed);
    }
    lane.execute(() -> release(last));
  }

  private void call(String what, Term which, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      LOG.warn("{} of {} failed in {}", what, candidate.getClass().getName(), which, e);
    }
  }

  private void release(Term last) {
    CompletionStage<Void> release = last.grant().release();
    term = null;
    last.told().complete(null);
    // Behind all that wait, whatever its priority is: so not before the group has released it.
    var unused =
        release.whenComplete(
            (done, failure) ->
                lane.execute(
                    () -> {
                      last.released(failure);
                      pause(null);
                    }));
  }
}
