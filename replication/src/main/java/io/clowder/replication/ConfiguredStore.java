// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.failure.Liveness;
import io.clowder.api.runtime.StringPlus;
import io.clowder.api.shell.Diagnosis;
import io.clowder.api.storage.Storage;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.RoleListener;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.transport.Transport;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store on this node by configuration {@code io.clowder.replication~NAME}: offers it to users and
 * operators under its name, with what this node is to it kept current, and tells listeners.
 */
@Component(
    service = Diagnosis.class,
    immediate = true,
    configurationPid = StoreSetting.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = StoreSetting.Config.class, factory = true)
public final class ConfiguredStore
    implements Diagnosis,
        Configurations.Party,
        ServiceTrackerCustomizer<RoleListener, RoleListener> {
  private static final Logger LOG = LoggerFactory.getLogger(ConfiguredStore.class);

  private final BundleContext context;
  private final Configurations configurations;
  private final String name;
  private final NodeStore node;
  private final List<ServiceRegistration<?>> registrations;
  private final ServiceRegistration<Liveness> liveness;
  private final ServiceTracker<RoleListener, RoleListener> listeners;
  private final Map<RoleListener, Told> told = new ConcurrentHashMap<>();
  private final AtomicBoolean isDue = new AtomicBoolean();

  /** Listeners may wait: nothing else hangs on them. */
  private final ThreadPoolExecutor roles;

  private @Nullable StoreStatus last;

  /** What listeners hear of; a status with the same is not told again. */
  private record Told(Object role, long epoch, @Nullable NodeId primary, Set<NodeId> insync) {
    static Told of(StoreStatus status) {
      return new Told(status.role(), status.epoch(), status.primary(), status.insync());
    }
  }

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public ConfiguredStore(
      BundleContext context,
      @Reference(name = "node") Node node,
      @Reference(name = "storage") Storage storage,
      @Reference(name = "transport") Transport transport,
      @Reference(name = "configurations") Configurations configurations,
      StoreSetting.Config config,
      Map<String, Object> properties) {
    this.context = context;
    this.configurations = configurations;
    this.name = name(String.valueOf(properties.get(Constants.SERVICE_PID)));
    this.roles =
        new ThreadPoolExecutor(
            0,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> NodeStore.daemon(task, "clowder-store-roles-" + name));
    this.node =
        new NodeStore(
            name,
            node.id(),
            StoreSetting.of(name, config),
            storage,
            transport,
            configurations,
            this::changed);
    Map<String, Object> offered = properties(this.node.status());
    this.registrations =
        List.of(
            context.registerService(
                ReplicatedStore.class, this.node.store(), FrameworkUtil.asDictionary(offered)),
            context.registerService(
                StoreAdmin.class, this.node.steward(), FrameworkUtil.asDictionary(offered)));
    this.liveness =
        context.registerService(
            Liveness.class,
            this.node::isAlive,
            FrameworkUtil.asDictionary(Map.of(Liveness.NAME, "store " + name)));
    this.listeners = new ServiceTracker<>(context, RoleListener.class, this);
    listeners.open();
    configurations.join(name, this);
    this.node.start();
  }

  private static String name(String pid) {
    int tilde = pid.indexOf('~');
    String name = tilde < 0 ? "" : pid.substring(tilde + 1);
    if (!name.matches("[a-z0-9][a-z0-9_]{0,31}")) {
      throw new IllegalArgumentException(
          "%s: the store's name is '%s': configure %s~NAME, with a name of 1 to 32 of a-z, 0-9 and"
                  .formatted(pid, name, StoreSetting.PID)
              + " '_'");
    }
    return name;
  }

  @Override
  public void configured(StoreConfig config) {
    node.configured(config);
  }

  @Override
  public void suspects(SortedSet<NodeId> nodes) {
    node.suspects(nodes);
  }

  @Override
  public List<String> problems() {
    return node.problems();
  }

  // ---- what this node is to it ---------------------------------------------------------------

  private Map<String, Object> properties(StoreStatus status) {
    return Map.of(
        ReplicatedStore.NAME,
        name,
        ReplicatedStore.ROLE,
        status.role().name().toLowerCase(Locale.ROOT),
        ReplicatedStore.EPOCH,
        status.epoch(),
        ReplicatedStore.INSYNC,
        status.insync().stream().map(NodeId::value).toArray(String[]::new));
  }

  private void changed() {
    if (isDue.compareAndSet(false, true)) {
      try {
        roles.execute(this::tell);
      } catch (RejectedExecutionException e) {
        LOG.debug("store {} is closed", name);
      }
    }
  }

  private void tell() {
    isDue.set(false);
    StoreStatus status = node.status();
    StoreStatus before = last;
    last = status;
    if (before == null || !Told.of(before).equals(Told.of(status))) {
      Map<String, Object> offered = properties(status);
      try {
        registrations.forEach(it -> it.setProperties(FrameworkUtil.asDictionary(offered)));
      } catch (IllegalStateException e) {
        return; // They are taken back.
      }
    }
    told.keySet().forEach(it -> tell(it, status));
  }

  private void tell(RoleListener listener, StoreStatus status) {
    Told now = Told.of(status);
    Told before = told.replace(listener, now);
    if (before == null || now.equals(before)) {
      return; // It has gone, or knows.
    }
    try {
      listener.changed(status);
    } catch (RuntimeException | Error e) {
      LOG.warn("role listener {} failed", listener.getClass().getName(), e);
    }
  }

  @Override
  public @Nullable RoleListener addingService(ServiceReference<RoleListener> reference) {
    if (!names(reference.getProperty(RoleListener.STORES))) {
      return null;
    }
    RoleListener listener = context.getService(reference);
    if (listener != null) {
      add(listener);
    }
    return listener;
  }

  private void add(RoleListener listener) {
    if (told.putIfAbsent(listener, new Told("", -1, null, Set.of())) == null) {
      changed();
    }
  }

  private boolean names(@Nullable Object property) {
    return property == null || StringPlus.of(property).contains(name);
  }

  @Override
  public void modifiedService(ServiceReference<RoleListener> reference, RoleListener listener) {
    if (names(reference.getProperty(RoleListener.STORES))) {
      add(listener);
    } else {
      told.remove(listener);
    }
  }

  @Override
  public void removedService(ServiceReference<RoleListener> reference, RoleListener listener) {
    told.remove(listener);
    context.ungetService(reference);
  }

  /** Takes the services back, hands over if this node is the primary, and ends. */
  @Deactivate
  public void close() {
    // First, so that nobody finds a store that is closed; others go on through other nodes.
    registrations.forEach(ServiceRegistration::unregister);
    liveness.unregister();
    configurations.leave(name, this);
    node.close();
    listeners.close();
    roles.shutdown();
  }
}
