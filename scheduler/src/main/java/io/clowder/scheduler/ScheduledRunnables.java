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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
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
 * other nodes may have the service still. Changed properties count at once, and what runs goes on.
 * Of several with one name on a node one is scheduled; another one is when it is changed or
 * registered after that has gone.
 */
@Component(
    service = {},
    immediate = true)
public final class ScheduledRunnables
    implements ServiceTrackerCustomizer<Runnable, ScheduledRunnables.Tracked>, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ScheduledRunnables.class);
  private static final String EXPRESSION = "scheduler.expression";
  private static final String PERIOD = "scheduler.period";
  private static final Duration AGAIN = Duration.ofSeconds(2);

  /** A service; guarded by itself, as it may be changed and go at a time. */
  static final class Tracked {
    private @Nullable Job job;
    private boolean isOver;
  }

  /** A service as a task. */
  private static final class Job {
    private final ServiceRegistration<TaskHandler> handler;
    private final Wanted wanted;
    private volatile boolean isGone;

    Job(ServiceRegistration<TaskHandler> handler, Wanted wanted) {
      this.handler = handler;
      this.wanted = wanted;
    }
  }

  /** {@code isOwn}: the schedule is this node's alone, and ends with the service. */
  private record Wanted(String name, Trigger trigger, boolean isOwn) {}

  private final BundleContext context;
  private final Node node;
  private final TaskScheduler scheduler;
  private final TaskAdmin admin;
  private final Timer timer = new ThreadTimer("clowder-runnables");
  private final Set<String> names = ConcurrentHashMap.newKeySet();
  private final ServiceTracker<Runnable, Tracked> tracker;

  /**
   * The last change of each schedule that is on its way: one after the other, as a service that
   * comes back is not to lose its schedule to its leaving.
   */
  private final Map<String, CompletionStage<?>> changes = new HashMap<>();

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
  public @Nullable Tracked addingService(ServiceReference<Runnable> reference) {
    Tracked tracked = new Tracked();
    tracked.job = begin(reference);
    return tracked.job == null ? null : tracked;
  }

  private @Nullable Job begin(ServiceReference<Runnable> reference) {
    Runnable runnable = context.getService(reference);
    if (runnable == null) {
      return null;
    }
    Wanted wanted = wanted(reference, runnable);
    if (wanted == null || !names.add(wanted.name)) {
      if (wanted != null) {
        LOG.warn("{} is not scheduled: another one here is called {}", reference, wanted.name);
      }
      context.ungetService(reference);
      return null;
    }
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
                FrameworkUtil.asDictionary(Map.of(TaskHandler.TYPE, wanted.name))),
            wanted);
    make(job);
    return job;
  }

  /** What its properties say; null, and said so, if that makes no sense, or is not for here. */
  private @Nullable Wanted wanted(ServiceReference<Runnable> reference, Runnable runnable) {
    List<String> runOn = StringPlus.of(reference.getProperty("scheduler.runOn"));
    boolean isOne = runOn.contains("SINGLE") || runOn.contains("LEADER");
    if (!isOne && !runOn.isEmpty() && !runOn.contains(node.id().value())) {
      return null;
    }
    try {
      String name = "runnable/" + name(reference, runnable, isOne);
      return new Wanted(isOne ? name : name + "/" + node.id(), trigger(reference), !isOne);
    } catch (IllegalArgumentException e) {
      LOG.warn("{} is not scheduled: {}", reference, e.getMessage());
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

  private synchronized void then(String name, Supplier<CompletionStage<?>> change) {
    CompletionStage<?> next =
        changes
            .getOrDefault(name, CompletableFuture.completedStage(null))
            .handle((done, failure) -> null)
            .thenCompose(before -> change.get());
    changes.put(name, next);
    next.whenComplete((done, failure) -> forget(name, next));
  }

  private synchronized void forget(String name, CompletionStage<?> change) {
    changes.remove(name, change);
  }

  private void make(Job job) {
    then(job.wanted.name, () -> job.isGone ? CompletableFuture.completedStage(null) : made(job));
  }

  /** Makes the schedule unless it is there as it should be: it goes on then, paused or not. */
  private CompletionStage<?> made(Job job) {
    Wanted wanted = job.wanted;
    Schedule schedule =
        Schedule.of(
                wanted.name,
                wanted.trigger,
                TaskRequest.of(wanted.name, new byte[0]).withRetry(Retry.NEVER))
            .withMisfire(Schedule.Misfire.SKIP, 1);
    return admin
        .schedule(wanted.name)
        .thenCompose(
            found ->
                found != null && found.schedule().trigger().equals(wanted.trigger)
                    ? CompletableFuture.completedStage(false)
                    : scheduler.schedule(schedule))
        .whenComplete(
            (made, failure) -> {
              if (failure != null) {
                CoordinationException cause = Asking.cause(failure);
                LOG.warn("schedule {} is not made: {}", wanted.name, cause.getMessage());
                if (cause.reason() != CoordinationException.Reason.INVALID) {
                  timer.after(AGAIN, () -> make(job));
                }
              }
            });
  }

  @Override
  public void modifiedService(ServiceReference<Runnable> reference, Tracked tracked) {
    synchronized (tracked) {
      Runnable runnable = tracked.isOver ? null : context.getService(reference);
      if (runnable == null) {
        return; // It goes.
      }
      Job before = tracked.job;
      Wanted wanted = wanted(reference, runnable);
      if (before == null || wanted == null || !wanted.name.equals(before.wanted.name)) {
        end(reference, before);
        tracked.job = begin(reference);
      } else if (!wanted.equals(before.wanted)) {
        before.isGone = true;
        Job changed = new Job(before.handler, wanted);
        tracked.job = changed;
        make(changed);
      }
      context.ungetService(reference);
    }
  }

  @Override
  public void removedService(ServiceReference<Runnable> reference, Tracked tracked) {
    synchronized (tracked) {
      tracked.isOver = true;
      end(reference, tracked.job);
    }
  }

  private void end(ServiceReference<Runnable> reference, @Nullable Job job) {
    if (job == null) {
      return;
    }
    job.isGone = true;
    job.handler.unregister();
    names.remove(job.wanted.name);
    if (job.wanted.isOwn) {
      then(job.wanted.name, () -> ended(job.wanted.name));
    }
    context.ungetService(reference);
  }

  private CompletionStage<?> ended(String name) {
    return scheduler
        .unschedule(name)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                LOG.warn("schedule {} may be left: {}", name, Asking.cause(failure).getMessage());
              }
            });
  }

  /** Runs no more of them here. */
  @Deactivate
  @Override
  public void close() {
    tracker.close();
    timer.close();
  }
}
