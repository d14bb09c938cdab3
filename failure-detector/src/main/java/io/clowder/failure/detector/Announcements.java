// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.FailureListener;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners what happened, each at its own pace: one that hangs keeps a thread and some
 * events, nothing else. Thread-safe.
 */
final class Announcements {
  /** When so many events wait for one listener, only the last one about each node is kept. */
  static final int WAITING_MAX = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(Announcements.class);

  private final ExecutorService threads;
  private final Map<Object, Hearing> hearings = new HashMap<>();
  private final Map<NodeId, FailureEvent> suspicions = new HashMap<>();
  private @Nullable ClusterView view;

  /**
   * Tells nobody yet.
   *
   * @param threads has a thread for each listener that is being told, whatever the others do
   */
  Announcements(ExecutorService threads) {
    this.threads = threads;
  }

  /** Tells a listener from now on, beginning with who is suspected already. */
  synchronized void add(Object key, FailureListener listener, Predicate<NodeId> nodes) {
    Hearing hearing = hearings.get(key);
    if (hearing == null) {
      hearing = new Hearing(listener);
      hearings.put(key, hearing);
    }
    hearing.listenTo(nodes);
    suspicions.values().forEach(hearing::offer);
    ClusterView present = view;
    if (present != null) {
      hearing.offer(present);
    }
  }

  /** Nobody is suspected any more, because nobody looks. */
  synchronized void end(long timeMillis) {
    for (FailureEvent event : List.copyOf(suspicions.values())) {
      happened(
          new FailureEvent(
              Kind.TRUST,
              event.node(),
              event.incarnation(),
              Evidence.NONE,
              "the failure detector stops",
              event.view(),
              timeMillis));
    }
  }

  /** No call to the listener begins after this, but one may be under way. */
  synchronized void remove(Object key) {
    Hearing hearing = hearings.remove(key);
    if (hearing != null) {
      hearing.end();
    }
  }

  synchronized void happened(FailureEvent event) {
    if (event.kind() == Kind.SUSPECT) {
      suspicions.put(event.node(), event);
    } else {
      suspicions.remove(event.node());
    }
    hearings.values().forEach(it -> it.offer(event));
  }

  synchronized void viewed(ClusterView next) {
    view = next;
    hearings.values().forEach(it -> it.offer(next));
  }

  /** One listener, and what it is still to be told. */
  private final class Hearing implements Runnable {
    private final FailureListener listener;
    private final Deque<FailureEvent> waiting = new ArrayDeque<>();
    private final Set<NodeId> toldSuspects = new HashSet<>();
    private @Nullable ClusterView view;
    private Predicate<NodeId> nodes = node -> true;
    private boolean running;
    private boolean over;

    Hearing(FailureListener listener) {
      this.listener = listener;
    }

    synchronized void listenTo(Predicate<NodeId> wanted) {
      nodes = wanted;
    }

    synchronized void offer(FailureEvent event) {
      // Of whom it knows a suspicion it hears the end.
      if (nodes.test(event.node()) || event.kind() == Kind.TRUST) {
        if (waiting.size() >= WAITING_MAX) {
          Map<NodeId, FailureEvent> last = new LinkedHashMap<>();
          waiting.forEach(it -> last.put(it.node(), it));
          waiting.clear();
          waiting.addAll(last.values());
        }
        waiting.add(event);
        start();
      }
    }

    synchronized void offer(ClusterView next) {
      view = next;
      start();
    }

    synchronized void end() {
      over = true;
    }

    private void start() {
      if (!running && !over) {
        try {
          threads.execute(this);
          running = true;
        } catch (RejectedExecutionException e) {
          over = true; // The detector is closed.
        }
      }
    }

    @Override
    public void run() {
      while (true) {
        FailureEvent event;
        ClusterView next = null;
        synchronized (this) {
          event = over ? null : next();
          if (event == null && !over) {
            next = view;
            view = null;
          }
          if (event == null && next == null) {
            running = false;
            return;
          }
        }
        try {
          if (event != null) {
            listener.happened(event);
          } else if (next != null) {
            listener.viewed(next);
          }
        } catch (RuntimeException | Error e) {
          LOG.warn("failure listener {} failed", listener.getClass().getName(), e);
        }
      }
    }

    /** The next event that changes what the listener knows. */
    private @Nullable FailureEvent next() {
      for (FailureEvent event = waiting.poll(); event != null; event = waiting.poll()) {
        boolean changes =
            event.kind() == Kind.SUSPECT
                ? toldSuspects.add(event.node())
                : toldSuspects.remove(event.node());
        if (changes) {
          return event;
        }
      }
      return null;
    }
  }
}
