// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.lock.Fence;
import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskFailure;
import io.clowder.api.task.TaskId;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An attempt on this node: from when it was given until its handler has returned. */
final class Run implements TaskContext {
  private static final Logger LOG = LoggerFactory.getLogger(Run.class);
  private static final int NOTE_MAX = 200;
  private static final int ERROR_MAX = 1000;

  /** Why an attempt is not wanted any more. */
  enum Stop {
    /** The task goes on without it. */
    REVOKED,
    /** It took longer than its handler may. */
    TIMED_OUT,
    /** Its handler goes, or this node cannot be sure to be heard. */
    GIVEN_BACK
  }

  /** Who hears of it. */
  interface Owner {
    /** It is over; told once. */
    void through(Run run, Report report);
  }

  final Attempt attempt;
  final Roster.Entry entry;
  private final Task task;
  private final Owner owner;
  private @Nullable Thread thread;
  private @Nullable Stop stop;
  private boolean isThrough;
  private volatile boolean isCancelled;
  private Report.@Nullable Progress progress;
  private boolean isTold = true;
  Runnable callOff = () -> {};

  /** Completes when it is over. */
  final CompletableFuture<@Nullable Void> end = new CompletableFuture<>();

  /** Whether the cluster was told once that it runs. Guarded by the owner. */
  boolean wasTold;

  Run(Attempt attempt, Task task, Roster.Entry entry, Owner owner) {
    this.attempt = attempt;
    this.task = task;
    this.entry = entry;
    this.owner = owner;
  }

  /** Runs the handler on this thread. */
  void execute() {
    synchronized (this) {
      if (isThrough) {
        return;
      }
      thread = Thread.currentThread();
      if (stop != null) {
        thread.interrupt();
      }
    }
    Report report;
    try {
      report = returned(entry.handler().execute(this));
    } catch (TaskFailure e) {
      report = new Report.Threw(attempt.token(), text(e), true);
    } catch (Throwable e) {
      // Whatever it is, the cluster must hear that this attempt is over.
      report = new Report.Threw(attempt.token(), text(e), false);
      if (!isCancelled) {
        LOG.warn("task {} of type {}: attempt {} failed", id(), type(), attempt(), e);
      }
    } finally {
      synchronized (this) {
        thread = null;
      }
      // The next task must not find it.
      Thread.interrupted();
    }
    finish(report);
  }

  private Report returned(byte @Nullable [] value) {
    if (value != null && value.length > Limits.TASK_BYTES) {
      return new Report.Threw(
          attempt.token(),
          "its result has %d bytes, up to %d can be kept"
              .formatted(value.length, Limits.TASK_BYTES),
          true);
    }
    return new Report.Done(attempt.token(), value == null ? Task.NO_VALUE : value);
  }

  private static String text(Throwable e) {
    String message = e.getMessage();
    String text =
        message == null ? e.getClass().getName() : e.getClass().getName() + ": " + message;
    return cut(text, ERROR_MAX);
  }

  private static String cut(String text, int max) {
    return text.length() > max ? text.substring(0, max) : text;
  }

  /** The handler is through; told once, whatever comes later. */
  void finish(Report report) {
    Report told = report;
    synchronized (this) {
      if (isThrough) {
        return;
      }
      isThrough = true;
      if (stop == Stop.TIMED_OUT) {
        told =
            new Report.Threw(
                attempt.token(),
                "took longer than %,d ms".formatted(entry.skill().timeoutMillis()),
                false);
      } else if (stop != null && report instanceof Report.Threw) {
        told = new Report.GivenBack(attempt.token(), true);
      }
    }
    callOff.run();
    owner.through(this, told);
  }

  /** It is not wanted any more; its thread is interrupted. */
  synchronized void stop(Stop why) {
    if (stop == null || why == Stop.REVOKED) {
      stop = why;
    }
    isCancelled = true;
    if (thread != null) {
      thread.interrupt();
    }
  }

  /** What is to be told of it; null if there is nothing new. Told from now on. */
  synchronized Report.@Nullable Progress takeProgress() {
    if (isThrough || isTold) {
      return null;
    }
    isTold = true;
    return progress == null ? new Report.Progress(attempt.token(), 0, "") : progress;
  }

  /** Has the cluster told, once, that it runs, though its handler says nothing. */
  synchronized void toBeTold() {
    isTold = false;
  }

  @Override
  public TaskId id() {
    return new TaskId(task.id());
  }

  @Override
  public String type() {
    return task.work().type();
  }

  @Override
  public byte[] payload() {
    return task.work().payload();
  }

  @Override
  public int attempt() {
    return attempt.attempt();
  }

  @Override
  public Fence fence() {
    String key = task.work().orderingKey();
    return new Fence(
        key == null ? "task/" + task.id() : "task/%s:%s".formatted(type(), key), attempt.token());
  }

  @Override
  public @Nullable Instant scheduledFor() {
    return task.work().schedule() == null ? null : Instant.ofEpochMilli(task.work().notBefore());
  }

  @Override
  public @Nullable Instant deadline() {
    long deadline = task.work().deadline();
    return deadline == 0 ? null : Instant.ofEpochMilli(deadline);
  }

  @Override
  public boolean isCancelled() {
    return isCancelled;
  }

  @Override
  public synchronized void progress(double done, String note) {
    if (!(done >= 0 && done <= 1)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "a progress of %s: use 0 to 1", done));
    }
    progress =
        new Report.Progress(attempt.token(), (int) Math.round(done * 1000), cut(note, NOTE_MAX));
    isTold = false;
  }
}
