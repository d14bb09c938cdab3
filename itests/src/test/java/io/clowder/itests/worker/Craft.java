// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.worker;

import io.clowder.api.Node;
import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskHandler;
import io.clowder.itests.probe.Workshop;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;

/**
 * Runs tasks of the types that its bundle's header {@code Task-Types} names, by the last part of
 * their types: {@code echo} returns its payload; {@code hold} waits at a gate of its payload's
 * name, and {@code stubborn}, which minds no interrupt, at one of its payload's name and its
 * attempt; both return the node and the bundle's version.
 */
public final class Craft implements BundleActivator, TaskHandler {
  private @Nullable BundleContext bundle;

  @Override
  public void start(BundleContext context) {
    bundle = context;
    String types = context.getBundle().getHeaders().get("Task-Types");
    context.registerService(
        TaskHandler.class,
        this,
        FrameworkUtil.asDictionary(Map.of(TaskHandler.TYPE, types.split(" "))));
  }

  @Override
  public void stop(BundleContext context) {
    // The framework takes back what was registered.
  }

  @Override
  public byte[] execute(TaskContext task) throws Exception {
    String payload = new String(task.payload(), StandardCharsets.UTF_8);
    BundleContext context = context();
    // Asked now: while its bundle stops, it may not ask any more.
    String node = node(context);
    String version = context.getBundle().getVersion().toString();
    Workshop.begun(
        new Workshop.Deed(
            task.id().number(),
            task.type(),
            payload,
            node,
            version,
            task.attempt(),
            task.fence().resource(),
            task.fence().token(),
            text(task.scheduledFor())));
    switch (task.type().replaceFirst(".*/", "")) {
      case "echo" -> {
        return task.payload();
      }
      case "hold" -> Workshop.pass(payload);
      case "stubborn" -> passStubbornly(payload + "/" + task.attempt());
      default -> throw new IllegalStateException("nobody has learnt " + task.type());
    }
    return (node + " " + version).getBytes(StandardCharsets.UTF_8);
  }

  private BundleContext context() {
    if (bundle == null) {
      throw new IllegalStateException("not started");
    }
    return bundle;
  }

  private static String node(BundleContext context) {
    ServiceReference<Node> found = context.getServiceReference(Node.class);
    return found == null ? "?" : context.getService(found).id().value();
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }

  private static void passStubbornly(String gate) {
    while (true) {
      try {
        Workshop.pass(gate);
        return;
      } catch (InterruptedException e) {
        // That is what is tested.
      }
    }
  }
}
