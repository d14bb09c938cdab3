// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.TaskId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Submissions of this node. One that comes while few are on their way goes at once; those that come
 * meanwhile go together.
 */
final class Submissions {
  private static final int FLYING_MAX = 4;
  private static final int BATCH_MAX = 1_000;

  /** One task of the largest kind, or many small ones. */
  private static final int BATCH_BYTES = Limits.BATCH_BYTES;

  private record Waiting(Work work, CompletableFuture<TaskId> answer) {}

  private final ConsensusService consensus;
  private final Timer timer;
  private final SchedulerSetting setting;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private int flying;
  private boolean isClosed;

  Submissions(ConsensusService consensus, Timer timer, SchedulerSetting setting) {
    this.consensus = consensus;
    this.timer = timer;
    this.setting = setting;
  }

  CompletableFuture<TaskId> submit(Work work) {
    CompletableFuture<TaskId> answer = new CompletableFuture<>();
    synchronized (this) {
      if (isClosed) {
        return CompletableFuture.failedFuture(
            CoordinationException.refused(
                Reason.UNAVAILABLE, "the scheduler has stopped on this node"));
      } else if (waiting.size() >= Limits.PENDING_REQUESTS) {
        return CompletableFuture.failedFuture(
            CoordinationException.refused(
                Reason.OVERLOADED,
                waiting.size() + " submissions of this node wait; submit more slowly"));
      }
      waiting.add(new Waiting(work, answer));
    }
    send();
    return answer;
  }

  private void send() {
    while (true) {
      List<Waiting> batch = new ArrayList<>();
      synchronized (this) {
        if (flying >= FLYING_MAX || waiting.isEmpty()) {
          return;
        }
        flying++;
        int bytes = 0;
        while (!waiting.isEmpty() && batch.size() < BATCH_MAX && bytes < BATCH_BYTES) {
          Waiting next = waiting.remove();
          bytes += Shows.size(next.work);
          batch.add(next);
        }
      }
      List<Work> works = batch.stream().map(Waiting::work).toList();
      consensus
          .submit(new TaskCommand.Submit(works, setting.queueMax()).encode(), setting.timeout())
          .whenComplete((done, failure) -> answered(batch, done, failure));
    }
  }

  private void answered(
      List<Waiting> batch, @Nullable Committed done, @Nullable Throwable failure) {
    synchronized (this) {
      flying--;
    }
    send();
    timer.execute(() -> answer(batch, done, failure));
  }

  private static void answer(
      List<Waiting> batch, @Nullable Committed done, @Nullable Throwable failure) {
    if (done == null) {
      Throwable cause = failure == null ? new AssertionError("neither") : Asking.cause(failure);
      batch.forEach(it -> it.answer.completeExceptionally(cause));
      return;
    }
    TaskAnswer.Taken taken = (TaskAnswer.Taken) TaskAnswer.decode(done.result());
    for (int i = 0; i < batch.size(); i++) {
      TaskAnswer.Ticket ticket = taken.tickets().get(i);
      CompletableFuture<TaskId> answer = batch.get(i).answer;
      if (ticket.refusal() == null) {
        answer.complete(new TaskId(ticket.task()));
      } else {
        answer.completeExceptionally(
            CoordinationException.refused(Reason.OVERLOADED, ticket.refusal()));
      }
    }
  }

  /** Takes no more; what waits was never sent. */
  void close() {
    List<Waiting> rest;
    synchronized (this) {
      isClosed = true;
      rest = new ArrayList<>(waiting);
      waiting.clear();
    }
    for (Waiting it : rest) {
      it.answer.completeExceptionally(
          CoordinationException.refused(
              Reason.UNAVAILABLE, "the scheduler has stopped on this node"));
    }
  }
}
