// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.kv.KvStore;
import io.clowder.api.protocol.ConsensusProtocol;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The map of one group on this node: gives the runtime the machine, and whenever the runtime
 * answers for it, offers the {@link KvStore}. Consumers choose by its properties {@code
 * consensus.group} and {@code consensus.protocol}, which follow the group when it goes on under
 * another protocol.
 *
 * <p>Not a component, whose references cannot be told by configuration which group they mean
 * without a filter for each.
 */
final class KvGroup
    implements ServiceTrackerCustomizer<ConsensusService, ServiceRegistration<KvStore>>,
        AutoCloseable {
  private static final String MACHINE = "kv";

  private final BundleContext context;
  private final String group;
  private final Duration timeout;
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, ServiceRegistration<KvStore>> tracker;

  /**
   * Begins.
   *
   * @param timeout of every call, 1 ms to 10 minutes
   */
  KvGroup(BundleContext context, String group, Duration timeout) {
    if (!group.matches("[a-z0-9][a-z0-9-]{0,31}")) {
      throw new IllegalArgumentException(
          "consensus.group is '" + group + "': use 1 to 32 of a-z, 0-9 and '-'");
    }
    this.context = context;
    this.group = group;
    this.timeout = ReplicatedKv.checked(timeout);
    this.machine =
        context.registerService(
            StateMachine.class,
            new KvMachine(),
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
  public @Nullable ServiceRegistration<KvStore> addingService(
      ServiceReference<ConsensusService> reference) {
    ConsensusService consensus = context.getService(reference);
    if (consensus == null) {
      return null;
    }
    return context.registerService(
        KvStore.class,
        new ReplicatedKv(consensus, timeout),
        FrameworkUtil.asDictionary(properties(reference)));
  }

  @Override
  public void modifiedService(
      ServiceReference<ConsensusService> reference, ServiceRegistration<KvStore> offer) {
    offer.setProperties(FrameworkUtil.asDictionary(properties(reference)));
  }

  @Override
  public void removedService(
      ServiceReference<ConsensusService> reference, ServiceRegistration<KvStore> offer) {
    offer.unregister();
    context.ungetService(reference);
  }

  private Map<String, Object> properties(ServiceReference<ConsensusService> reference) {
    return Map.of(
        StateMachine.GROUP,
        group,
        ConsensusProtocol.PROTOCOL,
        String.valueOf(reference.getProperty(ConsensusProtocol.PROTOCOL)));
  }

  /** Takes the map back, then the machine. */
  @Override
  public void close() {
    tracker.close();
    machine.unregister();
  }
}
