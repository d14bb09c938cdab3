// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.Suspicion;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The committed view on this node: gives the runtime the machine, and whenever the runtime answers
 * for it, has the {@link ViewKeeper} say there what this node thinks. Where no runtime answers,
 * there is no committed view, and nothing happens.
 */
final class ViewGroup
    implements ServiceTrackerCustomizer<ConsensusService, ConsensusService>, AutoCloseable {
  /** The group whose log holds the view, and whose members are the cluster's. */
  static final String GROUP = "main";

  private static final String MACHINE = "fd";
  private static final long STATUS_MILLIS = 500;
  private static final long LEAVE_MILLIS = 1_000;

  private final BundleContext context;
  private final ViewKeeper keeper;
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, ConsensusService> tracker;
  private final ScheduledThreadPoolExecutor asking;
  private volatile @Nullable ConsensusService consensus;
  private volatile @Nullable GroupStatus status;

  /**
   * Begins.
   *
   * @param reportMillis for how long this node must have suspected a peer before it says so
   * @param incarnation this node's life
   * @param outlived is told an incarnation of this node that the log knows and that is larger
   * @param suspicions what this node thinks of its peers; asked by {@link #tick}
   * @param viewed is told each view, on the replica's thread: must be quick, and must not wait
   */
  ViewGroup(
      BundleContext context,
      NodeId self,
      long reportMillis,
      LongSupplier incarnation,
      Supplier<? extends Map<NodeId, Suspicion>> suspicions,
      LongConsumer outlived,
      Consumer<ClusterView> viewed) {
    this.context = context;
    ViewMachine view = new ViewMachine(viewed);
    this.keeper =
        new ViewKeeper(view, self, reportMillis, incarnation, outlived, suspicions, this::status);
    this.asking =
        new ScheduledThreadPoolExecutor(1, task -> ClusterWatch.daemon(task, "clowder-fd-group"));
    this.machine =
        context.registerService(
            StateMachine.class,
            view,
            FrameworkUtil.asDictionary(
                Map.of(StateMachine.GROUP, GROUP, StateMachine.MACHINE, MACHINE)));
    try {
      this.tracker =
          new ServiceTracker<>(
              context, context.createFilter(ConsensusService.filter(GROUP, MACHINE)), this);
    } catch (InvalidSyntaxException e) {
      throw new AssertionError("a name has no brackets", e);
    }
    tracker.open();
    var unused = asking.scheduleWithFixedDelay(this::ask, 0, STATUS_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** From now on a peer has to be suspected for so long before this node says so. */
  void reportAfter(long millis) {
    keeper.reportAfter(millis);
  }

  /** To be called every {@link ViewKeeper#TICK_NANOS} or so, by one thread; never waits. */
  void tick(long nowNanos) {
    keeper.tick(nowNanos);
  }

  /** The last committed view that this node knows of; null if there is none. */
  @Nullable ClusterView view() {
    return keeper.view();
  }

  /** What was known of the group half a second ago or so; null while no runtime answers. */
  @Nullable GroupStatus status() {
    return status;
  }

  /** On a thread of its own: the answer comes from the replica's thread, which may be at work. */
  private void ask() {
    ConsensusService service = consensus;
    if (service == null) {
      return;
    }
    try {
      GroupStatus answer = service.status();
      synchronized (this) {
        if (service == consensus) {
          status = answer;
        }
      }
    } catch (RuntimeException e) {
      // It has no time, or is just being taken away: what was known before will do.
    }
  }

  @Override
  public @Nullable ConsensusService addingService(ServiceReference<ConsensusService> reference) {
    ConsensusService service = context.getService(reference);
    if (service != null) {
      become(service);
    }
    return service;
  }

  @Override
  public void modifiedService(
      ServiceReference<ConsensusService> reference, ConsensusService service) {}

  @Override
  public void removedService(
      ServiceReference<ConsensusService> reference, ConsensusService service) {
    if (service == consensus) {
      become(null);
    }
    context.ungetService(reference);
  }

  private synchronized void become(@Nullable ConsensusService service) {
    consensus = service;
    status = null;
    keeper.offer(service);
  }

  /** Takes back what this node has said, if that is heard within a second, and the machine. */
  @Override
  public void close() {
    keeper.leave(LEAVE_MILLIS);
    asking.shutdownNow();
    tracker.close();
    machine.unregister();
  }
}
