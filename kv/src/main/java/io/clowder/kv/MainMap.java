// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import java.time.Duration;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The map of the group {@code main}, which is there without any configuration. */
@Component(
    service = {},
    immediate = true,
    configurationPid = ReplicatedKv.PID)
@Designate(ocd = MainMap.Config.class)
public final class MainMap {
  /** The configuration of the map; a change of any key restarts it on this node. */
  @ObjectClassDefinition(name = "Clowder map", description = "A linearizable map of keys to values")
  public @interface Config {
    /** How long a call may take, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description = "How long a call may take, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;
  }

  private final KvGroup map;

  /** The component. */
  @Activate
  public MainMap(BundleContext context, Config config) {
    map = new KvGroup(context, "main", Duration.ofMillis(config.timeout_millis()));
  }

  /** Takes it back. */
  @Deactivate
  public void close() {
    map.close();
  }
}
