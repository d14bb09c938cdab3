// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.Suspicion;
import io.clowder.failure.detector.ViewRequest.Opinion;
import io.clowder.failure.detector.ViewRequest.Roster;
import io.clowder.failure.detector.ViewState.Stance;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what the log knows of this node's opinion true, and the log's list of members. Compares the
 * state that was applied here with what it should be and submits the difference, one command at a
 * time: a command that got lost, or was overtaken, is simply found missing later.
 *
 * <p>{@link #tick} is for one thread and never waits; everything else may be called by any.
 */
final class ViewKeeper {
  /** How often {@link #tick} is to be called, about. */
  static final long TICK_NANOS = 250_000_000;

  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final long SECOND_NANOS = 1_000_000_000;
  private static final long PAUSE_NANOS_MIN = SECOND_NANOS;
  private static final long PAUSE_NANOS_MAX = 10 * SECOND_NANOS;

  /** For so long members leave it to the leader to tell the log who is one. */
  private static final long LEADER_FIRST_NANOS = 2 * SECOND_NANOS;

  /** Since when a peer is suspected: by the stamp of its state, and by the clock of the ticks. */
  private record Since(Suspicion.State state, long stampMillis, long nanos) {}

  /** A command on its way. */
  private static final class Attempt {
    final ConsensusService consensus;
    final byte[] command;
    volatile boolean isOver;
    volatile boolean isCommitted;

    Attempt(ConsensusService consensus, byte[] command) {
      this.consensus = consensus;
      this.command = command;
    }

    void end(boolean committed) {
      isCommitted = committed;
      isOver = true;
    }
  }

  private final ViewMachine machine;
  private final NodeId self;
  private volatile long reportNanos;
  private final LongSupplier incarnation;
  private final LongConsumer outlived;
  private final Supplier<? extends Map<NodeId, Suspicion>> suspicions;
  private final Supplier<@Nullable GroupStatus> status;
  private volatile @Nullable ConsensusService consensus;

  private final Map<NodeId, Since> suspectedSince = new HashMap<>();
  private @Nullable Attempt attempt;
  private byte[] lastCommitted = {};
  private long lastEndNanos;
  private long pauseNanos;
  private int rosterSegment = -1;
  private long rosterSinceNanos;

  /**
   * Says nothing until {@link #offer} gives it whom to say it to.
   *
   * @param reportMillis for how long this node must have suspected a peer before it says so
   * @param incarnation this node's life
   * @param outlived is told an incarnation of this node that the log knows and that is larger
   * @param suspicions what this node thinks of its peers now
   * @param status what is known of the group, null if nothing; must not wait
   */
  ViewKeeper(
      ViewMachine machine,
      NodeId self,
      long reportMillis,
      LongSupplier incarnation,
      LongConsumer outlived,
      Supplier<? extends Map<NodeId, Suspicion>> suspicions,
      Supplier<@Nullable GroupStatus> status) {
    this.machine = machine;
    this.self = self;
    this.reportNanos = reportMillis * 1_000_000;
    this.incarnation = incarnation;
    this.outlived = outlived;
    this.suspicions = suspicions;
    this.status = status;
  }

  /** From now on a peer has to be suspected for so long before this node says so. */
  void reportAfter(long millis) {
    reportNanos = millis * 1_000_000;
  }

  /** From now on this is the log; null for none. */
  void offer(@Nullable ConsensusService service) {
    consensus = service;
  }

  /** The last committed view that this node knows of; null if there is none. */
  @Nullable ClusterView view() {
    return machine.latest();
  }

  /**
   * Submits what the log lacks, if anything.
   *
   * @param now never falls; of any origin
   */
  void tick(long now) {
    Map<NodeId, Suspicion> peers = suspicions.get();
    observe(peers, now);
    ConsensusService service = consensus;
    settleAttempt(service, now);
    GroupStatus group = service == null ? null : status.get();
    if (service == null || attempt != null || group == null) {
      return;
    }
    boolean isPausing = pauseNanos > 0 && now - lastEndNanos < pauseNanos;
    if (isPausing || !group.members().containsKey(self)) {
      return;
    }
    ViewState state = machine.state();
    ViewRequest wanted = roster(group, state, now);
    if (wanted == null) {
      wanted = opinion(peers, state, now);
    }
    if (wanted != null) {
      submit(wanted.encode(), service, now);
    }
  }

  /**
   * Takes back what this node has said: one that does not look any more must not keep others out.
   * Waits for that, but not for long; a node that dies is silenced by the end of its session.
   */
  void leave(long millisMax) {
    ConsensusService service = consensus;
    Stance said = machine.state().stances().get(self);
    if (service == null || said == null || said.suspects().isEmpty()) {
      return;
    }
    byte[] command = new Opinion(self, said.incarnation(), new TreeMap<>()).encode();
    try {
      var unused =
          service
              .submit(command, Duration.ofMillis(millisMax))
              .toCompletableFuture()
              .get(millisMax, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      return; // There is no quorum, or the service is going, too.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- what the log should know --------------------------------------------------------------

  private @Nullable Roster roster(GroupStatus group, ViewState state, long now) {
    int segment = group.segment();
    if (segment <= state.segment() || group.members().size() > NodeCodec.NODES_MAX) {
      return null;
    }
    if (segment != rosterSegment) {
      rosterSegment = segment;
      rosterSinceNanos = now;
    }
    boolean isLeader = self.equals(group.leader());
    return isLeader || now - rosterSinceNanos >= LEADER_FIRST_NANOS
        ? new Roster(segment, new TreeMap<>(group.members()).navigableKeySet())
        : null;
  }

  private @Nullable Opinion opinion(Map<NodeId, Suspicion> peers, ViewState state, long now) {
    long life = incarnation.getAsLong();
    Stance said = state.stances().get(self);
    if (said != null && said.incarnation() > life) {
      outlived.accept(said.incarnation());
      return null; // Nobody would listen.
    }
    if (!state.isInView(self)) {
      return null;
    }
    SortedMap<NodeId, Long> before = said == null ? new TreeMap<>() : said.suspects();
    SortedMap<NodeId, Long> suspects = new TreeMap<>();
    for (NodeId member : state.members()) {
      Long suspected = suspected(peers.get(member), before.get(member), now);
      if (suspected != null && !member.equals(self)) {
        suspects.put(member, suspected);
      }
    }
    return suspects.equals(before) ? null : new Opinion(self, life, suspects);
  }

  /**
   * The life in which the member is to be called a suspect, null if it is not to. What was said of
   * it before stays as long as it is suspected, or not known yet: this node may have restarted.
   */
  private @Nullable Long suspected(@Nullable Suspicion suspicion, @Nullable Long before, long now) {
    if (suspicion == null || suspicion.state() == Suspicion.State.NEW) {
      return before;
    }
    Since since = suspectedSince.get(suspicion.node());
    boolean isOld = since != null && now - since.nanos >= reportNanos;
    return suspicion.isSuspect() && (before != null || isOld) ? suspicion.incarnation() : null;
  }

  private void observe(Map<NodeId, Suspicion> peers, long now) {
    suspectedSince.keySet().retainAll(peers.keySet());
    peers.forEach(
        (node, it) -> {
          Since since = suspectedSince.get(node);
          if (!it.isSuspect()) {
            suspectedSince.remove(node);
          } else if (since == null
              || (since.state == it.state() && since.stampMillis != it.sinceMillis())) {
            // Another stamp of the same state: it was trusted in between.
            suspectedSince.put(node, new Since(it.state(), it.sinceMillis(), now));
          } else if (since.state != it.state()) {
            suspectedSince.put(node, new Since(it.state(), it.sinceMillis(), since.nanos));
          }
        });
  }

  // ---- how it gets there ---------------------------------------------------------------------

  private void submit(byte[] command, ConsensusService service, long now) {
    if (Arrays.equals(command, lastCommitted) && now - lastEndNanos < PAUSE_NANOS_MIN) {
      return; // It was applied, and changed nothing or was overtaken: not at every tick.
    }
    Attempt next = new Attempt(service, command);
    attempt = next;
    try {
      var unused =
          service
              .submit(command, DEADLINE)
              .whenComplete((committed, failure) -> next.end(failure == null));
    } catch (RuntimeException e) {
      next.end(false); // The service is being taken away.
    }
  }

  private void settleAttempt(@Nullable ConsensusService service, long now) {
    Attempt last = attempt;
    if (last == null || (!last.isOver && last.consensus == service)) {
      return;
    }
    attempt = null;
    lastEndNanos = now;
    if (last.isOver && last.isCommitted) {
      pauseNanos = 0;
      lastCommitted = last.command;
    } else {
      pauseNanos = Math.min(PAUSE_NANOS_MAX, Math.max(PAUSE_NANOS_MIN, 2 * pauseNanos));
    }
  }
}
