// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.runtime.Loop;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group by configuration {@code io.clowder.consensus.group~NAME}: takes every protocol and the
 * group's machines from the service registry, and answers each machine with a {@link
 * ConsensusService}.
 */
@Component(
    service = ConsensusGroup.class,
    immediate = true,
    configurationPid = "io.clowder.consensus.group",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = ConsensusGroup.Config.class, factory = true)
public final class ConsensusGroup {
  private static final Logger log = LoggerFactory.getLogger(ConsensusGroup.class);

  /** How long a bundle that stops waits for the group to let go of it, beyond a hand-over. */
  private static final long LEAVE_MILLIS = 4_000;

  /** The group's configuration. */
  @ObjectClassDefinition(
      name = "Clowder consensus group",
      description = "One replicated log, and how this node runs it")
  public @interface Config {
    /** The group. */
    @AttributeDefinition(
        description =
            "Name of the group, the same on every node; if it is empty, what follows the tilde in"
                + " the configuration's PID, or else main")
    String group() default "";

    /** The first protocol. */
    @AttributeDefinition(
        description = "Protocol of a new group; a group that has a log keeps the log's protocol")
    String protocol() default "raft";

    /** Its parameters. */
    @AttributeDefinition(
        description =
            "Parameters of that protocol, each NAME=VALUE, such as quorum.accept=2; the same on"
                + " every node")
    String[] parameters() default {};

    /** Joining. */
    @AttributeDefinition(
        description =
            "Whether a node without state waits to be added to a group that exists, by"
                + " clowder:add on one of its members, instead of beginning the group with the"
                + " configured members")
    boolean join() default false;

    /** Routine swaps. */
    @AttributeDefinition(
        description =
            "A segment this old, in minutes, is followed by another of the same protocol and"
                + " members, so that the way is tried; 0 for never",
        min = "0",
        max = "525600")
    int roll_minutes() default 1_440;

    /** Heartbeats. */
    @AttributeDefinition(
        description = "A leader is heard from at least this often, milliseconds",
        min = "1",
        max = "60000")
    int heartbeat_millis() default 50;

    /** Elections. */
    @AttributeDefinition(
        description =
            "A follower doubts its leader after this to twice this, milliseconds; at least three"
                + " heartbeats",
        min = "3",
        max = "600000")
    int election_millis() default 400;

    /** Sessions. */
    @AttributeDefinition(
        description =
            "A node out of touch for this long loses its session and its locks, milliseconds",
        min = "1000",
        max = "3600000")
    int session_millis() default 10_000;

    /** How often a node renews its session, in milliseconds. */
    @AttributeDefinition(
        name = "Renewal",
        description =
            "How often this node renews its session, milliseconds; a hundredth to a half of"
                + " session.millis, 0 for a tenth",
        min = "0",
        max = "1800000")
    int session_renew_millis() default 0;

    /** How much clocks may differ in speed, in millionths. */
    @AttributeDefinition(
        name = "Clock drift",
        description =
            "How much faster one node's clock may run than another's, millionths; this node gives"
                + " up what its session holds so much before the session ends",
        min = "0",
        max = "100000")
    int session_drift_ppm() default 10_000;

    /** How long before its session's end a node gives up, in milliseconds. */
    @AttributeDefinition(
        name = "Session margin",
        description =
            "How long before its session ends this node gives up what it holds besides,"
                + " milliseconds; at most half of session.millis",
        min = "0",
        max = "1800000")
    int session_margin_millis() default 200;

    /** Snapshots by size. */
    @AttributeDefinition(
        description = "A snapshot is made after this many MiB of entries, or as many as its size",
        min = "1",
        max = "4096")
    int snapshot_mebibytes() default 32;

    /** Snapshots by count. */
    @AttributeDefinition(
        description = "A snapshot is made after this many entries at the latest",
        min = "1",
        max = "100000000")
    int snapshot_entries() default 250_000;

    /** Memory. */
    @AttributeDefinition(
        description =
            "Entries kept for a machine that is away, MiB; the replica stops when there are more",
        min = "1",
        max = "65536")
    int history_mebibytes() default 256;

    /** Disk. */
    @AttributeDefinition(
        description = "New work is refused while the disk has less free space than this, MiB",
        min = "0",
        max = "1048576")
    int reserve_mebibytes() default 64;
  }

