// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Node;
import java.time.Duration;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The locks of another group than {@code main}, by configuration {@code
 * io.clowder.lock.group~NAME}. A PID of its own: a component that is there without configuration,
 * as {@link MainLocks} is, would be replaced by the instances of a factory configuration.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = FurtherLocks.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = FurtherLocks.Config.class, factory = true)
public final class FurtherLocks {
  static final String PID = ReplicatedLocks.PID + ".group";

  /** The configuration of one group's locks; a change of any key restarts them on this node. */
  @ObjectClassDefinition(
      name = "Clowder locks of a group",
      description = "Locks with fencing tokens in another group than main")
  public @interface Config {
    /** The consensus group whose log the locks go through. */
    @AttributeDefinition(
        name = "Group",
        description =
            "The consensus group that replicates the locks, not main; the same on every node. One"
                + " configuration for a group")
    String consensus_group();

    /** How long the group may take to answer, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description =
            "How long the group may take to answer, in milliseconds, 1 to 600000; waiting for a"
                + " lock has its own limit in each call",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;

    /** How many events are kept for {@code lock:history}. */
    @AttributeDefinition(
        name = "History",
        description =
            "How many of the latest events this node keeps for lock:history, 0 to 1000000",
        min = "0",
        max = "1000000")
    int history_size() default 1_000;

    /** How many may wait for one lock. */
    @AttributeDefinition(
        name = "Waiters",
        description =
            "How many may wait for a lock when this node wants it too, 1 to 10000; one more is"
                + " refused",
        min = "1",
        max = "10000")
    int max_waiters() default 10_000;

    /** The delay of claims that name none, in milliseconds. */
    @AttributeDefinition(
        name = "Delay",
        description =
            "How long nobody gets a lock after its holder's session ended, in milliseconds, 0 to"
                + " 60000, unless the claim says more; 15000 where resources cannot check tokens",
        min = "0",
        max = "60000")
    int lock_delay_millis() default 0;

    /** The longest time to hold of claims that name none, in milliseconds. */
    @AttributeDefinition(
        name = "Longest hold",
        description =
            "How long a lock is held at most unless the claim says otherwise, in milliseconds, up"
                + " to a day; 0 for no limit",
        min = "0",
        max = "86400000")
    int max_hold_millis() default 0;
  }

  private final LockGroup locks;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public FurtherLocks(BundleContext context, @Reference(name = "node") Node node, Config config) {
    locks = new LockGroup(context, node.id(), checked(config.consensus_group()), setting(config));
  }

  private static String checked(String group) {
    if (group == null || group.isEmpty() || group.equals("main")) {
      throw new IllegalArgumentException(
          PID + ": consensus.group is '" + group + "': name another group than main");
    }
    return group;
  }

  private static LockSetting setting(Config config) {
    return new LockSetting(
        Duration.ofMillis(config.timeout_millis()),
        config.max_waiters(),
        Duration.ofMillis(config.lock_delay_millis()),
        Duration.ofMillis(config.max_hold_millis()),
        config.history_size());
  }

  /** Lets go of this node's locks. */
  @Deactivate
  public void close() {
    locks.close();
  }
}
