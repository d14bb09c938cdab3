// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import java.time.Duration;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The map of another group than {@code main}, by configuration {@code io.clowder.kv.group~NAME}. A
 * PID of its own: a component that is there without configuration, as {@link MainMap} is, would be
 * replaced by the instances of a factory configuration.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = FurtherMap.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = FurtherMap.Config.class, factory = true)
public final class FurtherMap {
  static final String PID = ReplicatedKv.PID + ".group";

  /** The configuration of one group's map; a change of any key restarts it on this node. */
  @ObjectClassDefinition(
      name = "Clowder map of a group",
      description = "A linearizable map in another group than main")
  public @interface Config {
    /** The consensus group whose log the map's changes go through. */
    @AttributeDefinition(
        name = "Group",
        description =
            "The consensus group that replicates the map, not main; the same on every node. One"
                + " configuration for a group")
    String consensus_group();

    /** How long a call may take, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description = "How long a call may take, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;
  }

  private final KvGroup map;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public FurtherMap(BundleContext context, Config config) {
    map =
        new KvGroup(
            context, checked(config.consensus_group()), Duration.ofMillis(config.timeout_millis()));
  }

  private static String checked(String group) {
    if (group == null || group.isEmpty() || group.equals("main")) {
      throw new IllegalArgumentException(
          PID + ": consensus.group is '" + group + "': name another group than main");
    }
    return group;
  }

  /** Takes it back. */
  @Deactivate
  public void close() {
    map.close();
  }
}
