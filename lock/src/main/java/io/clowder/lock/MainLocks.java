// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Node;
import java.time.Duration;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The locks of the group {@code main}, which are there without any configuration. */
@Component(
    service = {},
    immediate = true,
    configurationPid = ReplicatedLocks.PID)
@Designate(ocd = MainLocks.Config.class)
public final class MainLocks {
  /** The configuration of the locks; a change of any key restarts them on this node. */
  @ObjectClassDefinition(name = "Clowder locks", description = "Locks with fencing tokens")
  public @interface Config {
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

  /** The component. */
  @Activate
  public MainLocks(BundleContext context, @Reference(name = "node") Node node, Config config) {
    locks = new LockGroup(context, node.id(), "main", setting(config));
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
