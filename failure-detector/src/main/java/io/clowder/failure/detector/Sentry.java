// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that owns a {@link Monitor}: brings it what happens and the time, and shows the others
 * what it knows. What comes in while it has no time waits in a queue; when that is full, messages
 * are lost, as on a network.
 */
final class Sentry implements Outlet, Transport.Receiver, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sentry.class);
  private static final int WAITING_MAX = 10_000;
  private static final long SHOW_NANOS = 200_000_000;
  private static final long QUALITIES_NANOS = 1_000_000_000;
  private static final long MEMBERS_NANOS = 1_000_000_000;
  private static final long STOP_MILLIS = 2_000;

  /** What a monitor knew at one time. */
  record Shown(
      SortedMap<NodeId, Suspicion> suspicions,
      SortedSet<NodeId> suspects,
      SortedMap<NodeId, QosReport> qualities,
      SelfReport self) {
    Shown {
      suspicions = Collections.unmodifiableSortedMap(suspicions);
      suspects = Collections.unmodifiableSortedSet(suspects);
      qualities = Collections.unmodifiableSortedMap(qualities);
    }
  }

  private final NodeId self;
  private final Transport transport;
  private final Supplier<@Nullable SortedSet<NodeId>> members;
  private final Consumer<FailureEvent> listener;
  private final LongConsumer everyTurn;
  private final RandomGenerator random = new SplittableRandom(new SecureRandom().nextLong());

  /** What is not a message is rare, and must not get lost. */
  private final BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();

  private final Deque<FailureEvent> history = new ArrayDeque<>();
  private final List<FailureEvent> fresh = new ArrayList<>();
  private final long origin = System.nanoTime();
  private final long incarnation = Math.max(1, millis());
  private final Thread thread = new Thread(this::run, "clowder-fd");
  private @Nullable Monitor started;
  private Transport.@Nullable Registration registration;
  private List<String> unwell = List.of();
  private int historySize;
  private long shownNanos;
  private long membersNanos;
  private long malformedMillis;
  private long failedMillis;
  private long qualitiesNanos;
  private SortedMap<NodeId, QosReport> qualities = new TreeMap<>();
  private boolean isFailing;
  private volatile Shown shown;
  private volatile boolean closed;

  /**
   * Sees nothing before {@link #start}.
   *
   * @param members of the cluster, as far as others know; null if they do not
   * @param listener is told each event, after it can be seen here
   * @param everyTurn is run by the thread several times a second, with its time
   */
  Sentry(
      NodeId self,
      Transport transport,
      Supplier<@Nullable SortedSet<NodeId>> members,
      Consumer<FailureEvent> listener,
      LongConsumer everyTurn) {
    this.self = self;
    this.transport = transport;
    this.members = members;
    this.listener = listener;
    this.everyTurn = everyTurn;
    SelfReport nothing = new SelfReport(incarnation, "", 0, 0, 0, 0, false, List.of());
    this.shown = new Shown(new TreeMap<>(), new TreeSet<>(), new TreeMap<>(), nothing);
  }

  /** Begins to watch. */
  void start(WatchSetting setting, String name, DetectionAlgorithm algorithm) {
    historySize = setting.historySize();
    started =
        new Monitor(
            self,
            incarnation,
            setting.goal(),
            setting.stallMillis() * 1_000_000L,
            name,
            algorithm.open(self, incarnation, setting.goal(), random),
            this,
            random,
            nanos());
    registration = transport.listen(Signal.TOPIC, this);
    thread.setDaemon(true);
    thread.start();
  }

  // ---- for any thread ------------------------------------------------------------------------

  /** What was known a moment ago. */
  Shown shown() {
    return shown;
  }

  /** The last events, the latest last. */
  List<FailureEvent> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  /** Goes on with another setting, under the same algorithm. */
  void set(WatchSetting setting) {
    post(
        () -> {
          synchronized (history) {
            historySize = setting.historySize();
          }
          monitor().set(setting.goal(), setting.stallMillis() * 1_000_000L);
        });
  }

  /** Goes on with another setting, and a new detector of an algorithm. */
  void use(WatchSetting setting, String name, DetectionAlgorithm algorithm) {
    post(
        () -> {
          long life = monitor().self().incarnation();
          Detector detector = algorithm.open(self, life, setting.goal(), random);
          monitor().set(setting.goal(), setting.stallMillis() * 1_000_000L);
          monitor().use(name, detector, nanos());
        });
    set(setting);
  }

  /** This node needs a larger incarnation than this one. */
  void outlive(long incarnation) {
    post(() -> monitor().rise(incarnation + 1, nanos()));
  }

  /** These parts of this node are not well; for {@code everyTurn} alone. */
  void unwell(List<String> parts) {
    if (!parts.equals(unwell)) {
      unwell = parts;
      monitor().unwell(parts, nanos());
      shownNanos = 0; // To be seen here as soon as there.
    }
  }

  /** The view with this number is current. */
  void view(long number) {
    post(() -> monitor().view(number));
  }

  @Override
  public void receive(NodeId from, ByteBuffer payload) {
    if (waiting.size() < WAITING_MAX) {
      post(() -> take(from, payload));
    }
  }

  @Override
  public void connected(NodeId peer) {
    post(() -> monitor().connected(peer, nanos()));
  }

  @Override
  public void disconnected(NodeId peer) {
    post(() -> monitor().disconnected(peer, nanos()));
  }

  @Override
  public void refused(NodeId peer) {
    post(() -> monitor().refused(peer, nanos()));
  }

  private void post(Runnable task) {
    waiting.add(task);
  }

  /** Says goodbye and ends; waits for that, two seconds at most. */
  @Override
  public void close() {
    closed = true;
    waiting.clear();
    waiting.offer(() -> {});
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      LOG.error("the failure detector's thread does not end");
      thread.interrupt();
    }
    if (registration != null) {
      registration.close();
    }
  }

  // ---- for the thread ------------------------------------------------------------------------

  private void run() {
    while (!closed) {
      try {
        turn();
      } catch (InterruptedException e) {
        break;
      }
    }
    attempt(() -> monitor().goodbye(nanos()));
  }

  /** Whatever an algorithm or a message does, the watch goes on. */
  private void attempt(Runnable part) {
    try {
      part.run();
    } catch (RuntimeException | Error e) {
      isFailing = true;
      if (millis() - failedMillis > 10_000) {
        failedMillis = millis();
        LOG.error("the failure detector failed, and goes on", e);
      }
    }
  }

  private Monitor monitor() {
    if (started == null) {
      throw new IllegalStateException("the watch has not begun");
    }
    return started;
  }

  private void turn() throws InterruptedException {
    long pause = Math.max(isFailing ? Stalls.TICK_NANOS : 0, pauseNanos());
    isFailing = false;
    Runnable task = waiting.poll(pause, TimeUnit.NANOSECONDS);
    for (int left = WAITING_MAX; task != null && !closed; left--) {
      attempt(task);
      task = left > 0 ? waiting.poll() : null;
    }
    attempt(this::watch);
    attempt(() -> everyTurn.accept(nanos()));
    attempt(this::tell);
  }

  private long pauseNanos() {
    try {
      return Math.min(Stalls.TICK_NANOS, monitor().wakeAt() - nanos());
    } catch (RuntimeException | Error e) {
      return Stalls.TICK_NANOS; // The next attempt says what it is.
    }
  }

  private void watch() {
    long now = nanos();
    if (now - membersNanos >= MEMBERS_NANOS || membersNanos == 0) {
      membersNanos = now;
      monitor().members(members(), now);
    }
    if (monitor().wakeAt() <= now) {
      monitor().tick(now);
    }
  }

  private void tell() {
    long now = nanos();
    if (fresh.isEmpty() && now - shownNanos < SHOW_NANOS) {
      return;
    }
    shownNanos = now;
    shown = show();
    List<FailureEvent> events = List.copyOf(fresh);
    fresh.clear();
    events.forEach(listener);
  }

  private SortedSet<NodeId> members() {
    SortedSet<NodeId> linked = new TreeSet<>();
    transport.links().forEach(link -> linked.add(link.peer()));
    SortedSet<NodeId> known = members.get();
    if (known != null && known.contains(self)) {
      linked.retainAll(known);
    }
    return linked;
  }

  private void take(NodeId from, ByteBuffer payload) {
    try {
      monitor().received(from, Signal.decode(payload), nanos());
    } catch (WireFormatException e) {
      if (millis() - malformedMillis > 1_000) {
        malformedMillis = millis();
        LOG.warn("message of {} ignored: {}", from, e.getMessage());
      }
    }
  }

  private Shown show() {
    SortedMap<NodeId, Suspicion> suspicions = monitor().suspicions();
    SortedSet<NodeId> suspects = new TreeSet<>();
    for (Suspicion it : suspicions.values()) {
      if (it.isSuspect()) {
        suspects.add(it.node());
      }
    }
    if (nanos() - qualitiesNanos >= QUALITIES_NANOS
        || !qualities.keySet().equals(suspicions.keySet())) {
      qualitiesNanos = nanos();
      qualities = monitor().qualities();
    }
    return new Shown(suspicions, suspects, qualities, monitor().self());
  }

  private long nanos() {
    return System.nanoTime() - origin;
  }

  @Override
  public boolean send(NodeId to, Signal signal) {
    ByteBuffer payload = signal.encode();
    return transport.sendUrgent(to, Signal.TOPIC, payload)
        || transport.send(to, Signal.TOPIC, payload);
  }

  @Override
  public long silentNanos(NodeId peer) {
    for (Transport.Link link : transport.links()) {
      if (link.peer().equals(peer)) {
        return link.silentNanos();
      }
    }
    return -1;
  }

  @Override
  public long millis() {
    return System.currentTimeMillis();
  }

  @Override
  public void happened(FailureEvent event) {
    if (event.kind() == Kind.SUSPECT) {
      LOG.warn("{} is suspected ({}): {}", event.node(), event.evidence(), event.detail());
    } else {
      LOG.info("{} is trusted ({})", event.node(), event.evidence());
    }
    synchronized (history) {
      history.add(event);
      while (history.size() > historySize) {
        history.poll();
      }
    }
    fresh.add(event);
  }
}
