// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Claim.Mode;
import io.clowder.api.lock.LockInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What clients were told of locks, in true time. Each call throws {@link AssertionError} as soon as
 * what it says cannot be.
 */
public final class LockHistory {
  private final SortedMap<String, Line> locks = new TreeMap<>();
  private final List<Crash> crashes = new ArrayList<>();
  private int grants;

  /**
   * A client believes that it holds a lock.
   *
   * @param token the fencing token
   * @param claim for what
   */
  public record Belief(long token, Claim claim) {}

  /** How a lock is held, as far as it says with whom that goes together. */
  private record Kind(Mode mode, int permits, int of) {
    static Kind of(Claim claim) {
      return new Kind(claim.mode(), claim.permits(), claim.of());
    }

    boolean goesWith(Kind other) {
      return switch (mode) {
        case EXCLUSIVE -> false;
        case SHARED -> other.mode == Mode.SHARED;
        case PERMITS ->
            other.mode == Mode.PERMITS && of == other.of && permits + other.permits <= of;
      };
    }
  }

  private static final class Line {
    final SortedMap<Long, Kind> given = new TreeMap<>();
    final Set<Long> taken = new HashSet<>();

    /** The newest that was believed of each kind, and when last. */
    final Map<Kind, Last> believed = new LinkedHashMap<>();

    long shown;
  }

  private record Last(long token, long at) {}

  /** A holder that died; nobody may get the lock before {@code untilMillis} of the log's clock. */
  private record Crash(String lock, long token, Kind kind, long untilMillis) {}

  /** A client asks for a lock; what it is given must be larger than the result. */
  public long asked(String lock) {
    var line = line(lock);
    return line.given.isEmpty() ? 0 : line.given.lastKey();
  }

  /**
   * A client was told that it has the lock.
   *
   * @param token the fencing token, more than 0
   * @param before what {@link #asked} returned
   */
  public void granted(Claim claim, long token, long before) {
    var line = line(claim.name());
    if (token <= before) {
      throw new AssertionError(claim.name() + ": token " + token + " after " + before);
    }
    if (line.given.putIfAbsent(token, Kind.of(claim)) != null) {
      throw new AssertionError(claim.name() + ": token " + token + " was given twice");
    }
    grants++;
  }

  /**
   * Somebody other than its holder may have ended the acquisition with this token; who holds it
   * hears of it later.
   */
  public void taken(String lock, long token) {
    line(lock).taken.add(token);
  }

  /** Whether {@link #taken} said so. */
  public boolean isTaken(String lock, long token) {
    return line(lock).taken.contains(token);
  }

  /**
   * Clients that can trust their own clocks believe at true time {@code now} that they hold the
   * lock. They must go together, and nobody who does not go together with them and has a larger
   * token may have believed so before. Of what was taken nothing is required.
   *
   * @param beliefs all that there are at this time, by whom ever
   */
  public void believed(String lock, Collection<Belief> beliefs, long now) {
    var line = line(lock);
    int permits = 0;
    int of = 0;
    for (var belief : beliefs) {
      if (!line.taken.contains(belief.token)) {
        var kind = Kind.of(belief.claim);
        line.believed.merge(
            kind, new Last(belief.token, now), (old, it) -> it.token < old.token ? old : it);
        permits += kind.permits;
        of = Math.max(of, kind.of);
      }
    }
    for (var belief : beliefs) {
      if (!line.taken.contains(belief.token)) {
        line.believed.forEach((kind, last) -> requireOrder(belief, kind, last, now));
      }
    }
    if (permits > of) {
      throw new AssertionError(
          "%s: %d permits of %d are believed to be held at %d ns: %s"
              .formatted(lock, permits, of, now, tokens(beliefs)));
    }
  }

  private static void requireOrder(Belief belief, Kind kind, Last last, long now) {
    if (belief.token < last.token && !Kind.of(belief.claim).goesWith(kind)) {
      throw new AssertionError(
          String.format(
              "%s: %d is still believed to be held at %d ns, %d was at %d ns",
              belief.claim.name(), belief.token, now, last.token, last.at));
    }
  }

  private static List<Long> tokens(Collection<Belief> beliefs) {
    return beliefs.stream().map(Belief::token).sorted().toList();
  }

  /**
   * A client that believed all the time to hold the lock, and from which nobody took it, asked the
   * group who does.
   *
   * @param shown what the group said; null if the lock is free
   */
  public void shown(Claim claim, long token, @Nullable LockInfo shown) {
    List<Long> holders =
        shown == null ? List.of() : shown.holders().stream().map(LockInfo.Holder::token).toList();
    boolean alone = claim.mode() == Mode.EXCLUSIVE;
    if (alone ? !holders.equals(List.of(token)) : !holders.contains(token)) {
      throw new AssertionError(
          claim.name() + ": " + token + " is believed to be held, the group says " + holders);
    }
  }

  /** A token is about to be shown at a gate; what the result is for {@link #passed}. */
  public long atGate(String resource) {
    return line(resource).shown;
  }

  /**
   * A gate let a token pass.
   *
   * @param before what {@link #atGate} returned
   */
  public void passed(String resource, long token, long before) {
    if (token < before) {
      throw new AssertionError(
          resource + ": the gate let " + token + " pass, after it had seen " + before);
    }
    var line = line(resource);
    line.shown = Math.max(line.shown, token);
  }

  /**
   * A client died that believed until then to hold the lock.
   *
   * @param diedMillis by the log's clock; not later than it was
   */
  public void died(Claim claim, long token, long diedMillis) {
    if (!claim.lockDelay().isZero()) {
      crashes.add(
          new Crash(
              claim.name(), token, Kind.of(claim), diedMillis + claim.lockDelay().toMillis()));
    }
  }

  /**
   * In the end: whoever got a lock after a holder had died, did so after the delay.
   *
   * @param timeMillis when the log's clock was how late, by position; not earlier than it was
   */
  public void requireDelays(LongUnaryOperator timeMillis) {
    for (var crash : crashes) {
      if (isTaken(crash.lock, crash.token)) {
        continue; // In good order, after its holder had died.
      }
      line(crash.lock)
          .given
          .tailMap(crash.token + 1)
          .forEach(
              (token, kind) -> {
                long early = crash.untilMillis - timeMillis.applyAsLong(token);
                if (early > 0 && !kind.goesWith(crash.kind)) {
                  throw new AssertionError(
                      "%s: %d was given %d ms before the delay after %d was over"
                          .formatted(crash.lock, token, early, crash.token));
                }
              });
    }
  }

  /** How many holders died that left a delay. */
  int crashes() {
    return crashes.size();
  }

  /** Grants so far. */
  public int grants() {
    return grants;
  }

  private Line line(String lock) {
    return locks.computeIfAbsent(lock, name -> new Line());
  }
}
