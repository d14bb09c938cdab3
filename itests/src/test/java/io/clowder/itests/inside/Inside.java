// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockListener;
import io.clowder.api.lock.LockService;
import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Probe;
import io.clowder.itests.probe.Ring;
import io.clowder.itests.probe.Store;
import io.clowder.itests.probe.Tasks;
import io.clowder.itests.probe.Watch;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Filter;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.util.tracker.ServiceTracker;

/** Registers the {@link Probe}. It keeps no service of ours longer than a call. */
public final class Inside implements BundleActivator, Probe {
  static final int WAIT_MILLIS = 30_000;

  private final Map<String, Grant> held = new ConcurrentHashMap<>();
  private final Map<String, OpenStore> stores = new ConcurrentHashMap<>();
  private final Map<String, OpenRing> rings = new ConcurrentHashMap<>();
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private @Nullable BundleContext bundle;
  private @Nullable Services services;
  private @Nullable Watch watch;
  private @Nullable OpenTasks tasks;

  @Override
  public void start(BundleContext context) throws InvalidSyntaxException {
    bundle = context;
    services = new Services(context);
    watch = new OpenWatch(context);
    tasks = new OpenTasks(context);
    context.registerService(Probe.class, this, null);
    LockListener listener = it -> heard.add(it.kind() + " " + it.name() + " " + it.token());
    context.registerService(
        LockListener.class,
        listener,
        FrameworkUtil.asDictionary(Map.of(LockListener.NAME, "watched/*")));
  }

  @Override
  public void stop(BundleContext context) {
    stores.values().forEach(OpenStore::close);
    rings.values().forEach(OpenRing::close);
    if (tasks != null) {
      tasks.close();
    }
    services().close();
  }

  @Override
  public void configure(String pid, Map<String, String> values) throws Exception {
    ConfigurationAdmin admin = services().configurations();
    String[] name = pid.split("~", 2);
    Configuration configuration =
        name.length == 2
            ? admin.getFactoryConfiguration(name[0], name[1], "?")
            : admin.getConfiguration(pid, "?");
    configuration.update(FrameworkUtil.asDictionary(values));
  }

  @Override
  public void unconfigure(String pid) throws Exception {
    String[] name = pid.split("~", 2);
    services().configurations().getFactoryConfiguration(name[0], name[1], "?").delete();
  }

  @Override
  public View view() throws Exception {
    GroupStatus status = services().group().status();
    NodeId leader = status.leader();
    return new View(
        status.role(),
        leader == null ? null : leader.value(),
        status.committed(),
        status.applied());
  }

