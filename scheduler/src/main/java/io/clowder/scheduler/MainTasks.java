// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureListener;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.runtime.ThreadTimer;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskScheduler;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The tasks of the group {@code main}, which are there without any configuration: gives consensus
 * the machine, offers what it answers with as {@link TaskScheduler} and {@link TaskAdmin}, and runs
 * this node's handlers.
 */
@Component(
    service = FailureListener.class,
    immediate = true,
    configurationPid = SchedulerSetting.PID)
@Designate(ocd = MainTasks.Config.class)
public final class MainTasks
    implements FailureListener, ServiceTrackerCustomizer<ConsensusService, MainTasks.Offer> {
  private static final String GROUP = "main";
  private static final String MACHINE = "task";

  /** The configuration of tasks on this node; a change of any key starts them anew here. */
  @ObjectClassDefinition(name = "Clowder tasks", description = "Tasks that the cluster runs")
  public @interface Config {
    /** How many tasks run on this node at a time. */
    @AttributeDefinition(
        name = "Slots",
        description = "How many tasks run on this node at a time, 0 to 10000; 0 for none",
        min = "0",
        max = "10000")
    int slots() default 32;

    /** What this node has that tasks may want. */
    @AttributeDefinition(
        name = "Labels",
        description = "What this node has that tasks may want, NAME=VALUE each")
    String[] labels() default {};

    /** How long the group may take to answer, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description = "How long the group may take to answer, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;

    /** How many tasks that are not over there may be when this node submits one. */
    @AttributeDefinition(
        name = "Queue",
        description =
            "How many tasks that are not over there may be in the cluster when this node submits"
                + " one, 1 to 1000000; one more is refused",
        min = "1",
        max = "1000000")
    int queue_max() default 1_000_000;

    /** After how many seconds a waiting task goes before those with one priority more. */
    @AttributeDefinition(
        name = "Aging",
        description =
            "After how many seconds a waiting task of this node goes before newer ones with one"
                + " priority more, 1 to 86400",
        min = "1",
        max = "86400")
    int aging_seconds() default 30;

    /** How long running tasks are let end when their handler, or the scheduler, stops here. */
    @AttributeDefinition(
        name = "Drain",
        description =
            "How many seconds running tasks are let end when their handler, or the scheduler, stops"
                + " on this node, 0 to 600; then they are interrupted and run elsewhere",
        min = "0",
        max = "600")
    int drain_seconds() default 10;
  }

  /** What is offered while the runtime answers. */
  record Offer(ReplicatedScheduler scheduler, List<ServiceRegistration<?>> registrations) {}

  private final BundleContext context;
  private final Node node;
  private final SchedulerSetting setting;
  private final TaskMachine machine = new TaskMachine();
  private final ExecutorService threads;
  private final ServiceRegistration<StateMachine> registration;
  private final ServiceTracker<ConsensusService, Offer> tracker;
  private final ServiceTracker<TaskHandler, Roster.Entry> handlers;
  private final Map<ServiceReference<TaskHandler>, Roster.Entry> entries = new LinkedHashMap<>();
  private final Map<NodeId, FailureEvent> suspected = new HashMap<>();
  private @Nullable ReplicatedScheduler scheduler;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public MainTasks(BundleContext context, @Reference(name = "node") Node node, Config config) {
    this.context = context;
    this.node = node;
    this.setting =
        new SchedulerSetting(
            config.slots(),
            SchedulerSetting.labels(config.labels()),
            Duration.ofMillis(config.timeout_millis()),
            config.queue_max(),
            Duration.ofSeconds(config.aging_seconds()),
            Duration.ofSeconds(config.drain_seconds()));
    AtomicInteger count = new AtomicInteger();
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "clowder-task-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    this.registration =
        context.registerService(
            StateMachine.class,
            machine,
            FrameworkUtil.asDictionary(
                Map.of(StateMachine.GROUP, GROUP, StateMachine.MACHINE, MACHINE)));
    this.handlers = new ServiceTracker<>(context, TaskHandler.class, new Handlers());
    handlers.open();
    try {
      this.tracker =
          new ServiceTracker<>(
              context, context.createFilter(ConsensusService.filter(GROUP, MACHINE)), this);
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("a name has no brackets", e);
    }
    tracker.open();
  }

  // ---- consensus -------------------------------------------------------------------------------

  @Override
  public @Nullable Offer addingService(ServiceReference<ConsensusService> reference) {
    ConsensusService consensus = context.getService(reference);
    if (consensus == null) {
      return null;
    }
    ReplicatedScheduler made =
        new ReplicatedScheduler(
            consensus,
            machine,
            node.id(),
            setting,
            new ThreadTimer("clowder-scheduler"),
            run -> threads.execute(run::execute),
            new SecureRandom().nextLong());
    synchronized (this) {
      scheduler = made;
      entries.values().forEach(made::add);
    }
    made.start();
    synchronized (this) {
      suspected.values().forEach(made::happened);
    }
    Map<String, Object> properties = properties(reference);
    return new Offer(
        made,
        List.of(
            context.registerService(
                TaskScheduler.class, made, FrameworkUtil.asDictionary(properties)),
            context.registerService(TaskAdmin.class, made, FrameworkUtil.asDictionary(properties)),
            context.registerService(
                ScheduledExecutorService.class,
                new ForBundles(made),
                FrameworkUtil.asDictionary(properties))));
  }

  @Override
  public void modifiedService(ServiceReference<ConsensusService> reference, Offer offer) {
    offer
        .registrations()
        .forEach(it -> it.setProperties(FrameworkUtil.asDictionary(properties(reference))));
  }

  @Override
  public void removedService(ServiceReference<ConsensusService> reference, Offer offer) {
    offer.registrations().forEach(ServiceRegistration::unregister);
    synchronized (this) {
      scheduler = null;
    }
    offer.scheduler().close();
    context.ungetService(reference);
  }

  private static Map<String, Object> properties(ServiceReference<ConsensusService> reference) {
    return Map.of(
        StateMachine.GROUP,
        GROUP,
        ConsensusProtocol.PROTOCOL,
        String.valueOf(reference.getProperty(ConsensusProtocol.PROTOCOL)));
  }

  /** Each bundle's executor: shut down when the bundle stops or gives the service back. */
  private record ForBundles(ReplicatedScheduler scheduler)
      implements ServiceFactory<ScheduledExecutorService> {
    @Override
    public ScheduledExecutorService getService(
        Bundle bundle, ServiceRegistration<ScheduledExecutorService> registration) {
      return scheduler.executor();
    }

    @Override
    public void ungetService(
        Bundle bundle,
        ServiceRegistration<ScheduledExecutorService> registration,
        ScheduledExecutorService service) {
      service.shutdownNow();
    }
  }

  // ---- who fails -------------------------------------------------------------------------------

  @Override
  public void happened(FailureEvent event) {
    ReplicatedScheduler present;
    synchronized (this) {
      if (event.kind() == FailureEvent.Kind.SUSPECT) {
        suspected.put(event.node(), event);
      } else {
        suspected.remove(event.node());
      }
      present = scheduler;
    }
    if (present != null) {
      present.happened(event);
    }
  }

  // ---- handlers --------------------------------------------------------------------------------

  private final class Handlers implements ServiceTrackerCustomizer<TaskHandler, Roster.Entry> {
    @Override
    public Roster.@Nullable Entry addingService(ServiceReference<TaskHandler> reference) {
      Roster.Entry entry = Whiteboard.entry(context, reference);
      if (entry != null) {
        add(reference, entry);
      }
      return entry;
    }

    private void add(ServiceReference<TaskHandler> reference, Roster.Entry entry) {
      ReplicatedScheduler present;
      synchronized (MainTasks.this) {
        entries.put(reference, entry);
        present = scheduler;
      }
      if (present != null) {
        present.add(entry);
      }
    }

    @Override
    public void modifiedService(ServiceReference<TaskHandler> reference, Roster.Entry entry) {
      // What it runs goes on elsewhere: nobody can say what it means under other properties.
      Roster.Entry changed = Whiteboard.entry(context, reference);
      if (remove(reference, Duration.ZERO)) {
        context.ungetService(reference);
      }
      if (changed != null) {
        add(reference, changed);
      }
    }

    @Override
    public void removedService(ServiceReference<TaskHandler> reference, Roster.Entry entry) {
      if (remove(reference, setting.drain())) {
        context.ungetService(reference);
      }
    }

    /** Whether it was used. */
    private boolean remove(ServiceReference<TaskHandler> reference, Duration drain) {
      Roster.Entry entry;
      ReplicatedScheduler present;
      synchronized (MainTasks.this) {
        entry = entries.remove(reference);
        present = scheduler;
      }
      if (entry != null && present != null) {
        present.remove(entry, drain);
      }
      return entry != null;
    }
  }

  /** Lets end what runs, and gives back the rest. */
  @Deactivate
  public void close() {
    tracker.close();
    registration.unregister();
    handlers.close();
    threads.shutdownNow();
  }
}
