// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.lock.LockService;
import io.clowder.api.protocol.ConsensusProtocol;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The locks of one group on this node: gives the runtime the table, and whenever the runtime
 * answers for it, offers the {@link LockService}. Consumers choose by its properties {@code
 * consensus.group} and {@code consensus.protocol}, which follow the group when it goes on under
 * another protocol.
 *
 * <p>Not a component, whose references cannot be told by configuration which group they mean
 * without a filter for each.
 */
final class LockGroup
    implements ServiceTrackerCustomizer<ConsensusService, LockGroup.Offer>, AutoCloseable {
  /** What is offered while the runtime answers. */
  record Offer(ReplicatedLocks locks, ServiceRegistration<LockService> registration) {}

  private static final String MACHINE = "lock";

  private final BundleContext context;
  private final NodeId node;
  private final String group;
  private final Duration timeout;
  private final LockTable table = new LockTable();
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, Offer> tracker;

  /**
   * Begins.
   *
   * @param timeout for answers of the group, 1 ms to 10 minutes
   */
  LockGroup(BundleContext context, NodeId node, String group, Duration timeout) {
    if (!group.matches("[a-z0-9][a-z0-9-]{0,31}")) {
      throw new IllegalArgumentException(
          "consensus.group is '" + group + "': use 1 to 32 of a-z, 0-9 and '-'");
    }
    this.context = context;
    this.node = node;
    this.group = group;
    this.timeout = ReplicatedLocks.checked(timeout);
    this.machine =
        context.registerService(
            StateMachine.class,
            table,
            FrameworkUtil.asDictionary(
                Map.of(StateMachine.GROUP, group, StateMachine.MACHINE, MACHINE)));
    try {
      this.tracker = new ServiceTracker<>(context, context.createFilter(filter()), this);
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("a name has no brackets", e);
    }
    tracker.open();
  }

  private String filter() {
    return "(&(%s=%s)(%s=%s)(%s=%s))"
        .formatted(
            Constants.OBJECTCLASS,
            ConsensusService.class.getName(),
            StateMachine.GROUP,
            group,
            StateMachine.MACHINE,
            MACHINE);
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
            node,
            timeout,
            new SecureRandom().nextLong() | 1,
            new ThreadTimer("clowder-lock"));
    return new Offer(
        locks,
        context.registerService(
            LockService.class, locks, FrameworkUtil.asDictionary(properties(reference))));
  }

  @Override
  public void modifiedService(ServiceReference<ConsensusService> reference, Offer offer) {
    offer.registration().setProperties(FrameworkUtil.asDictionary(properties(reference)));
  }

  @Override
  public void removedService(ServiceReference<ConsensusService> reference, Offer offer) {
    offer.registration().unregister();
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
  }
}
