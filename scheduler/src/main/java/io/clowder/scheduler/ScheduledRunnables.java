// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.Node;
import io.clowder.api.runtime.StringPlus;
import io.clowder.api.runtime.ThreadTimer;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Runnable} services that say by their properties when they run, as those of Sling's Commons
 * Scheduler and of Karaf do: {@code scheduler.expression} or {@code scheduler.period} (seconds),
 * {@code scheduler.name}, {@code scheduler.concurrent}, {@code scheduler.runOn}. One of them runs
 * on each node that has it; with {@code SINGLE} or {@code LEADER} each instant is one node's,
 * whichever has a slot free; with names of nodes, theirs.
 *
 * <p>A node's own schedule ends with its service; that of all stays until somebody removes it, as
 * other nodes may have the service still.
 */
@Component(
    service = {},
    immediate = true)
public final class ScheduledRunnables
    implements ServiceTrackerCustomizer<Runnable, ScheduledRunnables.Job>, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ScheduledRunnables.class);
  private static final String EXPRESSION = "scheduler.expression";
  private static final String PERIOD = "scheduler.period";
  private static final Duration AGAIN = Duration.ofSeconds(2);

  /** A service as a task. */
  static final class Job {
    private final ServiceRegistration<TaskHandler> handler;
    private final String name;
    private final boolean isOwn;
    private volatile boolean isGone;

    /** {@code isOwn}: the schedule is this node's alone, and ends with the service. */
    Job(ServiceRegistration<TaskHandler> handler, String name, boolean isOwn) {
      this.handler = handler;
      this.name = name;
      this.isOwn = isOwn;
    }
  }

  private final BundleContext context;
  private final Node node;
  private final TaskScheduler scheduler;
  private final TaskAdmin admin;
  private final Timer timer = new ThreadTimer("clowder-runnables");
  private final Set<String> names = ConcurrentHashMap.newKeySet();
  private final ServiceTracker<Runnable, Job> tracker;

  /** The component. */
  @Activate
  public ScheduledRunnables(
      BundleContext context,
      @Reference(name = "node") Node node,
      @Reference(name = "scheduler") TaskScheduler scheduler,
      @Reference(name = "admin") TaskAdmin admin) {
    this.context = context;
    this.node = node;
    this.scheduler = scheduler;
    this.admin = admin;
    try {
      this.tracker =
          new ServiceTracker<>(
              context,
              context.createFilter(
                  "(&(objectClass=%s)(|(%s=*)(%s=*)))"
                      .formatted(Runnable.class.getName(), EXPRESSION, PERIOD)),
              this);
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("these names have no brackets", e);
    }
    tracker.open();
  }

  @Override
  public @Nullable Job addingService(ServiceReference<Runnable> reference) {
    List<String> runOn = StringPlus.of(reference.getProperty("scheduler.runOn"));
    boolean isOne = runOn.contains("SINGLE") || runOn.contains("LEADER");
    if (!isOne && !runOn.isEmpty() && !runOn.contains(node.id().value())) {
      return null;
    }
    Runnable runnable = context.getService(reference);
    if (runnable == null) {
      return null;
    }
    try {
      Trigger trigger = trigger(reference);
      String name = "runnable/" + name(reference, runnable, isOne);
      String its = isOne ? name : name + "/" + node.id();
      if (!names.add(its)) {
        throw new IllegalArgumentException("another one on this node has the name " + its);
      }
      Schedule schedule =
          Schedule.of(its, trigger, TaskRequest.of(its, new byte[0]).withRetry(Retry.NEVER))
              .withMisfire(Schedule.Misfire.SKIP, 1);
      TaskHandler handler =
          task -> {
            runnable.run();
            return new byte[0];
          };
      Job job =
          new Job(
              context.registerService(
                  TaskHandler.class,
                  handler,
                  FrameworkUtil.asDictionary(Map.of(TaskHandler.TYPE, its))),
              its,
              !isOne);
      make(schedule, job);
      return job;
    } catch (IllegalArgumentException e) {
      LOG.warn("{} is not scheduled: {}", reference, e.getMessage());
      context.ungetService(reference);
      return null;
    }
  }

  private static Trigger trigger(ServiceReference<Runnable> reference) {
    Object expression = reference.getProperty(EXPRESSION);
    if (expression != null) {
      CronTimes.parsed(String.valueOf(expression));
      return new Trigger.Cron(String.valueOf(expression), ZoneId.systemDefault());
    }
    String period = String.valueOf(reference.getProperty(PERIOD));
    if (!period.matches("\\d{1,9}")) {
      throw new IllegalArgumentException(PERIOD + " is '" + period + "': use seconds, 1 or more");
    }
    // The same instants, whichever node says it.
    return new Trigger.FixedRate(Instant.EPOCH, Duration.ofSeconds(Long.parseLong(period)));
  }

  private static String name(
      ServiceReference<Runnable> reference, Runnable runnable, boolean isNamed) {
    Object name = reference.getProperty("scheduler.name");
    if (name == null && (isNamed || runnable.getClass().isHidden())) {
      // What a class is called differs from one start to the next, or from one node to another.
      throw new IllegalArgumentException("it needs a scheduler.name");
    }
    String text = name == null ? runnable.getClass().getName() : String.valueOf(name);
    String plain = text.replaceAll("[^A-Za-z0-9._-]", "_");
    return plain.length() > 64 ? plain.substring(plain.length() - 64) : plain;
  }

  /** Makes the schedule unless it is there as it should be: it goes on then, paused or not. */
  private void make(Schedule schedule, Job job) {
    if (job.isGone) {
      return;
    }
    admin
        .schedule(schedule.name())
        .thenCompose(
            found ->
                found != null && found.schedule().trigger().equals(schedule.trigger())
                    ? CompletableFuture.completedStage(false)
                    : scheduler.schedule(schedule))
        .whenComplete((made, failure) -> made(schedule, job, failure));
  }

  private void made(Schedule schedule, Job job, @Nullable Throwable failure) {
    if (failure == null) {
      if (job.isGone) {
        end(job); // Its service went while this was on its way.
      }
      return;
    }
    CoordinationException cause = Asking.cause(failure);
    LOG.warn("schedule {} is not made: {}", schedule.name(), cause.getMessage());
    if (cause.reason() != CoordinationException.Reason.INVALID) {
      timer.after(AGAIN, () -> make(schedule, job));
    }
  }

  @Override
  public void modifiedService(ServiceReference<Runnable> reference, Job job) {
    // Its properties say when it runs: a changed one is seen when it is registered anew.
    LOG.info("{} was changed: that counts when it is registered again", reference);
  }

  @Override
  public void removedService(ServiceReference<Runnable> reference, Job job) {
    job.isGone = true;
    job.handler.unregister();
    names.remove(job.name);
    end(job);
    context.ungetService(reference);
  }

  private void end(Job job) {
    if (job.isOwn) {
      scheduler
          .unschedule(job.name)
          .whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  LOG.warn(
                      "schedule {} may be left: {}", job.name, Asking.cause(failure).getMessage());
                }
              });
    }
  }

  /** Runs no more of them here. */
  @Deactivate
  @Override
  public void close() {
    tracker.close();
    timer.close();
  }
}
