// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The framework of a node. It is built anew from the folders at every start: no bundle and no
 * configuration is remembered elsewhere.
 */
final class Container {
  /** How long a node may take to stop; then the process ends all the same. */
  static final Duration STOP_TIME = Duration.ofSeconds(10);

  private static final Logger log = LoggerFactory.getLogger(Container.class);

  /** From this start level on, bundles are ours, and copied: their files may be replaced. */
  private static final int OWN_LEVEL = 3;

  /**
   * What the bundles get from the launcher's class path: logging (twice, for those that were built
   * against SLF4J 1.7), and the API of components and of the framework's log, through which the
   * launcher speaks to both.
   */
  private static final String LENT =
      "org.slf4j;org.slf4j.event;org.slf4j.helpers;org.slf4j.spi;version=\"2.0.20\","
          + "org.slf4j;org.slf4j.helpers;org.slf4j.spi;version=\"1.7.36\","
          + "org.osgi.service.log;version=\"1.5\","
          + "org.osgi.service.component;org.osgi.service.component.propertytypes;version=\"1.5.1\","
          + "org.osgi.service.component.runtime;org.osgi.service.component.runtime.dto;version=\"1.5\","
          + "org.osgi.util.promise;version=\"1.3\",org.osgi.util.function;version=\"1.2\"";

  private final Framework framework;

  private Container(Framework framework) {
    this.framework = framework;
  }

  /** Starts the framework and every bundle; returns when all that can be active is. */
  static Container start(NodeDirectory directory, Distribution distribution)
      throws IOException, BundleException, CommandFailure {
    // JLine and others look for providers through this loader and must find their own bundle's.
    Thread.currentThread().setContextClassLoader(null);
    FrameworkFactory factory =
        ServiceLoader.load(FrameworkFactory.class, Container.class.getClassLoader())
            .findFirst()
            .orElseThrow(() -> CommandFailure.failed("no OSGi framework in lib/; unpack it again"));
    Framework framework = factory.newFramework(properties(directory, distribution));
    framework.init(Container::report);
    FrameworkLog.follow(framework.getBundleContext());
    install(framework.getBundleContext(), distribution.bundlesByLevel());
    framework.start();
    return new Container(framework);
  }

  Framework framework() {
    return framework;
  }

  /**
   * Waits until every component of ours serves.
   *
   * @throws CommandFailure with the reason, as soon as one fails to start
   */
  void awaitComponents(Duration limit) throws CommandFailure, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    List<String> waiting;
    do {
      ServiceComponentRuntime components = service(ServiceComponentRuntime.class);
      if (components == null) {
        throw CommandFailure.failed("the components runtime did not start; see the node's log");
      }
      String failure = ComponentFailures.failed(components);
      if (failure != null) {
        throw CommandFailure.usage(failure);
      }
      waiting = ComponentFailures.waiting(components);
      if (waiting.isEmpty()) {
        activateAll();
        failure = ComponentFailures.failed(components);
        if (failure != null) {
          throw CommandFailure.usage(failure);
        }
        return;
      }
      Thread.sleep(50);
    } while (System.nanoTime() < end);
    waiting.forEach(component -> log.warn("Not serving: {}", component));
  }

  /** Returns when the framework has stopped for good. */
  void awaitStop() throws InterruptedException {
    FrameworkEvent event;
    do {
      event = framework.waitForStop(0);
      // The shell's "update 0" stops the framework to start it again.
    } while (event.getType() == FrameworkEvent.STOPPED_UPDATE);
  }

  /** Stops every bundle, then the framework; gives up after {@link #STOP_TIME}. */
  void stop() throws BundleException, InterruptedException {
    framework.stop();
    if (framework.waitForStop(STOP_TIME.toMillis()).getType() == FrameworkEvent.WAIT_TIMEDOUT) {
      log.warn("Not stopped after {}; ending the process", STOP_TIME);
    }
  }

  /** Components are made at first use: a configuration that one refuses must not wait for that. */
  private void activateAll() {
    for (Bundle bundle : framework.getBundleContext().getBundles()) {
      ServiceReference<?>[] services = bundle.getRegisteredServices();
      if (services != null && bundle.getSymbolicName().startsWith(ComponentFailures.OURS)) {
        for (ServiceReference<?> service : services) {
          framework.getBundleContext().getService(service);
          framework.getBundleContext().ungetService(service);
        }
      }
    }
  }

  private <T> @Nullable T service(Class<T> type) {
    BundleContext context = framework.getBundleContext();
    ServiceReference<T> reference = context == null ? null : context.getServiceReference(type);
    return reference == null ? null : context.getService(reference);
  }

  private static Map<String, String> properties(NodeDirectory node, Distribution distribution) {
    Map<String, String> properties = new HashMap<>();
    properties.put(Constants.FRAMEWORK_STORAGE, node.cache().toString());
    properties.put(
        Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
    properties.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, LENT);
    properties.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, Integer.toString(OWN_LEVEL));
    // Errors come as framework events, which go to the log.
    properties.put("felix.log.level", "0");
    // A protocol that nobody uses for a moment must not be thrown away with its state.
    properties.put("ds.delayed.keepInstances", "true");
    // Files are the only memory of configuration: a file that is gone must not live on.
    properties.put("felix.cm.pm", "memory");
    properties.put("felix.fileinstall.dir", node.etc() + "," + node.plugins());
    properties.put("felix.fileinstall.poll", "1000");
    properties.put("felix.fileinstall.noInitialDelay", "true");
    properties.put("felix.fileinstall.start.level", Integer.toString(OWN_LEVEL));
    properties.put("felix.fileinstall.tmpdir", node.temporary().toString());
    properties.put("felix.fileinstall.log.level", "2");
    properties.put("gosh.args", "--nointeractive --nohistory");
    properties.put("gosh.home", distribution.home().toString());
    return properties;
  }

  private static void install(BundleContext context, SortedMap<Integer, List<Path>> levels)
      throws BundleException {
    for (Map.Entry<Integer, List<Path>> level : levels.entrySet()) {
      for (Path jar : level.getValue()) {
        String location = jar.toUri().toString();
        Bundle bundle =
            context.installBundle(level.getKey() < OWN_LEVEL ? "reference:" + location : location);
        bundle.adapt(BundleStartLevel.class).setStartLevel(level.getKey());
        if ((bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) == 0) {
          bundle.start();
        }
      }
    }
  }

  private static void report(FrameworkEvent event) {
    if (event.getType() == FrameworkEvent.ERROR) {
      log.error("Bundle {}: ", event.getBundle(), event.getThrowable());
    } else if (event.getType() == FrameworkEvent.WARNING) {
      log.warn("Bundle {}: ", event.getBundle(), event.getThrowable());
    }
  }
}
