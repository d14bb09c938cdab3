// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What somebody has to see to that no user asks for, done by the node that leads the group: that
 * time passes in the log when something is due, that instants of schedules make tasks, and that
 * workers on nodes that are suspected lose theirs. All of it is harmless if two do it.
 */
final class Steward implements Events {
  private static final Logger LOG = LoggerFactory.getLogger(Steward.class);

  /** How long a new leader may not have noticed that it leads. */
  private static final long LOOK_MILLIS = 50;

  private static final int FIRED_AT_ONCE = 500;
  private static final int INSTANTS_AT_ONCE = 5_000;

  private final ConsensusService consensus;
  private final Asking asking;
  private final TaskMachine machine;
  private final NodeId node;
  private final Timer timer;
  private final int queueMax;

  /** Workers of nodes that are suspected, from when the suspicion began. */
  private final Map<NodeId, Long> condemned = new HashMap<>();

  private final Set<Long> evicting = new HashSet<>();

  /** Schedules of which it was said that this node cannot work them out. */
  private final Set<String> senseless = new HashSet<>();

  /** What is due is for another node to see to. */
  private boolean isAnothers;

  private boolean isTicking;
  private boolean isFiring;
  private boolean isClosed;
  private long lookAtNanos;
  private Runnable callOff = () -> {};

  Steward(
      ConsensusService consensus,
      Asking asking,
      TaskMachine machine,
      NodeId node,
      Timer timer,
      int queueMax) {
    this.consensus = consensus;
    this.asking = asking;
    this.machine = machine;
    this.node = node;
    this.timer = timer;
    this.queueMax = queueMax;
  }

  void start() {
    machine.add(this);
    look();
  }

  /** A node is suspected by this one, or not any more. */
  void happened(FailureEvent event) {
    synchronized (this) {
      condemned.remove(event.node());
      if (event.kind() == FailureEvent.Kind.SUSPECT) {
        // One that comes later is heard by most, whatever this node thinks of it.
        machine
            .workers()
            .forEach(
                (number, its) -> {
                  if (its.equals(event.node())) {
                    condemned.put(its, number);
                  }
                });
      }
    }
    look();
  }

  private long now() {
    return machine.now(timer.wallMillis());
  }

  private void look() {
    boolean isDue = isDue();
    boolean isMine = isDue && node.equals(consensus.leader());
    List<Long> lost = new ArrayList<>();
    boolean isToTick;
    boolean isToFire;
    synchronized (this) {
      if (isClosed) {
        return;
      }
      isAnothers = isDue && !isMine;
      if (isMine) {
        lost.addAll(condemned());
        evicting.addAll(lost);
      }
      long now = now();
      isToTick = isMine && !isTicking && machine.nextAlarm() <= now;
      isTicking |= isToTick;
      isToFire = isMine && !isFiring && machine.nextPlan() <= now;
      isFiring |= isToFire;
    }
    lost.forEach(this::evict);
    if (isToTick) {
      asking.change(new TaskCommand.Tick()).whenComplete((done, failure) -> ticked(failure));
    }
    if (isToFire) {
      fire().whenComplete(this::fired);
    }
    plan();
  }

  private synchronized boolean isDue() {
    return Math.min(machine.nextAlarm(), machine.nextPlan()) <= now() || !condemned().isEmpty();
  }

  /** Workers that are to go, unless that is on its way. */
  private List<Long> condemned() {
    return condemned.values().stream()
        .filter(it -> machine.workers().containsKey(it) && !evicting.contains(it))
        .toList();
  }

  private void plan() {
    synchronized (this) {
      if (isClosed) {
        return;
      }
      long due = Math.min(machine.nextAlarm(), machine.nextPlan());
      long wait = Math.max(1, Math.min(LOOK_MILLIS, due - now()));
      if (isAnothers || isTicking || isFiring) {
        wait = LOOK_MILLIS; // It may be this node's soon, or its answer looks again.
      }
      callOff.run();
      lookAtNanos = timer.nanoTime() + wait * 1_000_000;
      callOff = timer.after(Duration.ofMillis(wait), this::look);
    }
  }

  @Override
  public void applied() {
    long due = Math.min(machine.nextAlarm(), machine.nextPlan());
    boolean isSooner;
    synchronized (this) {
      long untilLook = (lookAtNanos - timer.nanoTime()) / 1_000_000;
      isSooner = !isAnothers && !isTicking && !isFiring && due - now() < untilLook - 1;
    }
    if (isSooner) {
      plan();
    }
  }

  private void evict(long worker) {
    LOG.info("worker {} is on a node that is suspected: its tasks go elsewhere", worker);
    asking
        .change(new TaskCommand.Evict(worker))
        .whenComplete(
            (done, failure) -> {
              synchronized (this) {
                evicting.remove(worker);
              }
            });
  }

  /** Not on the thread that answers, as to look may take a moment. */
  private void lookSoon() {
    timer.after(Duration.ZERO, this::look);
  }

  private void ticked(@Nullable Throwable failure) {
    synchronized (this) {
      isTicking = false;
    }
    if (failure == null) {
      lookSoon();
    }
  }

  private void fired(@Nullable Boolean isDone, @Nullable Throwable failure) {
    if (isDone != null && !isDone) {
      // What cannot be worked out stays due: there is no hurry to look at it again.
      timer.after(Duration.ofMillis(LOOK_MILLIS), () -> fired(true, null));
      return;
    }
    synchronized (this) {
      isFiring = false;
    }
    if (isDone != null) {
      lookSoon();
    } else if (failure != null && Asking.cause(failure).reason() != Reason.TIMEOUT) {
      LOG.warn("schedules are late: {}", Asking.cause(failure).getMessage());
    }
  }

  /** Whether there was something to fire. */
  private CompletionStage<Boolean> fire() {
    long now = now();
    return asking
        .ask(
            new TaskQuestion.Due(now, FIRED_AT_ONCE),
            ReadConsistency.LOCAL,
            TaskAnswer.Schedules.class)
        .thenCompose(
            due -> {
              List<Firing> firings = new ArrayList<>();
              int instants = 0;
              for (Plan plan : due.plans()) {
                Firing firing = firing(plan, now);
                if (firing != null) {
                  firings.add(firing);
                  instants += firing.instants().size();
                }
                if (instants > INSTANTS_AT_ONCE) {
                  break;
                }
              }
              return firings.isEmpty()
                  ? CompletableFuture.completedStage(false)
                  : asking.change(new TaskCommand.Fire(firings, queueMax)).thenApply(all -> true);
            });
  }

  /** One that makes no sense on this node holds up no other; null for it. */
  private @Nullable Firing firing(Plan plan, long now) {
    try {
      return Instants.firing(plan, now);
    } catch (RuntimeException e) {
      synchronized (this) {
        if (senseless.add(plan.name())) {
          LOG.error("schedule {} waits: this node cannot say when it fires", plan.name(), e);
        }
      }
      return null;
    }
  }

  void close() {
    synchronized (this) {
      isClosed = true;
      callOff.run();
    }
    machine.remove(this);
  }
}
