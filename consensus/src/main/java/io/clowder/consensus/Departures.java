// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.protocol.ConsensusProtocol;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Providers on their way out, or the whole group: leadership is handed over, machines say what they
 * have to say, and a sealed segment's entries are brought into a snapshot first, but none of it for
 * ever. On the group's thread.
 */
final class Departures {
  private static final long PAUSE_NANOS = 1_000_000_000L;
  private static final long SNAPSHOT_NANOS = 3_500_000_000L;

  private final GroupSetting setting;
  private final ReplicatedState state;
  private final Segments segments;
  private final Router router;
  private final Compaction compaction;
  private final List<Departure> under = new ArrayList<>();

  /** One provider, or all if it is null; {@code paused} completes when the machines are ready. */
  private record Departure(
      @Nullable ConsensusProtocol provider,
      CompletableFuture<?> paused,
      CompletableFuture<Void> left,
      long begun) {}

  Departures(
      GroupSetting setting,
      ReplicatedState state,
      Segments segments,
      Router router,
      Compaction compaction) {
    this.setting = setting;
    this.state = state;
    this.segments = segments;
    this.router = router;
    this.compaction = compaction;
  }

  boolean isEmpty() {
    return under.isEmpty();
  }

  /** Begins; {@code left} completes in {@link #tick} when nothing uses the provider any more. */
  void begin(@Nullable ConsensusProtocol provider, CompletableFuture<Void> left, long now) {
    OpenSegment current = segments.current();
    boolean isPause = provider != null && current != null && uses(current, provider);
    CompletableFuture<?> paused = isPause ? state.pause() : CompletableFuture.completedFuture(null);
    under.add(new Departure(provider, paused, left, now));
  }

  /** Whether a provider is on its way out. */
  @SuppressWarnings("ReferenceEquality") // which instance it is, is the question
  boolean has(ConsensusProtocol provider) {
    return under.stream().anyMatch(d -> d.provider == null || d.provider == provider);
  }

  /** Closes what may be closed by now; returns what has left. */
  List<CompletableFuture<Void>> tick(long now) {
    List<CompletableFuture<Void>> gone = new ArrayList<>();
    for (Iterator<Departure> i = under.iterator(); i.hasNext(); ) {
      Departure departure = i.next();
      for (OpenSegment open : segments.all()) {
        if (uses(open, departure.provider) && mayClose(open, departure, now)) {
          segments.close(open);
        }
      }
      if (!segments.uses(departure.provider)) {
        gone.add(departure.left);
        i.remove();
      }
    }
    return gone;
  }

  @SuppressWarnings("ReferenceEquality")
  private static boolean uses(OpenSegment open, @Nullable ConsensusProtocol provider) {
    return provider == null || open.provider == provider;
  }

  private boolean mayClose(OpenSegment open, Departure departure, long now) {
    long waited = now - departure.begun;
    Segment current = state.current();
    if (current == null || open.segment.number() > current.number()) {
      return true;
    }
    if (open.segment.is(current)) {
      boolean isHandedOver = !router.leads() || waited >= 2 * setting.timing().electionNanos();
      return isHandedOver && (departure.paused.isDone() || waited >= PAUSE_NANOS);
    }
    // A group that stops finds its sealed segments again; a provider may never come back.
    if (departure.provider == null
        || compaction.position() >= current.base()
        || waited >= SNAPSHOT_NANOS) {
      return true;
    }
    compaction.want(current.base());
    return false;
  }
}
