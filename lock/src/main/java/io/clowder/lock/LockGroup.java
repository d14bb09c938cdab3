// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.lock.FenceGate;
import io.clowder.api.lock.LockListener;
import io.clowder.api.lock.LockService;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.runtime.StringPlus;
import io.clowder.api.runtime.ThreadTimer;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The locks of one group on this node: gives the runtime the table, and whenever the runtime
 * answers for it, offers each bundle its {@link LockService}. Consumers choose by its properties
 * {@code consensus.group} and {@code consensus.protocol}, which follow the group when it goes on
 * under another protocol.
 *
 * <p>Not a component, whose references cannot be told by configuration which group they mean
 * without a filter for each.
 */
final class LockGroup
    implements ServiceTrackerCustomizer<ConsensusService, LockGroup.Offer>, AutoCloseable {
  /** What is offered while the runtime answers. */
  record Offer(ReplicatedLocks locks, List<ServiceRegistration<?>> registrations) {}

  private static final String MACHINE = "lock";

  private final BundleContext context;
  private final NodeId node;
  private final String group;
  private final LockSetting setting;
  private final LockTable table = new LockTable();
  private final LockEvents history;
  private final ExecutorService listening;
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, Offer> tracker;
  private final ServiceTracker<LockListener, LockListener> listeners;

  /** Begins. */
  LockGroup(BundleContext context, NodeId node, String group, LockSetting setting) {
    if (!group.matches("[a-z0-9][a-z0-9-]{0,31}")) {
      throw new IllegalArgumentException(
          "consensus.group is '" + group + "': use 1 to 32 of a-z, 0-9 and '-'");
    }
    this.context = context;
    this.node = node;
    this.group = group;
    this.setting = setting;
    // What happens after the end is nobody's business, and must not hurt the replica.
    this.listening =
        new ThreadPoolExecutor(
            0,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "clowder-lock-listeners");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    this.history = new LockEvents(setting.historySize(), listening);
    table.add(history);
    this.listeners = new ServiceTracker<>(context, LockListener.class, new Listeners());
    listeners.open();
    this.machine =
        context.registerService(
            StateMachine.class,
            table,
            FrameworkUtil.asDictionary(
                Map.of(StateMachine.GROUP, group, StateMachine.MACHINE, MACHINE)));
    try {
      this.tracker =
          new ServiceTracker<>(
              context, context.createFilter(ConsensusService.filter(group, MACHINE)), this);
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("a name has no brackets", e);
    }
    tracker.open();
  }

  @Override
  public @Nullable Offer addingService(ServiceReference<ConsensusService> reference) {
    ConsensusService consensus = context.getService(reference);
    if (consensus == null) {
      return null;
    }
    ReplicatedLocks locks =
        new ReplicatedLocks(
            consensus,
            table,
            history,
            node,
            setting,
            new SecureRandom().nextLong() | 1,
            new ThreadTimer("clowder-lock"));
    Map<String, Object> properties = properties(reference);
    return new Offer(
        locks,
        List.of(
            context.registerService(
                LockService.class, new ForBundles(locks), FrameworkUtil.asDictionary(properties)),
            context.registerService(
                FenceGate.class, locks, FrameworkUtil.asDictionary(properties))));
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
    offer.locks().deactivate();
    context.ungetService(reference);
  }

  private Map<String, Object> properties(ServiceReference<ConsensusService> reference) {
    return Map.of(
        StateMachine.GROUP,
        group,
        ConsensusProtocol.PROTOCOL,
        String.valueOf(reference.getProperty(ConsensusProtocol.PROTOCOL)));
  }

  /** Lets go of all locks while the group can still hear of it, then takes the table back. */
  @Override
  public void close() {
    tracker.close();
    machine.unregister();
    listeners.close();
    table.remove(history);
    listening.shutdown();
  }

  /** Each bundle's locks: released when the bundle stops or gives the service back. */
  private record ForBundles(ReplicatedLocks locks) implements ServiceFactory<LockService> {
    @Override
    public LockService getService(Bundle bundle, ServiceRegistration<LockService> registration) {
      String name = bundle.getSymbolicName();
      return locks.enter(name == null ? "bundle " + bundle.getBundleId() : name);
    }

    @Override
    public void ungetService(
        Bundle bundle, ServiceRegistration<LockService> registration, LockService service) {
      ((BundleLocks) service).close();
    }
  }

  /** Whoever wants to hear of this group's locks. */
  private final class Listeners implements ServiceTrackerCustomizer<LockListener, LockListener> {
    @Override
    public @Nullable LockListener addingService(ServiceReference<LockListener> reference) {
      Object of = reference.getProperty(LockListener.GROUP);
      if (!group.equals(of == null ? "main" : of)) {
        return null;
      }
      LockListener listener = context.getService(reference);
      if (listener != null) {
        history.add(reference, listener, names(reference.getProperty(LockListener.NAME)));
      }
      return listener;
    }

    @Override
    public void modifiedService(ServiceReference<LockListener> reference, LockListener listener) {
      history.add(reference, listener, names(reference.getProperty(LockListener.NAME)));
    }

    @Override
    public void removedService(ServiceReference<LockListener> reference, LockListener listener) {
      history.remove(reference);
      context.ungetService(reference);
    }
  }

  /** What a listener's property says: a string or several, {@code *} for any characters. */
  static Predicate<String> names(@Nullable Object property) {
    if (property == null) {
      return name -> true;
    }
    String pattern =
        StringPlus.of(property).stream()
            .map(
                name ->
                    Stream.of(name.split("\\*", -1))
                        .map(Pattern::quote)
                        .collect(Collectors.joining(".*")))
            .collect(Collectors.joining("|"));
    return Pattern.compile(pattern, Pattern.DOTALL).asMatchPredicate();
  }
}