  private final BundleContext context;
  private final String name;
  private final Loop loop;
  private final Group group;
  private final long leaveMillis;
  private final Map<ServiceReference<ConsensusProtocol>, ConsensusProtocol> providers =
      new HashMap<>();
  private final Map<StateMachine, ServiceRegistration<ConsensusService>> services =
      new ConcurrentHashMap<>();

  /** Opens the group; refuses a configuration that is out of range by the key's name. */
  @Activate
  public ConsensusGroup(
      BundleContext context,
      Config config,
      Map<String, Object> properties,
      @Reference(name = "node") Node node,
      @Reference(name = "storage") Storage storage,
      @Reference(name = "transport") Transport transport) {
    this.context = context;
    this.name = name(config, properties);
    GroupSetting setting = setting(name, config);
    this.leaveMillis = LEAVE_MILLIS + 2L * config.election_millis();
    this.loop = new Loop("clowder", "group", name);
    Environment environment =
        new Environment(
            loop.disk(),
            loop.background(),
            loop.completions(),
            System::nanoTime,
            System::currentTimeMillis,
            new SplittableRandom(new SecureRandom().nextLong()),
            loop::wakeup);
    this.group = new Group(setting, node, storage, transport, environment);
    group.onProtocol(this::protocolChanged);
    loop.start(group::doWork);
  }

  private static String name(Config config, Map<String, Object> properties) {
    String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    int tilde = pid.indexOf('~');
    String ofPid = tilde < 0 ? "main" : pid.substring(tilde + 1);
    return config.group().isEmpty() ? ofPid : config.group();
  }

  private static GroupSetting setting(String name, Config config) {
    if (!name.matches("[a-z0-9][a-z0-9-]{0,31}")) {
      throw new IllegalArgumentException("group '" + name + "': use 1 to 32 of a-z, 0-9 and '-'");
    }
    check("roll.minutes", config.roll_minutes(), 0, 525_600);
    check("heartbeat.millis", config.heartbeat_millis(), 1, 60_000);
    check("election.millis", config.election_millis(), 3 * config.heartbeat_millis(), 600_000);
    int session = config.session_millis();
    check("session.millis", session, 1_000, 3_600_000);
    if (config.session_renew_millis() != 0) {
      check("session.renew.millis", config.session_renew_millis(), session / 100, session / 2);
    }
    check("session.drift.ppm", config.session_drift_ppm(), 0, 100_000);
    check("session.margin.millis", config.session_margin_millis(), 0, session / 2);
    int renew = config.session_renew_millis() == 0 ? session / 10 : config.session_renew_millis();
    check("snapshot.mebibytes", config.snapshot_mebibytes(), 1, 4_096);
    check("snapshot.entries", config.snapshot_entries(), 1, 100_000_000);
    check("history.mebibytes", config.history_mebibytes(), 1, 65_536);
    check("reserve.mebibytes", config.reserve_mebibytes(), 0, 1 << 20);
    return new GroupSetting(
        name,
        config.protocol(),
        parameters(config),
        config.join(),
        TimeUnit.MINUTES.toMillis(config.roll_minutes()),
        new CoreSetting.Timing(
            TimeUnit.MILLISECONDS.toNanos(config.heartbeat_millis()),
            TimeUnit.MILLISECONDS.toNanos(config.election_millis())),
        new Lease(session, renew, config.session_drift_ppm(), config.session_margin_millis()),
        (long) config.snapshot_mebibytes() << 20,
        config.snapshot_entries(),
        (long) config.history_mebibytes() << 20,
        (long) config.reserve_mebibytes() << 20);
  }

