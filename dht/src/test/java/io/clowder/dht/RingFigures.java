// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The experiments of Chord's papers, each in a world of its own. Path lengths are counted as there:
 * hops to the member before the key, without the last one to its owner.
 */
final class RingFigures {
  private static final long SECOND = RingWorld.SECOND;

  /** A round that does not come. */
  private static final long NO_ROUND = Long.MAX_VALUE / 4;

  private RingFigures() {}

  /** What lookups came to. */
  static final class Sums {
    final List<Integer> paths = new ArrayList<>();
    final List<Integer> timeouts = new ArrayList<>();
    int retries;

    /** Lookups without an answer, though who asked lives. */
    int failed;

    /** Lookups whose answer was wrong. */
    int wrong;

    /** Lookups whose origin failed before the answer. */
    int orphans;

    void add(Located answer) {
      paths.add(answer.hopsToPredecessor());
      timeouts.add(answer.timeouts());
      retries += answer.retries();
    }

    static double mean(List<Integer> values) {
      return values.stream().mapToInt(it -> it).average().orElse(Double.NaN);
    }

    static int quantile(List<Integer> values, double share) {
      int[] sorted = values.stream().mapToInt(it -> it).sorted().toArray();
      return sorted[(int) Math.round(share * (sorted.length - 1))];
    }

    double path() {
      return mean(paths);
    }

    double timeouts() {
      return mean(timeouts);
    }

    /** Mean path of the lookups that left the member where they began. */
    double pathOfLeaving() {
      return mean(paths.stream().filter(it -> it > 0).toList());
    }

    void add(Sums other) {
      paths.addAll(other.paths);
      timeouts.addAll(other.timeouts);
      retries += other.retries;
      failed += other.failed;
      wrong += other.wrong;
      orphans += other.orphans;
    }

    /** Mean, 1st and 99th percentile. */
    static String row(List<Integer> values) {
      return String.format(
          Locale.ROOT,
          "%5.2f (%d, %2d)",
          mean(values),
          quantile(values, 0.01),
          quantile(values, 0.99));
    }
  }

  private static RingSettings settings(
      int successors, long roundNanosMin, long roundNanosMax, long lookupNanos) {
    return new RingSettings(
        successors,
        1,
        SECOND / 2,
        1,
        roundNanosMin,
        roundNanosMax,
        lookupNanos,
        200,
        10_000,
        1_000);
  }

  /**
   * ToN, Table II: of {@code count} members a share fails at once, and nobody stabilizes any more.
   */
  static Sums failures(long seed, int count, int successors, double share, int lookups) {
    RingWorld world = new RingWorld(seed, settings(successors, NO_ROUND, NO_ROUND, 60 * SECOND));
    world.found(count);
    List<Berth> seats = new ArrayList<>(world.seats.values());
    for (int i = 0; i < Math.round(share * count); i++) {
      world.kill(seats.remove(world.random.nextInt(seats.size())));
    }
    Founders living = new Founders(seats.stream().map(Berth::me).toList());
    Map<Long, Identifier> keys = new HashMap<>();
    for (int i = 0; i < lookups; i++) {
      Identifier key = world.point();
      Member origin = world.any(seats).me();
      long ticket = world.lookup(origin, key, false);
      keys.put(ticket, key);
      world.runFor(SECOND / 10);
    }
    world.runFor(120 * SECOND);
    Sums sums = new Sums();
    keys.forEach(
        (ticket, key) -> {
          Located answer = world.found.get(ticket);
          if (answer == null) {
            sums.failed++;
            return;
          }
          sums.add(answer);
          if (!answer.owner().equals(living.get(living.placeFrom(key)))) {
            sums.wrong++;
          }
        });
    return sums;
  }

  /** SIGCOMM, figure 10a: a ring that is as it should be, without a shortcut over lists. */
  static Sums paths(long seed, int count, int lookups) {
    // A list of one member is the first finger, and no shortcut.
    RingWorld world = new RingWorld(seed, settings(1, NO_ROUND, NO_ROUND, 60 * SECOND));
    world.found(count);
    List<Berth> seats = new ArrayList<>(world.seats.values());
    Sums sums = new Sums();
    for (int i = 0; i < lookups; i++) {
      long ticket = world.lookup(world.any(seats).me(), world.point(), true);
      world.runFor(SECOND);
      Located answer = world.found.remove(ticket);
      if (answer == null) {
        sums.failed++;
      } else {
        sums.add(answer);
      }
    }
    return sums;
  }

