// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The executor that a bundle sees. What it is given runs on this node, in the slots that all tasks
 * share, and is seen in {@code task:list} while it waits and runs.
 *
 * <p>Unlike others: a periodic task that throws goes on with its next time, as what fails once in a
 * cluster is no reason to be silent for ever; and of a fixed rate the times that a run has overrun
 * are passed over, instead of made up for.
 */
final class ClusterExecutor extends AbstractExecutorService implements ScheduledExecutorService {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterExecutor.class);

  private final LocalTasks local;
  private final Set<Job<?>> jobs = new HashSet<>();
  private boolean isShut;

  ClusterExecutor(LocalTasks local) {
    this.local = local;
  }

  /** Something that runs once, or again and again. */
  private final class Job<V> extends FutureTask<V>
      implements ScheduledFuture<V>, RunnableFuture<V>, LocalTasks.Then {
    /** From one time to the next if positive; if negative, from one's end; 0 for once. */
    private final long periodNanos;

    private volatile Instant time;
    private volatile @Nullable TaskId id;

    Job(Callable<V> callable, Instant time, long periodNanos) {
      super(callable);
      this.time = time;
      this.periodNanos = periodNanos;
    }

    /** What the slot runs. */
    private void perform() {
      if (periodNanos == 0) {
        super.run();
      } else {
        performAgain();
      }
    }

    private void performAgain() {
      try {
        // Leaves the future as it is if all went well.
        if (!runAndReset() && !isDone()) {
          LOG.warn("a periodic task stops");
        }
      } finally {
        plan();
      }
    }

    private void plan() {
      Instant now = local.now();
      Instant next = time.plusNanos(periodNanos);
      if (periodNanos < 0) {
        next = now.plusNanos(-periodNanos);
      } else if (next.isBefore(now)) {
        long passed = Duration.between(next, now).toNanos() / periodNanos + 1;
        next = next.plusNanos(passed * periodNanos);
      }
      time = next;
      if (!isDone() && !isShutdown()) {
        local.submit(this::perform, next, this);
      }
    }

    @Override
    public void taken(TaskId its) {
      id = its;
      if (isCancelled()) {
        var unused = local.cancel(its);
      }
    }

    @Override
    public void ended(
        @Nullable TaskResult result, @Nullable Throwable failure, boolean neverBegun) {
      if (!neverBegun) {
        return; // What it does here is what counts.
      } else if (periodNanos != 0) {
        plan();
      } else if (failure != null) {
        setException(new RejectedExecutionException(Asking.cause(failure)));
      } else {
        setException(
            new RejectedExecutionException(result == null ? "it is gone" : result.error()));
      }
    }

    @Override
    protected void done() {
      synchronized (jobs) {
        jobs.remove(this);
        jobs.notifyAll();
      }
      TaskId its = id;
      if (isCancelled() && its != null) {
        var unused = local.cancel(its);
      }
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(Duration.between(local.now(), time));
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  private <V> Job<V> begin(Callable<V> callable, long delayNanos, long periodNanos) {
    Instant now = local.now();
    Instant time = delayNanos > 0 ? now.plusNanos(delayNanos) : now;
    Job<V> job = new Job<>(callable, time, periodNanos);
    synchronized (jobs) {
      if (isShut) {
        throw new RejectedExecutionException("the executor is shut down");
      }
      jobs.add(job);
    }
    local.submit(job::perform, delayNanos > 0 ? time : null, job);
    return job;
  }

  @Override
  public void execute(Runnable command) {
    var unused = begin(Executors.callable(command), 0, 0);
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return begin(Executors.callable(command), unit.toNanos(delay), 0);
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    return begin(callable, unit.toNanos(delay), 0);
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return begin(guarded(command), unit.toNanos(initialDelay), positive(period, unit));
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    return begin(guarded(command), unit.toNanos(initialDelay), -positive(delay, unit));
  }

  private static long positive(long period, TimeUnit unit) {
    if (period <= 0) {
      throw new IllegalArgumentException("a period of " + period + " " + unit);
    }
    return unit.toNanos(period);
  }

  /** One failure does not end it. */
  private static Callable<@Nullable Void> guarded(Runnable command) {
    return () -> {
      try {
        command.run();
      } catch (RuntimeException e) {
        LOG.warn("a periodic task failed; its next time comes", e);
      }
      return null;
    };
  }

  @Override
  public void shutdown() {
    synchronized (jobs) {
      isShut = true;
      jobs.notifyAll();
    }
    // As in the JDK: periodic ones end, others that wait are still run.
    List<Job<?>> periodic;
    synchronized (jobs) {
      periodic = jobs.stream().filter(job -> job.periodNanos != 0).toList();
    }
    periodic.forEach(job -> job.cancel(false));
  }

  @Override
  public List<Runnable> shutdownNow() {
    List<Runnable> rest;
    synchronized (jobs) {
      isShut = true;
      rest = new ArrayList<>(jobs);
    }
    rest.forEach(job -> ((Job<?>) job).cancel(true));
    return rest;
  }

  @Override
  public boolean isShutdown() {
    synchronized (jobs) {
      return isShut;
    }
  }

  @Override
  public boolean isTerminated() {
    synchronized (jobs) {
      return isShut && jobs.isEmpty();
    }
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    long until = System.nanoTime() + unit.toNanos(timeout);
    synchronized (jobs) {
      while (!isShut || !jobs.isEmpty()) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          return false;
        }
        jobs.wait(left);
      }
      return true;
    }
  }
}
