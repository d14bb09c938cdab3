// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.simulator.LockHistory.Belief;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the users of locks of a cluster have in common; checks every step who believes to hold what.
 * In some worlds it looks only when somebody is told that he has a lock: a look at a grant makes
 * the lock service look at the clock, which it must do without being asked.
 */
final class Contest implements Invariant {
  private static final int RETIRED_MAX = 30;

  final LockHistory history = new LockHistory();
  final Judge judge;
  final boolean clocksAreTrue;
  private final World world;
  private final boolean looksAlways;
  private final List<Holding> holdings = new ArrayList<>();
  private final List<Holding> ended = new ArrayList<>();
  private final List<LockUser> users = new ArrayList<>();
  private final Set<Acquisition> meddled = new HashSet<>();
  private final List<Acquisition> retired = new ArrayList<>();
  private int lastNumber;
  private boolean looks;
  private boolean healed;
  private boolean over;

  /** One of a lock. */
  record Acquisition(String lock, long token) {}

  /** A grant in somebody's hands. */
  private static final class Holding {
    final SimulatedProcess process;
    final int incarnation;
    final Grant grant;
    final long toldNanos;

    /** By the log's clock, when it was believed to be held last. */
    long believedMillis = -1;

    /** Whether its own node has applied that somebody took it. */
    boolean isTakenHere;

    boolean isLost;

    Holding(SimulatedProcess process, Grant grant) {
      this.process = process;
      this.incarnation = process.incarnation();
      this.grant = grant;
      this.toldNanos = process.clock().nanoTime();
    }

    boolean isOfTheLiving() {
      return process.incarnation() == incarnation;
    }

    String lock() {
      return grant.claim().name();
    }

    @Override
    public String toString() {
      return lock() + ": " + grant.token() + " of " + process;
    }
  }

  /**
   * A contest without users.
   *
   * @param clocksAreTrue whether clocks drift so little that they can be believed
   */
  Contest(World world, Judge judge, boolean clocksAreTrue) {
    this.world = world;
    this.judge = judge;
    this.clocksAreTrue = clocksAreTrue;
    this.looksAlways = world.random("contest").nextInt(4) > 0;
    judge.releases().add(this::released);
  }

  /** Nothing is stopped any more. */
  void heal() {
    healed = true;
  }

  boolean isHealed() {
    return healed;
  }

  /** Users take no more locks. */
  void end() {
    over = true;
  }

  boolean isOver() {
    return over;
  }

  /** A number for one more user. */
  int nextNumber() {
    return ++lastNumber;
  }

  /** A user comes in who is to have finished in the end. */
  void enter(LockUser user) {
    users.add(user);
  }

  /** A client was told that it has a lock that it does not hold yet. */
  void granted(SimulatedProcess process, Grant grant, long before) {
    history.granted(grant.claim(), grant.token(), before);
    held(process, grant);
  }

  /** A client has one more grant, maybe of a lock that it held already. */
  void held(SimulatedProcess process, Grant grant) {
    var holding = new Holding(process, grant);
    holdings.add(holding);
    looks = true;
    var unused =
        grant
            .lost()
            .whenComplete(
                (nothing, failure) -> {
                  holding.isLost = true;
                  judge.require(
                      !holding.isOfTheLiving() || !grant.isHeld(),
                      holding + " is lost, and believed to be held");
                });
  }

  /** Somebody is about to end what may be another's acquisition. */
  void meddles(String lock, long token) {
    meddled.add(new Acquisition(lock, token));
  }

  /** An acquisition was surely over before now. */
  void retire(String lock, long token) {
    if (retired.size() == RETIRED_MAX) {
      retired.remove(0);
    }
    retired.add(new Acquisition(lock, token));
  }

  /** Acquisitions that are surely over, the latest last. */
  List<Acquisition> retired() {
    return retired;
  }

  private void released(NodeId node, String lock, long token) {
    if (!meddled.contains(new Acquisition(lock, token))) {
      return; // Its holder did, who does not believe in it since he asked.
    }
    history.taken(lock, token);
    for (var holding : holdings) {
      if (holding.grant.token() == token
          && holding.lock().equals(lock)
          && holding.process.name().equals(node.value())) {
        holding.isTakenHere = true;
        looks = true;
      }
    }
  }

  @Override
  public void check() {
    if (!looksAlways && !looks) {
      return;
    }
    looks = false;
    for (var holding : ended) {
      require(!isBelieved(holding), holding, "is believed again");
    }
    ended.removeIf(holding -> holding.isLost || !holding.isOfTheLiving());
    @Nullable Map<String, List<Belief>> beliefs = null;
    for (int i = holdings.size() - 1; i >= 0; i--) {
      var holding = holdings.get(i);
      if (!isBelieved(holding)) {
        holdings.remove(i);
        end(holding);
        continue;
      }
      checkEnds(holding);
      if (clocksAreTrue) {
        holding.believedMillis = judge.timeMillis(Long.MAX_VALUE);
        beliefs = beliefs == null ? new LinkedHashMap<>() : beliefs;
        beliefs
            .computeIfAbsent(holding.lock(), lock -> new ArrayList<>(2))
            .add(new Belief(holding.grant.token(), holding.grant.claim()));
      }
    }
    if (beliefs != null) {
      beliefs.forEach((lock, all) -> history.believed(lock, once(all), world.now()));
    }
  }

  private static boolean isBelieved(Holding holding) {
    return holding.isOfTheLiving() && holding.grant.isHeld();
  }

  /** An owner that has claimed a lock more than once holds it once. */
  private static Collection<Belief> once(List<Belief> beliefs) {
    if (beliefs.size() == 1) {
      return beliefs;
    }
    Map<Long, Belief> byToken = new LinkedHashMap<>();
    beliefs.forEach(belief -> byToken.put(belief.token(), belief));
    return byToken.values();
  }

  private void end(Holding holding) {
    Claim claim = holding.grant.claim();
    if (holding.isOfTheLiving()) {
      ended.add(holding);
    } else if (looksAlways // Else it may have been released since.
        && holding.believedMillis >= 0
        && claim.maxHold() == null
        && !history.isTaken(claim.name(), holding.grant.token())) {
      history.died(claim, holding.grant.token(), holding.believedMillis);
    }
  }

  /** What must have ended a belief. */
  private void checkEnds(Holding holding) {
    require(!holding.isTakenHere, holding, "was taken, and its node knows");
    var maxHold = holding.grant.claim().maxHold();
    long heldNanos = holding.process.clock().nanoTime() - holding.toldNanos;
    require(
        maxHold == null || heldNanos <= maxHold.toNanos(),
        holding,
        "is held for longer than wanted");
  }

  private static void require(boolean condition, Holding holding, String otherwise) {
    if (!condition) {
      throw new AssertionError(holding + " " + otherwise);
    }
  }

  /** What these nodes' users still wait for, or were not told; empty if nothing. */
  String unfinished(Collection<NodeId> nodes) {
    var left = new ArrayList<String>();
    for (var user : users) {
      if (nodes.contains(user.node()) && user.isBusy()) {
        left.add(user.toString());
      }
    }
    for (var holding : ended) {
      if (!holding.isLost
          && holding.isOfTheLiving()
          && nodes.contains(new NodeId(holding.process.name()))) {
        left.add(holding + " is not held any more, which nobody was told");
      }
    }
    return String.join("; ", left);
  }
}
