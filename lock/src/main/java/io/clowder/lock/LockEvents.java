// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened to locks as this node has applied it: keeps the latest, and tells listeners.
 * Thread-safe; listeners are called outside of any lock, on the executor.
 */
public final class LockEvents implements LockTable.Observer {
  /** How many events may wait for slow listeners. */
  private static final int WAITING_MAX = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(LockEvents.class);

  private final int size;
  private final Executor executor;

  private record Listening(LockListener listener, Predicate<String> names) {}

  private final Map<Object, Listening> listeners = new ConcurrentHashMap<>();
  private final Deque<LockEvent> latest = new ArrayDeque<>();
  private final Deque<LockEvent> waiting = new ArrayDeque<>();
  private long last;
  private boolean missed;
  private boolean telling;

  /**
   * A history of nothing.
   *
   * @param size how many events are kept
   * @param executor tells the listeners
   */
  public LockEvents(int size, Executor executor) {
    this.size = size;
    this.executor = executor;
  }

  /** Tells a listener of locks with these names, until what it is known by is removed. */
  void add(Object key, LockListener listener, Predicate<String> names) {
    listeners.put(key, new Listening(listener, names));
  }

  void remove(Object key) {
    listeners.remove(key);
  }

  @Override
  public synchronized void happened(List<LockEvent> events) {
    if (events.isEmpty() || events.get(0).position() <= last) {
      return; // The replica started again from an older state.
    }
    last = events.get(0).position();
    for (LockEvent event : events) {
      if (event.kind() == LockEvent.Kind.REVOKED) {
        LOG.warn(
            "lock {} was taken from {} on {} (token {}): {}",
            event.name(),
            event.bundle(),
            event.node(),
            event.token(),
            event.reason());
      }
      if (size > 0) {
        if (latest.size() == size) {
          latest.poll();
        }
        latest.add(event);
      }
      if (listeners.isEmpty()) {
        continue;
      } else if (waiting.size() == WAITING_MAX) {
        waiting.clear();
        missed = true;
      }
      waiting.add(event);
    }
    tell();
  }

  @Override
  public synchronized void restored() {
    missed = !listeners.isEmpty();
    tell();
  }

  private void tell() {
    if (!telling && (missed || !waiting.isEmpty())) {
      telling = true;
      executor.execute(this::run);
    }
  }

  private void run() {
    while (true) {
      boolean gap;
      List<LockEvent> events;
      synchronized (this) {
        gap = missed;
        missed = false;
        events = new ArrayList<>(waiting);
        waiting.clear();
        if (!gap && events.isEmpty()) {
          telling = false;
          return;
        }
      }
      listeners.values().forEach(it -> tell(it, gap, events));
    }
  }

  private static void tell(Listening one, boolean gap, List<LockEvent> events) {
    if (gap) {
      call(one.listener, one.listener::missed);
    }
    for (LockEvent event : events) {
      if (one.names.test(event.name())) {
        call(one.listener, () -> one.listener.happened(event));
      }
    }
  }

  private static void call(LockListener listener, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      LOG.warn("lock listener {} failed", listener.getClass().getName(), e);
    }
  }

  /** The latest events of one lock, or of all if the name is null; the latest last. */
  List<LockEvent> of(@Nullable String name) {
    List<LockEvent> all;
    synchronized (this) {
      all = List.copyOf(latest);
    }
    return all.stream().filter(event -> name == null || event.name().equals(name)).toList();
  }
}
