// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureListener;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/**
 * The configurations of all stores on this node, whether it has a copy of any or not: gives the
 * runtime the machine, asks the runtime that answers for it, and tells this node's stores what is
 * decided and who is suspected.
 */
@Component(
    service = {Configurations.class, FailureListener.class},
    immediate = true)
public final class Configurations
    implements Registrar,
        FailureListener,
        ServiceTrackerCustomizer<ConsensusService, ConsensusService> {
  /** The group whose log holds them. */
  static final String GROUP = "main";

  static final String MACHINE = "replication";

  private static final Duration SUBMIT = Duration.ofSeconds(5);

  /** Who wants to know about one store. */
  interface Party {
    /** Consensus has decided; must not wait. */
    void configured(StoreConfig config);

    /** Whom this node suspects; must not wait. */
    void suspects(SortedSet<NodeId> nodes);
  }

  private final BundleContext context;
  private final Map<String, StoreConfig> configs = new ConcurrentHashMap<>();
  private final Map<String, Party> parties = new ConcurrentHashMap<>();
  private final ServiceRegistration<StateMachine> machine;
  private final ServiceTracker<ConsensusService, ConsensusService> tracker;
  private volatile @Nullable ConsensusService consensus;
  private SortedSet<NodeId> suspects = new TreeSet<>();

  /** The component. */
  @Activate
  public Configurations(BundleContext context) {
    this.context = context;
    this.machine =
        context.registerService(
            StateMachine.class,
            new ConfigMachine(this::decided),
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
  private void decided(String store, StoreConfig config) {
    configs.put(store, config);
    Party party = parties.get(store);
    if (party != null) {
      party.configured(config);
    }
  }

  /** Tells a store from now on, beginning with what is known. */
  synchronized void join(String store, Party party) {
    parties.put(store, party);
    party.suspects(suspects);
    StoreConfig config = configs.get(store);
    if (config != null) {
      party.configured(config);
    }
  }

  /** Tells it nothing any more. */
  void leave(String store, Party party) {
    parties.remove(store, party);
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

  @Override
  public CompletionStage<@Nullable StoreConfig> submit(String store, ConfigCommand command) {
    ConsensusService service = consensus;
    return service == null
        ? unavailable()
        : service
            .submit(ConfigMachine.encode(store, command), SUBMIT)
            .thenApply(committed -> ConfigMachine.decode(committed.result()));
  }

  @Override
  public CompletionStage<@Nullable StoreConfig> confirm(String store) {
    ConsensusService service = consensus;
    return service == null
        ? unavailable()
        : service
            .query(store.getBytes(StandardCharsets.UTF_8), ReadConsistency.LINEARIZABLE, SUBMIT)
            .thenApply(ConfigMachine::decode);
  }

  private static <T> CompletionStage<T> unavailable() {
    return CompletableFuture.failedStage(
        refused(Reason.UNAVAILABLE, "no consensus runs on this node: start its bundle"));
  }

  @Override
  public boolean isReached() {
    ConsensusService service = consensus;
    return service != null
        && service.leader() != null
        && service.session().isValid(System.nanoTime(), System.currentTimeMillis());
  }

  @Override
  public int load(NodeId node) {
    int load = 0;
    for (StoreConfig config : configs.values()) {
      ReplicaId primary = config.primary();
      load += primary != null && primary.node().equals(node) ? 1 : 0;
    }
    return load;
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
