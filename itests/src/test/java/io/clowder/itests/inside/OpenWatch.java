// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureListener;
import io.clowder.api.failure.Liveness;
import io.clowder.itests.probe.Watch;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** The services by which a {@link Watch} hears and speaks. */
final class OpenWatch implements Watch {
  private final BundleContext context;
  private final Map<String, Boolean> parts = new ConcurrentHashMap<>();
  private final Map<String, ServiceRegistration<?>> spoken = new ConcurrentHashMap<>();
  private @Nullable ServiceRegistration<?> algorithm;

  OpenWatch(BundleContext context) {
    this.context = context;
  }

  @Override
  public Ear listen(String... nodes) {
    return new Listener(context, nodes);
  }

  @Override
  public void offerAlgorithm(String name) {
    DetectionAlgorithm trusting = (self, incarnation, goal, random) -> new TrustingDetector();
    algorithm =
        context.registerService(
            DetectionAlgorithm.class,
            trusting,
            FrameworkUtil.asDictionary(Map.of(DetectionAlgorithm.ALGORITHM, name)));
  }

  @Override
  public void withdrawAlgorithm() {
    if (algorithm != null) {
      algorithm.unregister();
      algorithm = null;
    }
  }

  @Override
  public void speak(String part, boolean alive) {
    parts.put(part, alive);
    spoken.computeIfAbsent(
        part,
        name ->
            context.registerService(
                Liveness.class,
                () -> parts.get(name),
                FrameworkUtil.asDictionary(Map.of(Liveness.NAME, name))));
  }

  @Override
  public void fallSilent() {
    spoken.values().forEach(ServiceRegistration::unregister);
    spoken.clear();
  }

  /** Notes what it hears. */
  private static final class Listener implements FailureListener, Ear {
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final List<Long> views = new CopyOnWriteArrayList<>();
    private final ServiceRegistration<?> registration;

    Listener(BundleContext context, String... nodes) {
      Map<String, Object> properties =
          nodes.length == 0 ? Map.of() : Map.of(FailureListener.NODES, nodes);
      registration =
          context.registerService(
              FailureListener.class, this, FrameworkUtil.asDictionary(properties));
    }

    @Override
    public void happened(FailureEvent it) {
      events.add(
          new Event(
              it.kind().name(),
              it.node().value(),
              it.incarnation(),
              it.evidence().name(),
              it.detail(),
              it.view()));
    }

    @Override
    public void viewed(ClusterView view) {
      views.add(view.number());
    }

    @Override
    public List<Event> events() {
      return List.copyOf(events);
    }

    @Override
    public List<Long> views() {
      return List.copyOf(views);
    }

    @Override
    public void close() {
      registration.unregister();
    }
  }
}
