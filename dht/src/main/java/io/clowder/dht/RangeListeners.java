// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.Range;
import io.clowder.api.dht.RangeListener;
import io.clowder.api.runtime.StringPlus;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who hears which ranges of a ring are this node's: the services that name the ring, or none, as
 * long as they do. Who ceases to has lost all for itself.
 */
final class RangeListeners implements ServiceTrackerCustomizer<RangeListener, RangeListener> {
  private static final Logger LOG = LoggerFactory.getLogger(RangeListeners.class);

  private final BundleContext context;
  private final String ring;
  private final Executor worker;
  private final Runnable changed;
  private final ServiceTracker<RangeListener, RangeListener> tracker;
  private final Map<RangeListener, List<Range>> told = new ConcurrentHashMap<>();

  /**
   * Hears of no services yet.
   *
   * @param worker has one thread, on which listeners are told
   * @param changed has {@link #tell} called on that thread
   */
  RangeListeners(BundleContext context, String ring, Executor worker, Runnable changed) {
    this.context = context;
    this.ring = ring;
    this.worker = worker;
    this.changed = changed;
    tracker = new ServiceTracker<>(context, RangeListener.class, this);
  }

  void open() {
    tracker.open();
  }

  /** Tells each what is another than what it was told last. On the worker. */
  void tell(List<Range> owned) {
    told.keySet().forEach(it -> tell(it, owned));
  }

  private void tell(RangeListener listener, List<Range> owned) {
    List<Range> before = told.replace(listener, owned);
    if (before != null) {
      tell(listener, before, owned);
    }
  }

  private void tell(RangeListener listener, List<Range> before, List<Range> owned) {
    List<Range> gained = Uncovered.of(owned, before);
    List<Range> lost = Uncovered.of(before, owned);
    if (gained.isEmpty() && lost.isEmpty()) {
      return;
    }
    try {
      listener.changed(ring, gained, lost);
    } catch (RuntimeException | Error e) {
      LOG.warn("range listener {} failed", listener.getClass().getName(), e);
    }
  }

  /**
   * Those that name another ring are not even made, if that is left to the first who needs them.
   */
  @Override
  public @Nullable RangeListener addingService(ServiceReference<RangeListener> reference) {
    RangeListener listener = isNamedBy(reference) ? context.getService(reference) : null;
    if (listener != null) {
      add(listener);
    }
    return listener;
  }

  private void add(RangeListener listener) {
    if (told.putIfAbsent(listener, List.of()) == null) {
      changed.run();
    }
  }

  private boolean isNamedBy(ServiceReference<RangeListener> reference) {
    Object property = reference.getProperty(RangeListener.RINGS);
    return property == null || StringPlus.of(property).contains(ring);
  }

  @Override
  public void modifiedService(ServiceReference<RangeListener> reference, RangeListener listener) {
    if (isNamedBy(reference)) {
      add(listener);
      return;
    }
    List<Range> before = told.remove(listener);
    if (before != null) {
      worker.execute(() -> tell(listener, before, List.of()));
    }
  }

  @Override
  public void removedService(ServiceReference<RangeListener> reference, RangeListener listener) {
    told.remove(listener);
    context.ungetService(reference);
  }

  void close() {
    tracker.close();
  }
}
