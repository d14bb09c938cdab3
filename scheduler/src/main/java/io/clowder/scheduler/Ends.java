// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.runtime.Completions;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Who waits on this node for tasks to end. */
final class Ends implements Events {
  /** Somebody who waits; guarded by the instance. */
  private static final class Waiter {
    final CompletableFuture<TaskResult> answer = new CompletableFuture<>();
    final TaskId id;
    final Duration wait;
    final long sinceNanos;
    Runnable callOff = () -> {};

    Waiter(TaskId id, Duration wait, long sinceNanos) {
      this.id = id;
      this.wait = wait;
      this.sinceNanos = sinceNanos;
    }
  }

  private static final Duration AGAIN = Duration.ofMillis(500);

  private final Asking asking;
  private final Timer timer;

  /** Used on the replica's thread alone. */
  private final Completions completions;

  private final Map<Long, List<Waiter>> waiters = new HashMap<>();
  private int waiting;
  private boolean isClosed;

  Ends(Asking asking, Timer timer) {
    this.asking = asking;
    this.timer = timer;
    this.completions = new Completions(timer);
  }

  CompletableFuture<TaskResult> await(TaskId id, Duration wait) {
    Waiter waiter = new Waiter(id, wait, timer.nanoTime());
    synchronized (this) {
      if (isClosed) {
        return CompletableFuture.failedFuture(stopped());
      } else if (waiting >= 8 * Limits.PENDING_REQUESTS) {
        return CompletableFuture.failedFuture(
            CoordinationException.refused(
                Reason.OVERLOADED, waiting + " wait for tasks on this node; wait for fewer"));
      }
      waiting++;
      if (wait.compareTo(asking.timeout()) > 0) {
        waiter.callOff = timer.after(wait, () -> expired(waiter));
      }
      waiters.computeIfAbsent(id.number(), absent -> new ArrayList<>(1)).add(waiter);
    }
    // What ends from now on is told; what has ended must be asked for. Who was told of the task by
    // another node knows more than this one may.
    ask(id, ReadConsistency.SEQUENTIAL, () -> askedFor(waiter));
    return waiter.answer;
  }

  /**
   * Its task is not over. A short wait may run out from here on and not before, or who does not
   * want to wait at all would not hear of a task that is over.
   */
  private void askedFor(Waiter waiter) {
    if (waiter.wait.compareTo(asking.timeout()) > 0) {
      return;
    }
    Duration left = waiter.wait.minusNanos(timer.nanoTime() - waiter.sinceNanos);
    synchronized (this) {
      if (waiters.getOrDefault(waiter.id.number(), List.of()).contains(waiter)) {
        waiter.callOff =
            timer.after(left.isNegative() ? Duration.ZERO : left, () -> expired(waiter));
      }
    }
  }

  /**
   * Asks for a task.
   *
   * @param notOver called if it is not over, as far as is known
   */
  private void ask(TaskId id, ReadConsistency consistency, Runnable notOver) {
    asking
        .ask(new TaskQuestion.Outcome(id.number()), consistency, TaskAnswer.Outcome.class)
        .whenComplete(
            (outcome, failure) -> {
              if (outcome == null) {
                notOver.run();
                askAgain(id);
              } else if (outcome.state() == null && consistency == ReadConsistency.SEQUENTIAL) {
                ask(id, ReadConsistency.LINEARIZABLE, notOver);
              } else if (outcome.state() == null) {
                take(id.number()).forEach(it -> it.answer.completeExceptionally(unknown(id)));
              } else if (outcome.state().isEnd()) {
                TaskResult result =
                    new TaskResult(
                        id, outcome.state(), outcome.value(), outcome.error(), outcome.attempts());
                take(id.number()).forEach(it -> it.answer.complete(result));
              } else {
                notOver.run();
              }
            });
  }

  /** Who waits has a limit of his own; until then the cluster may answer again. */
  private void askAgain(TaskId id) {
    boolean isWanted;
    synchronized (this) {
      isWanted = !isClosed && waiters.containsKey(id.number());
    }
    if (isWanted) {
      timer.after(AGAIN, () -> ask(id, ReadConsistency.LINEARIZABLE, () -> {}));
    }
  }

  static CoordinationException unknown(TaskId id) {
    return CoordinationException.refused(
        Reason.INVALID, "task " + id + " is not known, or not any more");
  }

  private static CoordinationException stopped() {
    return CoordinationException.refused(
        Reason.UNAVAILABLE, "the scheduler has stopped on this node; the task may go on");
  }

  private synchronized List<Waiter> take(long id) {
    List<Waiter> its = waiters.remove(id);
    if (its == null) {
      return List.of();
    }
    waiting -= its.size();
    its.forEach(it -> it.callOff.run());
    return its;
  }

  private void expired(Waiter waiter) {
    TaskId id = waiter.id;
    synchronized (this) {
      List<Waiter> its = waiters.get(id.number());
      if (its == null || !its.remove(waiter)) {
        return;
      }
      waiting--;
      if (its.isEmpty()) {
        waiters.remove(id.number());
      }
    }
    timer.execute(
        () ->
            waiter.answer.completeExceptionally(
                new CoordinationException(
                    Reason.TIMEOUT,
                    Outcome.MAY_HAVE_HAPPENED,
                    "task " + id + " was not over within " + waiter.wait)));
  }

  @Override
  public void ended(Task task) {
    List<Waiter> its = take(task.id());
    if (!its.isEmpty()) {
      TaskResult result = result(task);
      its.forEach(it -> completions.complete(it.answer, result));
    }
  }

  private static TaskResult result(Task task) {
    return new TaskResult(
        new TaskId(task.id()), task.state(), task.value(), task.error(), task.attempts());
  }

  @Override
  public void applied() {
    completions.flush();
  }

  /** Ends may have been passed over. */
  @Override
  public void restored() {
    List<Long> ids;
    synchronized (this) {
      ids = new ArrayList<>(waiters.keySet());
    }
    timer.execute(
        () -> ids.forEach(id -> ask(new TaskId(id), ReadConsistency.LINEARIZABLE, () -> {})));
  }

  void close() {
    List<Waiter> all = new ArrayList<>();
    synchronized (this) {
      isClosed = true;
      waiters.values().forEach(all::addAll);
      waiters.clear();
    }
    for (Waiter it : all) {
      it.callOff.run();
      it.answer.completeExceptionally(stopped());
    }
  }
}
