// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.election.Candidate;
import io.clowder.api.lock.LockService;
import io.clowder.api.runtime.ThreadTimer;
import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The elections of this node: whoever is registered as a {@link Candidate} stands as long as the
 * locks of its group are here. An election is a lock {@code election/NAME}, its epochs are the
 * lock's tokens; see {@link Candidacy} for what happens to one candidate.
 *
 * <p>A candidate that is unregistered, or whose lock service goes, has been told that it does not
 * lead any more before it, or the lock service, is gone; unless that takes it over {@link
 * #TOLD_MAX}.
 */
@Component(
    service = {},
    immediate = true)
public final class Elections {
  /** How long whoever unregisters something is held up at most. */
  static final Duration TOLD_MAX = Duration.ofSeconds(5);

  /** As many calls to candidates and to the registry may be under way at once. */
  private static final int THREADS_MAX = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Elections.class);

  /**
   * A candidate that is registered.
   *
   * @param standing null if its properties make no sense
   */
  private record Registered(Candidacy candidacy, @Nullable Standing standing) {}

  private record Leaving(Candidacy candidacy, CompletionStage<Void> left) {}

  private final Candidacy.Registry registry;
  private final LongFunction<String> bundles;
  private final Timer timer;
  private final Executor threads;
  private final Map<String, LockService> groups = new HashMap<>();
  private final Map<Object, Registered> candidates = new HashMap<>();
  private boolean closed;

  /** The component. */
  @Activate
  public Elections(BundleContext context) {
    this(
        new Services(context),
        number -> name(context.getBundle(number)),
        new ThreadTimer("clowder-elections"),
        threads());
  }

  /**
   * Elections of no one yet.
   *
   * @param bundles names of bundles by their number
   * @param timer closed with this instance
   */
  Elections(
      Candidacy.Registry registry, LongFunction<String> bundles, Timer timer, Executor threads) {
    this.registry = registry;
    this.bundles = bundles;
    this.timer = timer;
    this.threads = threads;
  }

  /**
   * A thread for each call that is under way, so that a candidate that does not return keeps only
   * itself waiting. Nobody shuts them down: what a candidate is told late must still be told.
   */
  private static Executor threads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            THREADS_MAX,
            THREADS_MAX,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "clowder-candidates");
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  private static String name(@Nullable Bundle bundle) {
    String name = bundle == null ? null : bundle.getSymbolicName();
    return name == null ? "" : LockName.cut(name);
  }

  /** Somebody stands. */
  @Reference(
      name = "candidate",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public synchronized void bindCandidate(Candidate candidate, Map<String, Object> properties) {
    if (!closed) {
      Candidacy candidacy = new Candidacy(candidate, registry, timer, threads);
      put(key(properties), new Registered(candidacy, standing(properties)));
    }
  }

  /** It stands for something else, perhaps. */
  public synchronized void updatedCandidate(Candidate candidate, Map<String, Object> properties) {
    Registered before = candidates.get(key(properties));
    Standing standing = standing(properties);
    if (before != null && !Objects.equals(standing, before.standing())) {
      put(key(properties), new Registered(before.candidacy(), standing));
    }
  }

  private void put(Object key, Registered registered) {
    candidates.put(key, registered);
    Standing standing = registered.standing();
    LockService locks = standing == null ? null : groups.get(standing.group());
    if (standing != null && locks != null) {
      registered.candidacy().stand(standing, locks);
    } else {
      var unused = registered.candidacy().leave();
    }
  }

  /** It does not stand any more. */
  public void unbindCandidate(Candidate candidate, Map<String, Object> properties) {
    Registered left;
    synchronized (this) {
      left = candidates.remove(key(properties));
    }
    if (left != null) {
      await(List.of(leave(left)));
    }
  }

  private static Object key(Map<String, Object> properties) {
    return properties.get(Constants.SERVICE_ID);
  }

  private @Nullable Standing standing(Map<String, Object> properties) {
    String bundle =
        properties.get(Constants.SERVICE_BUNDLEID) instanceof Long number
            ? bundles.apply(number)
            : "";
    try {
      return Standing.of(properties, null, bundle);
    } catch (IllegalArgumentException e) {
      LOG.warn("a candidate of {} does not stand: {}", bundle, e.getMessage());
      return null;
    }
  }

  /** A group's locks are there. */
  @Reference(
      name = "locks",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public synchronized void bindLocks(LockService locks, Map<String, Object> properties) {
    String group = LockCommands.group(properties);
    groups.put(group, locks);
    for (Registered one : candidates.values()) {
      Standing standing = one.standing();
      if (standing != null && standing.group().equals(group)) {
        one.candidacy().stand(standing, locks);
      }
    }
  }

  /** They are about to go. */
  public void unbindLocks(LockService locks, Map<String, Object> properties) {
    String group = LockCommands.group(properties);
    List<Leaving> leaving = new ArrayList<>();
    synchronized (this) {
      if (!groups.remove(group, locks)) {
        return;
      }
      for (Registered one : candidates.values()) {
        Standing standing = one.standing();
        if (standing != null && standing.group().equals(group)) {
          leaving.add(leave(one));
        }
      }
    }
    await(leaving);
  }

  /** Nobody of this node leads any more. */
  @Deactivate
  public void close() {
    List<Leaving> leaving;
    synchronized (this) {
      closed = true;
      leaving = candidates.values().stream().map(Elections::leave).toList();
      candidates.clear();
    }
    await(leaving);
    timer.close();
  }

  private static Leaving leave(Registered one) {
    return new Leaving(one.candidacy(), one.candidacy().leave());
  }

  private static void await(List<Leaving> leaving) {
    CompletableFuture<?>[] all =
        leaving.stream()
            .filter(one -> !one.candidacy().isHere())
            .map(one -> one.left().toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new);
    try {
      var unused = CompletableFuture.allOf(all).get(TOLD_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn("a candidate has not returned within {}, and is not waited for", TOLD_MAX);
    } catch (ExecutionException e) {
      throw new AssertionError("leaving does not fail", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Services of this bundle. */
  private record Services(BundleContext context) implements Candidacy.Registry {
    @Override
    public <S> Runnable register(Class<S> type, S service, Map<String, Object> properties) {
      ServiceRegistration<S> registration =
          context.registerService(type, service, FrameworkUtil.asDictionary(properties));
      return registration::unregister;
    }
  }
}
