// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.api.shell.Diagnosis;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import java.io.IOException;
import java.util.Dictionary;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ring on this node by configuration {@code io.clowder.dht~NAME}: offers it to users and
 * operators under its name, tells listeners which ranges are this node's, asks placement policies,
 * and opens it again when its disk has failed.
 */
@Component(
    service = Diagnosis.class,
    immediate = true,
    configurationPid = DhtSetting.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = DhtSetting.Config.class, factory = true)
public final class ConfiguredDht implements Diagnosis, NodeRing.Surroundings {
  private static final Logger LOG = LoggerFactory.getLogger(ConfiguredDht.class);
  private static final long REOPEN_MILLIS_MIN = 1_000;
  private static final long REOPEN_MILLIS_MAX = 30_000;
  private static final long CLOSE_SECONDS = 10;
  private static final long FREE_BYTES_MIN = 128L << 20;

  private final BundleContext context;
  private final Node node;
  private final Storage storage;
  private final Transport transport;
  private final Tables tables;
  private final String name;
  private final DhtSetting setting;

  /** Who founds the ring; in mode {@code consistent} nobody does. */
  private final List<NodeId> founders;

  private final PlacementPolicy usual = new BoundedLoads();

  /** Opens rings and tells listeners: both may wait. */
  private final ScheduledThreadPoolExecutor worker;

  private final ServiceTracker<PlacementPolicy, PlacementPolicy> policies;
  private final RangeListeners listeners;
  private final AtomicBoolean isDue = new AtomicBoolean();
  private final OpenDht dht;
  private final List<ServiceRegistration<?>> registrations = new CopyOnWriteArrayList<>();

  /** What users are served by; null while it does not run. */
  private volatile @Nullable NodeRing ring;

  /** What has to be closed. */
  private @Nullable NodeRing life;

  private volatile String problem = "it has just begun";
  private volatile NodeRing.@Nullable Glance last;
  private @Nullable TableMode party;
  private Map<String, Object> offered;
  private long reopenMillis = REOPEN_MILLIS_MIN;
  private boolean isClosed;