  private static SortedMap<String, String> parameters(Config config) {
    SortedMap<String, String> parameters = new TreeMap<>();
    // A configuration file has no arrays: there, commas part them.
    for (String parameter : String.join(",", config.parameters()).split(",")) {
      if (parameter.isBlank()) {
        continue;
      }
      int equals = parameter.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("parameters = " + parameter + ": use NAME=VALUE");
      }
      parameters.put(
          parameter.substring(0, equals).strip(), parameter.substring(equals + 1).strip());
    }
    return parameters;
  }

  private static void check(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(key + " = " + value + ": use " + min + " to " + max);
    }
  }

  /**
   * A protocol's bundle was started. Of several of one name the newest version is used, and of
   * equal ones the one that came last.
   */
  @Reference(
      name = "protocol",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindProtocol(
      ServiceReference<ConsensusProtocol> reference, ConsensusProtocol protocol) {
    String protocolName = protocolName(reference);
    synchronized (providers) {
      providers.put(reference, protocol);
      provide(protocolName);
    }
  }

  private void provide(String protocolName) {
    providers.keySet().stream()
        .filter(reference -> protocolName(reference).equals(protocolName))
        .max(
            Comparator.comparing(ConsensusGroup::version)
                .thenComparing(r -> (Long) r.getProperty(Constants.SERVICE_ID)))
        .ifPresent(
            best -> group.addProtocol(protocolName, Objects.requireNonNull(providers.get(best))));
  }

  private static Version version(ServiceReference<?> reference) {
    Bundle bundle = reference.getBundle();
    return bundle == null ? Version.emptyVersion : bundle.getVersion();
  }

  /** A protocol's bundle is being stopped: returns when its code is not used any more. */
  public void unbindProtocol(
      ServiceReference<ConsensusProtocol> reference, ConsensusProtocol protocol) {
    String protocolName = protocolName(reference);
    CompletionStage<Void> left;
    synchronized (providers) {
      providers.remove(reference);
      left = group.removeProtocol(protocolName, protocol);
      provide(protocolName);
    }
    await(left, "protocol " + protocolName);
  }

  private static String protocolName(ServiceReference<ConsensusProtocol> reference) {
    return String.valueOf(reference.getProperty(ConsensusProtocol.PROTOCOL));
  }

  /** A machine's bundle was started. */
  @Reference(
      name = "machine",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindMachine(StateMachine machine, Map<String, Object> properties) {
    Object machineName = properties.get(StateMachine.MACHINE);
    if (!name.equals(Objects.requireNonNullElse(properties.get(StateMachine.GROUP), "main"))) {
      return;
    }
    if (!(machineName instanceof String text) || !text.matches("[a-z0-9][a-z0-9-]{0,31}")) {
      log.error(
          "a StateMachine with {}={} is ignored: use 1 to 32 of a-z, 0-9 and '-'",
          StateMachine.MACHINE,
          machineName);
      return;
    }
    services.put(
        machine,
        context.registerService(
            ConsensusService.class,
            group.addMachine(text, machine),
            FrameworkUtil.asDictionary(answer(text))));
  }

  private Map<String, Object> answer(Object machineName) {
    return Map.of(
        StateMachine.GROUP, name,
        StateMachine.MACHINE, machineName,
        ConsensusProtocol.PROTOCOL, group.protocol());
  }

  /** Whoever has chosen a service by its protocol is told. */
  private void protocolChanged() {
    for (ServiceRegistration<ConsensusService> service : services.values()) {
      try {
        Object machineName = service.getReference().getProperty(StateMachine.MACHINE);
        service.setProperties(FrameworkUtil.asDictionary(answer(machineName)));
      } catch (IllegalStateException e) {
        // Its machine has just gone.
        log.debug("group {}: {}", name, e.toString());
      }
    }
  }

  /** A machine's bundle is being stopped: returns when its code is not called any more. */
  public void unbindMachine(StateMachine machine, Map<String, Object> properties) {
    ServiceRegistration<ConsensusService> service = services.remove(machine);
    if (service != null) {
      service.unregister();
      String machineName = String.valueOf(properties.get(StateMachine.MACHINE));
      await(group.removeMachine(machineName, machine), "machine " + machineName);
    }
  }

  /** Hands leadership over and closes the journal. */
  @Deactivate
  public void close() {
    services.values().forEach(ServiceRegistration::unregister);
    services.clear();
    await(group.close(), "the replica");
    loop.stop();
  }

  String name() {
    return name;
  }

  CompletionStage<Swap> swap(Successor successor, Consumer<String> progress, Duration deadline) {
    return group.swap(successor, progress, deadline);
  }

  CompletionStage<GroupStatus> status() {
    return group.status();
  }

  private void await(CompletionStage<Void> left, String what) {
    try {
      left.toCompletableFuture().get(leaveMillis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.warn("group {}: {} did not let go within {} ms", name, what, leaveMillis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