  @Override
  public void put(String key, String value) throws Exception {
    await(services().map().put(key, value.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public long lockOnce(String name) throws Exception {
    return lockOnce(services().locks(), name);
  }

  @Override
  public long lockOnce(String filter, String name) throws Exception {
    BundleContext context = bundle;
    if (context == null) {
      throw new IllegalStateException("not started");
    }
    ServiceReference<LockService> found =
        context.getServiceReferences(LockService.class, filter).stream()
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no locks with " + filter));
    return lockOnce(context.getService(found), name);
  }

  @Override
  public long hold(String name) throws Exception {
    Grant grant = await(services().locks().acquire(name, Duration.ofMillis(WAIT_MILLIS)));
    held.put(name, grant);
    return grant.token();
  }

  @Override
  public boolean isHeld(String name) {
    return held.get(name).isHeld();
  }

  @Override
  public void letGo(String name) throws Exception {
    await(held.remove(name).release());
  }

  @Override
  public List<String> heard() {
    return List.copyOf(heard);
  }

  @Override
  public String shell(String line) throws InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CommandSession session =
        services().shell().createSession(new ByteArrayInputStream(new byte[0]), out, out)) {
      Object value = session.execute(line);
      return out.toString(StandardCharsets.UTF_8) + (value == null ? "" : value);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      // The test does not know the classes of this framework.
      throw new IllegalStateException(
          out.toString(StandardCharsets.UTF_8) + String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void catchUp() throws Exception {
    await(services().map().get("nothing", ReadConsistency.LINEARIZABLE));
  }

  @Override
  public @Nullable String applied(String key) throws Exception {
    KvEntry entry = await(services().map().get(key, ReadConsistency.LOCAL));
    return entry == null ? null : new String(entry.value(), StandardCharsets.UTF_8);
  }

  @Override
  public List<String> missing() throws InterruptedException {
    ServiceComponentRuntime runtime = services().components();
    List<String> missing = new ArrayList<>();
    for (ComponentDescriptionDTO component : runtime.getComponentDescriptionDTOs()) {
      for (ComponentConfigurationDTO one : runtime.getComponentConfigurationDTOs(component)) {
        if (one.state != ComponentConfigurationDTO.ACTIVE) {
          missing.add(
              "%s: state %d, without %s, failure %s"
                  .formatted(
                      component.name,
                      one.state,
                      Arrays.stream(one.unsatisfiedReferences).map(it -> it.name).toList(),
                      one.failure));
        }
      }
    }
    return missing;
  }

  @Override
  public Load load(String name) {
    Services used = services();
    return new RunningLoad(
        name,
        RunningLoad.FEW_KEYS,
        (key, value) -> await(used.map().put(key, value.getBytes(StandardCharsets.UTF_8))),
        () -> lockOnce(used.locks(), "shared"));
  }

  @Override
  public Watch watch() {
    if (watch == null) {
      throw new IllegalStateException("not started");
    }
    return watch;
  }

  @Override
  public Tasks tasks() {
    if (tasks == null) {
      throw new IllegalStateException("not started");
    }
    return tasks;
  }

  @Override
  public Store store(String name) {
    BundleContext context = bundle;
    if (context == null) {
      throw new IllegalStateException("not started");
    }
    return stores.computeIfAbsent(name, it -> new OpenStore(context, it));
  }

  @Override
  public Ring ring(String name) {
    BundleContext context = bundle;
    if (context == null) {
      throw new IllegalStateException("not started");
    }
    return rings.computeIfAbsent(name, it -> new OpenRing(context, it));
  }

  private static long lockOnce(LockService locks, String name) throws Exception {
    Grant grant = await(locks.acquire(name, Duration.ofMillis(WAIT_MILLIS)));
    try {
      return grant.token();
    } finally {
      await(grant.release());
    }
  }

  static <T extends @Nullable Object> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** A service, waited for while it is away. */
  static <T> T present(ServiceTracker<T, T> tracker) throws InterruptedException {
    T service = tracker.waitForService(WAIT_MILLIS);
    if (service == null) {
      throw new IllegalStateException("a service is away for " + WAIT_MILLIS + " ms");
    }
    return service;
  }

  private Services services() {
    if (services == null) {
      throw new IllegalStateException("not started");
    }
    return services;
  }

  /** What this bundle uses, waited for whenever it is away. */
  private static final class Services {
    private final ServiceTracker<ConfigurationAdmin, ConfigurationAdmin> configurations;
    private final ServiceTracker<ServiceComponentRuntime, ServiceComponentRuntime> components;
    private final ServiceTracker<ConsensusService, ConsensusService> group;
    private final ServiceTracker<KvStore, KvStore> map;
    private final ServiceTracker<LockService, LockService> locks;
    private final ServiceTracker<CommandProcessor, CommandProcessor> shell;

    Services(BundleContext context) throws InvalidSyntaxException {
      configurations = new ServiceTracker<>(context, ConfigurationAdmin.class, null);
      components = new ServiceTracker<>(context, ServiceComponentRuntime.class, null);
      group =
          new ServiceTracker<>(
              context,
              context.createFilter(
                  "(&(objectClass="
                      + ConsensusService.class.getName()
                      + ")(consensus.group=main)(machine=kv))"),
              null);
      map = new ServiceTracker<>(context, ofMain(context, KvStore.class), null);
      locks = new ServiceTracker<>(context, ofMain(context, LockService.class), null);
      shell = new ServiceTracker<>(context, CommandProcessor.class, null);
      configurations.open();
      components.open();
      group.open();
      map.open();
      locks.open();
      shell.open();
    }

    private static Filter ofMain(BundleContext context, Class<?> type)
        throws InvalidSyntaxException {
      return context.createFilter("(&(objectClass=" + type.getName() + ")(consensus.group=main))");
    }

    CommandProcessor shell() throws InterruptedException {
      return present(shell);
    }

    ConfigurationAdmin configurations() throws InterruptedException {
      return present(configurations);
    }

    ServiceComponentRuntime components() throws InterruptedException {
      return present(components);
    }

    ConsensusService group() throws InterruptedException {
      return present(group);
    }

    KvStore map() throws InterruptedException {
      return present(map);
    }

    LockService locks() throws InterruptedException {
      return present(locks);
    }

    void close() {
      configurations.close();
      components.close();
      group.close();
      map.close();
      locks.close();
      shell.close();
    }
  }
}