  /** Whether listeners have heard the last; the worker's. */
  private boolean isOver;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public ConfiguredDht(
      BundleContext context,
      @Reference(name = "node") Node node,
      @Reference(name = "storage") Storage storage,
      @Reference(name = "transport") Transport transport,
      @Reference(name = "tables") Tables tables,
      DhtSetting.Config config,
      Map<String, Object> properties) {
    this.context = context;
    this.node = node;
    this.storage = storage;
    this.transport = transport;
    this.tables = tables;
    this.name = name(String.valueOf(properties.get(Constants.SERVICE_PID)));
    this.setting = DhtSetting.of(name, config);
    this.founders = setting.mode() == Dht.Mode.PEER ? founders() : List.of();
    worker =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "clowder-dht-worker-" + name);
              thread.setDaemon(true);
              return thread;
            });
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    policies = new ServiceTracker<>(context, PlacementPolicy.class, null);
    policies.open();
    dht = new OpenDht(name, setting, () -> ring, this::glance);
    offered = properties(0, false);
    listeners = new RangeListeners(context, name, this::onWorker, this::changed);
    listeners.open();
    worker.execute(this::begin);
  }

  private static String name(String pid) {
    int tilde = pid.indexOf('~');
    String name = tilde < 0 ? "" : pid.substring(tilde + 1);
    if (!name.matches("[a-z0-9][a-z0-9_]{0,31}")) {
      throw new IllegalArgumentException(
          "%s: the ring's name is '%s': configure %s~NAME, with a name of 1 to 32 of a-z, 0-9 and"
                  .formatted(pid, name, DhtSetting.PID)
              + " '_'");
    }
    return name;
  }

  // ---- lives ---------------------------------------------------------------------------------

  /** Users find the ring when it runs, or when there is a reason to tell why it does not. */
  private void begin() {
    open();
    synchronized (this) {
      if (!isClosed) {
        Dictionary<String, ?> properties = FrameworkUtil.asDictionary(offered);
        OpenDhtAdmin admin = new OpenDhtAdmin(name, setting, () -> ring, dht);
        registrations.add(context.registerService(Dht.class, dht, properties));
        registrations.add(context.registerService(DhtAdmin.class, admin, properties));
      }
    }
  }

  private void open() {
    NodeRing opened;
    try {
      checkRoom();
      opened = NodeRing.open(name, node.id(), setting, storage, transport, this);
    } catch (IOException | RuntimeException | Error e) {
      failed("what it has on disk cannot be opened: " + e.getMessage(), e);
      return;
    }
    TableMode member;
    synchronized (this) {
      member = party;
      if (!isClosed) {
        ring = opened;
        life = opened;
        if (member != null) {
          tables.join(name, member);
        }
        problem = "";
        reopenMillis = REOPEN_MILLIS_MIN;
      }
    }
    if (!opened.equals(ring)) {
      opened.close();
    }
  }

  /** With a disk that is nearly full it would fail again and again, each time in others' way. */
  private void checkRoom() throws IOException {
    long free = storage.freeBytes();
    if (setting.isDurable() && free < FREE_BYTES_MIN) {
      throw new IOException(
          "the disk has %d MiB free: make room for %d".formatted(free >> 20, FREE_BYTES_MIN >> 20));
    }
  }

  @Override
  public synchronized RingMode mode(Shelf shelf, NodeRing opening) {
    if (setting.mode() == Dht.Mode.PEER) {
      party = null;
      return new PeerMode(name, setting, shelf, opening, founders, this::rebirth);
    }
    TableMode mode =
        new TableMode(
            name,
            setting,
            shelf,
            tables,
            opening::execute,
            this::policy,
            peer -> opening.sendRing(peer, PeerMode.otherMode()));
    party = mode;
    return mode;
  }

  private List<NodeId> founders() {
    boolean isSaid = !setting.founders().isEmpty();
    List<NodeId> named = isSaid ? setting.founders() : List.copyOf(node.members().keySet());
    int least = Charter.of(setting).foundersMin();
    if (named.size() < least) {
      String nodes = named.stream().map(NodeId::value).collect(Collectors.joining(","));
      throw new IllegalArgumentException(
          "%s~%s: founders is %s%s: a ring of %d replicas and lists of %d successors has %d at least"
                  .formatted(
                      DhtSetting.PID,
                      name,
                      isSaid ? "" : "all members of the cluster, ",
                      nodes,
                      setting.keeper().replicas(),
                      least - 1,
                      least)
              + "; name more of them, or use mode consistent");
    }
    return named;
  }

  /** Begins again, in another life. */
  private void rebirth() {
    onWorker(this::reopen);
  }

  private void onWorker(Runnable task) {
    try {
      worker.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("ring {} is closed", name);
    }
  }

  /** The one with the highest ranking; what it makes of it is checked when it is committed. */
  private PlacementPolicy policy() {
    PlacementPolicy policy = policies.getService();
    if (policy == null) {
      return usual;
    }
    return request -> {
      try {
        List<List<NodeId>> placed = policy.place(request);
        String refusal = PlacementCheck.refusal(request, placed);
        if (refusal.isEmpty()) {
          return placed;
        }
        LOG.warn("ring {}: the policy {} is not used: {}", name, policy.getClass(), refusal);
      } catch (RuntimeException | LinkageError e) {
        LOG.warn("ring {}: the policy {} failed", name, policy.getClass(), e);
      }
      return usual.place(request);
    };
  }

  @Override
  public void failed(String why, Throwable cause) {
    long delay;
    synchronized (this) {
      if (isClosed) {
        return;
      }
      problem = why;
      ring = null;
      delay = reopenMillis;
      reopenMillis = Math.min(2 * reopenMillis, REOPEN_MILLIS_MAX);
    }
    giveUpPlace();
    LOG.error("ring {}: {}; trying again in {} ms", name, why, delay, cause);
    try {
      var unused = worker.schedule(this::reopen, delay, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("ring {} is closed", name);
    }
    changed();
  }

  /**
   * Nobody suspects a node of which only a ring has failed, and writes wait for all who hold
   * something: so it says itself that it does not, each time.
   */
  private void giveUpPlace() {
    Table table = setting.mode() == Dht.Mode.PEER ? null : tables.table(name);
    TableMember member = table == null ? null : table.member(node.id());
    if (member != null && member.state() != TableMember.State.FAILED) {
      TableCommand fail = new TableCommand.Fail(node.id(), member.life(), node.id());
      tables.propose(name, fail, verdict -> {});
    }
  }

  private void reopen() {
    end();
    open();
  }

  /** Ends the present life, which takes some seconds at most. */
  private void end() {
    NodeRing former;
    TableMode member;
    synchronized (this) {
      former = life;
      member = party;
      ring = null;
      life = null;
      party = null;
    }
    if (member != null) {
      tables.leave(name, member);
    }
    if (former != null) {
      former.close();
    }
  }

  // ---- what is known -------------------------------------------------------------------------

  private NodeRing.Glance glance() {
    NodeRing present = ring;
    NodeRing.Glance seen = present == null ? last : present.glance();
    if (seen != null && problem.isEmpty()) {
      last = seen;
      return seen;
    }
    return seen == null
        ? NodeRing.Glance.without(name, node.id(), setting, problem)
        : new NodeRing.Glance(seen.view(), List.of(), List.of(problem));
  }

  @Override
  public List<String> problems() {
    return glance().problems().stream().map(it -> "ring " + name + ": " + it).toList();
  }

  private Map<String, Object> properties(long epoch, boolean isIdeal) {
    return Map.of(
        Dht.NAME,
        name,
        Dht.MODE,
        setting.mode().name().toLowerCase(Locale.ROOT),
        Dht.REPLICAS,
        setting.keeper().replicas(),
        Dht.EPOCH,
        epoch,
        Dht.IDEAL,
        isIdeal);
  }

  @Override
  public void changed() {
    if (isDue.compareAndSet(false, true)) {
      onWorker(this::tell);
    }
  }

  private void tell() {
    isDue.set(false);
    if (isOver) {
      return;
    }
    NodeRing.Glance seen = glance();
    Map<String, Object> next = properties(seen.view().epoch(), seen.problems().isEmpty());
    if (!next.equals(offered)) {
      offered = next;
      try {
        registrations.forEach(it -> it.setProperties(FrameworkUtil.asDictionary(next)));
      } catch (IllegalStateException e) {
        return; // They are taken back.
      }
    }
    listeners.tell(seen.owned());
  }

  /** Takes the services back, tells listeners and the other nodes, and ends. */
  @Deactivate
  public void close() {
    synchronized (this) {
      isClosed = true;
      registrations.forEach(ServiceRegistration::unregister);
    }
    worker.execute(
        () -> {
          isOver = true;
          listeners.tell(List.of());
        });
    worker.shutdown();
    try {
      // It may be about to open the ring again, which is to be closed then.
      if (!worker.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("ring {}: its worker does not end", name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    end();
    listeners.close();
    policies.close();
    worker.shutdownNow();
  }
}
