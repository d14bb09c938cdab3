// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.FailureDetector;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureListener;
import io.clowder.api.failure.Liveness;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.runtime.StringPlus;
import io.clowder.api.shell.Diagnosis;
import io.clowder.api.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;

/**
 * This node's failure detector: a {@link Sentry} that watches by the algorithm that is configured,
 * the committed view of the group {@code main} if there is one, and the services that listen to
 * both or speak for this node. A change of the configuration, or of the algorithms, is taken over
 * without an end.
 */
@Component(
    service = {FailureDetector.class, Diagnosis.class},
    immediate = true,
    configurationPid = WatchSetting.PID)
@Designate(ocd = WatchSetting.Config.class)
public final class ClusterWatch implements FailureDetector, Diagnosis {
  private static final long CHECK_MILLIS = 500;

  /** How long listeners have at the end to hear the last of it. */
  private static final long TELL_MILLIS = 1_000;

  private final Algorithms algorithms = new Algorithms();
  private final Checks checks = new Checks(System::nanoTime);
  private final ThreadPoolExecutor telling =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE, // One for each listener that is being told.
          1,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          task -> daemon(task, "clowder-fd-listener"));
  private final Announcements announcements = new Announcements(telling);
  private final ScheduledThreadPoolExecutor checking =
      new ScheduledThreadPoolExecutor(1, task -> daemon(task, "clowder-fd-liveness"));
  private final BundleContext context;
  private final NodeId self;
  private WatchSetting setting;
  private volatile Algorithms.Choice choice;
  private final Sentry sentry;
  private volatile @Nullable ViewGroup group;
  private long viewNanos;
  private boolean begun;
  private volatile String refused = "";

  /** The component. */
  @Activate
  public ClusterWatch(
      BundleContext context,
      @Reference(name = "node") Node node,
      @Reference(name = "transport") Transport transport,
      WatchSetting.Config config) {
    this.context = context;
    this.self = node.id();
    this.setting = WatchSetting.of(config);
    this.choice = algorithms.choose(setting.algorithm());
    this.sentry = new Sentry(self, transport, this::members, announcements::happened, this::turn);
  }

  /** Begins, when the algorithms that are there already are known. */
  @Activate
  public synchronized void begin() {
    sentry.start(setting, choice.name(), choice.algorithm());
    begun = true;
    group =
        new ViewGroup(
            context,
            self,
            setting.reportMillis(),
            () -> sentry.shown().self().incarnation(),
            () -> sentry.shown().suspicions(),
            sentry::outlive,
            this::viewed);
    var unused =
        checking.scheduleWithFixedDelay(checks::round, 0, CHECK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Takes a change of the configuration over. */
  @Modified
  public synchronized void change(WatchSetting.Config config) {
    DetectionGoal goal = setting.goal();
    Algorithms.Choice before = choice;
    try {
      setting = WatchSetting.of(config);
      refused = "";
    } catch (IllegalArgumentException e) {
      refused = e.getMessage();
      throw e;
    }
    ViewGroup views = group;
    if (views != null) {
      views.reportAfter(setting.reportMillis());
    }
    choice = algorithms.choose(setting.algorithm());
    if (choice.equals(before) && setting.goal().equals(goal)) {
      sentry.set(setting);
    } else {
      sentry.use(setting, choice.name(), choice.algorithm());
    }
  }

  /** A thread that keeps no process alive. */
  static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  // ---- services that come and go -------------------------------------------------------------

  /** An algorithm is there. */
  @Reference(
      name = "algorithms",
      service = DetectionAlgorithm.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public synchronized void bindAlgorithm(ServiceReference<DetectionAlgorithm> reference) {
    DetectionAlgorithm algorithm = context.getService(reference);
    if (algorithm != null) {
      algorithms.add(reference, algorithm);
      choose();
    }
  }

  /** It is gone; another one takes over. */
  public synchronized void unbindAlgorithm(ServiceReference<DetectionAlgorithm> reference) {
    algorithms.remove(reference);
    choose();
    context.ungetService(reference);
  }

  private void choose() {
    Algorithms.Choice next = algorithms.choose(setting.algorithm());
    if (!next.equals(choice)) {
      choice = next;
      if (begun) {
        sentry.use(setting, next.name(), next.algorithm());
      }
    }
  }

  /** Somebody wants to hear. */
  @Reference(
      name = "listeners",
      service = FailureListener.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindListener(ServiceReference<FailureListener> reference) {
    FailureListener listener = context.getService(reference);
    if (listener != null) {
      announcements.add(reference, listener, nodes(reference.getProperty(FailureListener.NODES)));
    }
  }

  /** It wants to hear of others. */
  public void updatedListener(ServiceReference<FailureListener> reference) {
    bindListener(reference);
    context.ungetService(reference);
  }

  /** Not any more. */
  public void unbindListener(ServiceReference<FailureListener> reference) {
    announcements.remove(reference);
    context.ungetService(reference);
  }

  /** A part of this node speaks for itself. */
  @Reference(
      name = "liveness",
      service = Liveness.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindLiveness(ServiceReference<Liveness> reference) {
    Liveness liveness = context.getService(reference);
    if (liveness != null) {
      Object name = reference.getProperty(Liveness.NAME);
      Object number = reference.getProperty(Constants.SERVICE_ID);
      checks.add(reference, name == null ? "service " + number : name.toString(), liveness);
    }
  }

  /** It does not any more. */
  public void unbindLiveness(ServiceReference<Liveness> reference) {
    checks.remove(reference);
    context.ungetService(reference);
  }

  /** What a listener's property says: an id or several. */
  static Predicate<NodeId> nodes(@Nullable Object property) {
    List<String> wanted = StringPlus.of(property);
    return node -> property == null || wanted.contains(node.value());
  }

  // ---- on the sentry's thread ----------------------------------------------------------------

  private @Nullable SortedSet<NodeId> members() {
    ViewGroup views = group;
    GroupStatus status = views == null ? null : views.status();
    return status == null || status.members().isEmpty()
        ? null
        : new TreeSet<>(status.members().keySet());
  }

  private void turn(long nanos) {
    ViewGroup views = group;
    if (views != null && nanos - viewNanos >= ViewKeeper.TICK_NANOS) {
      viewNanos = nanos;
      views.tick(nanos);
    }
    sentry.unwell(checks.unwell());
  }

  /** On the replica's thread. */
  private void viewed(ClusterView view) {
    sentry.view(view.number());
    announcements.viewed(view);
  }

  // ---- what others ask -----------------------------------------------------------------------

  @Override
  public SortedMap<NodeId, Suspicion> suspicions() {
    return sentry.shown().suspicions();
  }

  @Override
  public SortedSet<NodeId> suspects() {
    return sentry.shown().suspects();
  }

  @Override
  public ClusterView view() {
    ViewGroup views = group;
    ClusterView view = views == null ? null : views.view();
    if (view != null) {
      return view;
    }
    SortedSet<NodeId> known = new TreeSet<>(suspicions().keySet());
    known.add(self);
    return new ClusterView(0, 0, known, new TreeSet<>(), false);
  }

  @Override
  public @Nullable QosReport qos(NodeId node) {
    return sentry.shown().qualities().get(node);
  }

  @Override
  public SelfReport self() {
    return sentry.shown().self();
  }

  @Override
  public List<FailureEvent> history() {
    return sentry.history();
  }

  @Override
  public List<String> problems() {
    List<String> problems = new ArrayList<>(Problems.of(this, System.currentTimeMillis()));
    if (!refused.isEmpty()) {
      problems.add("configuration: refused, the one before counts: " + refused);
    }
    return problems;
  }

  /** Says goodbye and ends. */
  @Deactivate
  public void close() {
    checking.shutdownNow();
    sentry.close();
    ViewGroup views = group;
    if (views != null) {
      views.close();
    }
    announcements.end(System.currentTimeMillis());
    telling.shutdown();
    try {
      if (!telling.awaitTermination(TELL_MILLIS, TimeUnit.MILLISECONDS)) {
        telling.shutdownNow();
      }
    } catch (InterruptedException e) {
      telling.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
