// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.Node;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * This node's directory, locked and found to be its own: who the node is, and what it keeps. If
 * anything is wrong with configuration or directory, the component fails; the reason is the one
 * line of its exception.
 *
 * <p>It registers its services itself: Declarative Services would do so before the directory is
 * open.
 */
@Component(
    configurationPid = "io.clowder.node",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true,
    service = {})
@Capability(
    namespace = "osgi.service",
    attribute = "objectClass:List<String>=\"io.clowder.api.Node,io.clowder.api.storage.Storage\"")
@Designate(ocd = NodeDirectory.Settings.class)
public final class NodeDirectory {
  /** The keys of {@code io.clowder.node}. */
  @ObjectClassDefinition(
      name = "Clowder node",
      description = "Who this node is, who the others are, and where it keeps its state")
  public @interface Settings {
    /** This node. */
    @AttributeDefinition(
        description =
            "Name of this node, one of the members: 1 to 64 letters, digits, '.', '_' or '-'")
    String id();

    /** The cluster. */
    @AttributeDefinition(
        description =
            "Name of the cluster, 1 to 64 characters; nodes of others are never talked to")
    String cluster() default "clowder";

    /** All nodes. */
    @AttributeDefinition(
        description = "All nodes and where they listen: n1=HOST:PORT,n2=HOST:PORT,…")
    String members();

    /** The directory. */
    @AttributeDefinition(
        description = "Directory of this node's journals and snapshots, made if it is not there")
    String directory();
  }

  private final LocalNode node;
  private final ServiceRegistration<?> registration;

  /**
   * Opens the directory, and only then registers the services.
   *
   * @throws IllegalArgumentException if a value makes no sense; begins with its key
   * @throws IOException if the directory cannot be used; names it
   */
  @Activate
  public NodeDirectory(BundleContext context, Settings config) throws IOException {
    node =
        LocalNode.open(
            NodeSettings.parse(
                given(config.id()),
                given(config.cluster()),
                given(config.members()),
                given(config.directory())));
    try {
      registration =
          context.registerService(
              new String[] {Node.class.getName(), Storage.class.getName()}, node, null);
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
  }

  /** Takes the services back, closes all that is open, and gives the directory up. */
  @Deactivate
  public void close() throws IOException {
    registration.unregister();
    node.close();
  }

  /** Declarative Services gives null for a key that is not configured. */
  private static String given(@Nullable String value) {
    return value == null ? "" : value.strip();
  }
}