  /**
   * ToN, Table III: members join and fail all the time, both at {@code rate} a second; each
   * stabilizes, and looks up one finger, every 15 to 45 seconds. One lookup a second.
   *
   * @param atEnd is run while all members are still there
   */
  static Sums churn(
      long seed, int count, int successors, double rate, int lookups, Runnable atEnd) {
    RingWorld world =
        new RingWorld(seed, settings(successors, 15 * SECOND, 45 * SECOND, 60 * SECOND));
    world.delayMin = 10 * RingWorld.MILLI;
    world.delaySpread = 80 * RingWorld.MILLI;
    world.found(count);
    Churn churn = new Churn(world, count);
    churn.begin(rate);
    // Until no finger is as it was at the beginning.
    world.runFor(600 * SECOND);
    for (int i = 0; i < lookups; i++) {
      churn.lookup();
      world.runFor(SECOND);
    }
    world.runFor(120 * SECOND);
    atEnd.run();
    return churn.end();
  }

  /** Those who come and go, and whether lookups find what they should. */
  private static final class Churn {
    private final RingWorld world;
    private final Sums sums = new Sums();
    private final Map<Long, Identifier> keys = new HashMap<>();
    private final Map<Long, Member> origins = new HashMap<>();
    private final List<Member> members = new ArrayList<>();
    private final Map<Member, Long> ends = new HashMap<>();
    private int nodes;

    Churn(RingWorld world, int count) {
      this.world = world;
      this.nodes = count;
      world.seats.values().forEach(it -> members.add(it.me()));
      world.answered = this::answered;
    }

    void begin(double rate) {
      again(rate, this::come);
      again(rate, this::go);
    }

    private void again(double rate, Runnable action) {
      double seconds = -Math.log(1 - world.random.nextDouble()) / rate;
      world.after(
          (long) (seconds * SECOND),
          () -> {
            action.run();
            again(rate, action);
          });
    }

    private void come() {
      Member me = world.member(nodes++);
      world.join(me, List.of(world.any(world.members()).me(), world.any(world.members()).me()));
      members.add(me);
    }

    private void go() {
      Berth victim = world.any(world.members());
      ends.put(victim.me(), world.now);
      world.kill(victim);
    }

    void lookup() {
      Identifier key = world.point();
      Member origin = world.any(world.members()).me();
      long ticket = world.lookup(origin, key, false);
      origins.put(ticket, origin);
      keys.put(ticket, key);
      // Who owns the key itself has answered already.
      answered(ticket);
    }

    Sums end() {
      for (Member origin : origins.values()) {
        if (world.lives(origin)) {
          sums.failed++;
        } else {
          sums.orphans++;
        }
      }
      return sums;
    }

    private void answered(long ticket) {
      Identifier key = keys.get(ticket);
      Located answer = key == null ? null : world.found.remove(ticket);
      if (key != null && answer != null) {
        origins.remove(ticket);
        sums.add(answer);
        // The owner answered a message's time ago, and may be dead or have handed over since.
        long before = world.now - world.delayMin - world.delaySpread;
        boolean isRight = owns(answer.owner(), key, world.now) || owns(answer.owner(), key, before);
        sums.wrong += isRight ? 0 : 1;
      }
    }

    /** Whether that is the first member from the key on, of those that live, at a time. */
    private boolean owns(Member owner, Identifier key, long time) {
      if (!isThere(owner, time)) {
        return false;
      }
      for (Member member : members) {
        boolean isBefore =
            member.id().equals(key) || Identifier.between(key, member.id(), owner.id());
        if (isBefore && !member.equals(owner) && isThere(member, time)) {
          return false;
        }
      }
      return true;
    }

    /** A joiner's range is its own when the one after it has heard of it, and not before. */
    private boolean isThere(Member member, long time) {
      return world.preceding.getOrDefault(member, Ring.NEVER) <= time
          && time < ends.getOrDefault(member, Ring.NEVER);
    }
  }
}
