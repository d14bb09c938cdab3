// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import io.clowder.itests.probe.Probe;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.service.condition.Condition;
import org.osgi.util.tracker.ServiceTracker;

/** A node in a framework of its own, in this process. */
final class FelixNode {
  private static final long WAIT_MILLIS = 30_000;

  private final String id;
  private final Framework framework;
  private final ServiceTracker<Probe, Probe> probes;

  private FelixNode(String id, Framework framework) {
    this.id = id;
    this.framework = framework;
    this.probes = new ServiceTracker<>(framework.getBundleContext(), Probe.class, null);
  }

  /**
   * Starts a node; it may not serve yet when this returns.
   *
   * @param members as in {@code n1=HOST:PORT,…}
   * @param group settings of the group {@code main}
   */
  static FelixNode start(Path dir, String id, String members, Map<String, String> group)
      throws Exception {
    return start(
        dir, id, members, Map.of("io.clowder.consensus.group~main", group), BundleFiles.OWN);
  }

  /**
   * Starts a node with some of our bundles.
   *
   * @param settings by PID and key
   */
  static FelixNode start(
      Path dir,
      String id,
      String members,
      Map<String, Map<String, String>> settings,
      List<String> bundles)
      throws Exception {
    Path probe = dir.resolve(id + "-probe.jar");
    ProbeBundle.write(probe);
    Map<String, String> properties = new HashMap<>();
    properties.put(Constants.FRAMEWORK_STORAGE, dir.resolve(id + "-cache").toString());
    // A node that is started again has its state, but gets its bundles anew.
    properties.put(
        Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
    properties.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, ProbeBundle.lent());
    properties.put("felix.log.level", "1");
    // This process has several frameworks; none may take the handlers of URLs for itself.
    properties.put("felix.service.urlhandlers", "false");
    properties.put("felix.cm.pm", "memory");
    properties.put("ds.delayed.keepInstances", "true");
    properties.put("org.ops4j.pax.logging.DefaultServiceLog.level", "ERROR");
    Framework framework =
        ServiceLoader.load(FrameworkFactory.class, FelixNode.class.getClassLoader())
            .findFirst()
            .orElseThrow()
            .newFramework(properties);
    framework.start();
    FelixNode node = new FelixNode(id, framework);
    node.probes.open();
    try {
      BundleFiles.PLATFORM.forEach(node::install);
      // First what serves, so that the configuration is there when the components are.
      List<Bundle> own = bundles.stream().map(node::install).toList();
      BundleContext context = framework.getBundleContext();
      context.installBundle(probe.toUri().toString());
      for (Bundle bundle : context.getBundles()) {
        if (!own.contains(bundle)) {
          bundle.start();
        }
      }
      node.probe()
          .configure(
              "io.clowder.node",
              Map.of(
                  "id",
                  id,
                  "cluster",
                  "itests",
                  "members",
                  members,
                  "directory",
                  dir.resolve(id).toString()));
      for (Map.Entry<String, Map<String, String>> setting : settings.entrySet()) {
        node.probe().configure(setting.getKey(), setting.getValue());
      }
      for (Bundle bundle : own) {
        bundle.start();
      }
      return node;
    } catch (Exception | AssertionError e) {
      node.stop();
      throw e;
    }
  }

  String id() {
    return id;
  }

  /** As whom the test itself has and gives services. */
  BundleContext context() {
    return framework.getBundleContext();
  }

  /** The node's probe; waits for it while its bundle restarts. */
  Probe probe() throws InterruptedException {
    Probe probe = probes.waitForService(WAIT_MILLIS);
    if (probe == null) {
      throw new AssertionError("the probe in " + id + " is away for " + WAIT_MILLIS + " ms");
    }
    return probe;
  }

  /** Whether an OSGi condition is there. */
  boolean hasCondition(String id) throws InvalidSyntaxException {
    return !framework
        .getBundleContext()
        .getServiceReferences(Condition.class, "(" + Condition.CONDITION_ID + "=" + id + ")")
        .isEmpty();
  }

  Bundle bundle(String symbolicName) {
    for (Bundle bundle : framework.getBundleContext().getBundles()) {
      if (symbolicName.equals(bundle.getSymbolicName())) {
        return bundle;
      }
    }
    throw new AssertionError("no bundle " + symbolicName + " in " + id);
  }

  /** Installs another bundle and starts it. */
  Bundle install(Path file) throws BundleException {
    Bundle bundle = framework.getBundleContext().installBundle(file.toUri().toString());
    bundle.start();
    return bundle;
  }

  /** Refreshes a bundle and what is wired to it, and waits until that is done. */
  void refresh(Bundle bundle) throws Exception {
    CompletableFuture<FrameworkEvent> done = new CompletableFuture<>();
    framework
        .adapt(FrameworkWiring.class)
        .refreshBundles(
            List.of(bundle),
            event -> {
              if (event.getType() == FrameworkEvent.ERROR) {
                done.completeExceptionally(event.getThrowable());
              } else {
                done.complete(event);
              }
            });
    done.get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Returns when the node has applied all that was acknowledged anywhere. */
  void awaitServing() throws Exception {
    try {
      probe().catchUp();
    } catch (IllegalStateException e) {
      throw new AssertionError(id + " does not serve; components: " + probe().missing(), e);
    }
  }

  void stop() throws BundleException, InterruptedException {
    probes.close();
    framework.stop();
    FrameworkEvent event = framework.waitForStop(WAIT_MILLIS);
    if (event.getType() == FrameworkEvent.WAIT_TIMEDOUT) {
      throw new AssertionError("the framework of " + id + " does not stop");
    }
  }

  private Bundle install(String symbolicName) {
    try {
      // Copied, not referred to: a bundle may be updated from a file that was replaced.
      return framework
          .getBundleContext()
          .installBundle(BundleFiles.of(symbolicName).toUri().toString());
    } catch (BundleException e) {
      throw new AssertionError(symbolicName + " cannot be installed", e);
    }
  }
}
