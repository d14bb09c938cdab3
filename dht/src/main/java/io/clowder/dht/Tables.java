// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureListener;
import java.time.Duration;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The tables of all rings on this node: gives consensus the machine, asks the service that answers
 * for it, and tells this node's rings what is committed and who is suspected.
 */
@Component(
    service = {Tables.class, FailureListener.class},
    immediate = true)
public final class Tables
    implements FailureListener, ServiceTrackerCustomizer<ConsensusService, ConsensusService> {
  /** The group whose log holds them. */
  static final String GROUP = "main";

  static final String MACHINE = "dht";

  private static final Duration LIMIT = Duration.ofSeconds(5);

  /** A ring on this node. */
  interface Party {
    /** Consensus has committed a table; must not wait. */
    void committed(Table table);

    /** Whom this node suspects; must not wait. */
    void suspects(SortedSet<NodeId> nodes);
  }

  private final BundleContext context;
  private final Map<String, Table> tables = new ConcurrentHashMap<>();
  private final Map<String, Party> parties = new ConcurrentHashMap<>();
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, ConsensusService> tracker;
  private volatile @Nullable ConsensusService consensus;
  private SortedSet<NodeId> suspects = new TreeSet<>();

  /** The component. */
  @Activate
  public Tables(BundleContext context) {
    this.context = context;
    this.machine =
        context.registerService(
            StateMachine.class,
            new TableMachine(this::committed),
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
  }

  /** On the thread that applies. */
  private void committed(String ring, Table table) {
    tables.put(ring, table);
    Party party = parties.get(ring);
    if (party != null) {
      party.committed(table);
    }
  }

  /** Tells a ring from now on, beginning with what is known. */
  synchronized void join(String ring, Party party) {
    parties.put(ring, party);
    party.suspects(suspects);
    Table table = tables.get(ring);
    if (table != null) {
      party.committed(table);
    }
  }

  /** What is known of a ring; null if nothing is. */
  @Nullable Table table(String ring) {
    return tables.get(ring);
  }

  /** Tells it nothing any more. */
  void leave(String ring, Party party) {
    parties.remove(ring, party);
  }

  @Override
  public synchronized void happened(FailureEvent event) {
    SortedSet<NodeId> next = new TreeSet<>(suspects);
    if (event.kind() == FailureEvent.Kind.SUSPECT) {
      next.add(event.node());
    } else {
      next.remove(event.node());
    }
    suspects = next;
    parties.values().forEach(it -> it.suspects(next));
  }

  // ---- consensus -----------------------------------------------------------------------------

  /** Proposes; {@code then} is told on any thread, null if nobody knows what came of it. */
  void propose(String ring, TableCommand command, Consumer<@Nullable Verdict> then) {
    ConsensusService service = consensus;
    if (service == null) {
      then.accept(null);
      return;
    }
    service
        .submit(TableMachine.encode(ring, command), LIMIT)
        .thenApply(committed -> Verdict.decode(committed.result()))
        .whenComplete((verdict, failure) -> then.accept(failure == null ? verdict : null));
  }

  /**
   * Waits until this node knows all tables that were committed when this began.
   *
   * @param then is told on any thread, after those; false if that cannot be said
   */
  void read(Consumer<Boolean> then) {
    ConsensusService service = consensus;
    if (service == null) {
      then.accept(false);
      return;
    }
    // What it answers does not matter: that it is linearizable does.
    service
        .query(new byte[0], ReadConsistency.LINEARIZABLE, LIMIT)
        .whenComplete((result, failure) -> then.accept(failure == null));
  }

  @Override
  public @Nullable ConsensusService addingService(ServiceReference<ConsensusService> reference) {
    ConsensusService service = context.getService(reference);
    if (service != null) {
      consensus = service;
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
      consensus = null;
    }
    context.ungetService(reference);
  }

  /** Takes the machine back. */
  @Deactivate
  public void close() {
    tracker.close();
    machine.unregister();
  }
}
