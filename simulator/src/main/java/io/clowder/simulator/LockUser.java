// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Claim.Mode;
import io.clowder.api.lock.FenceGate;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Takes one lock after the other, holds each for a while, and writes down what it was told. Lives
 * and dies with one incarnation of a node, or with its bundle.
 */
final class LockUser {
  private static final long COMPARE_MILLIS = 200;
  private static final Duration NO_LIMIT = Duration.ofMinutes(10);
  private static final Set<Reason> NOTHING = EnumSet.noneOf(Reason.class);

  private final LockService locks;
  private final FenceGate gate;
  private final SimulatedProcess process;
  private final int incarnation;
  private final Contest contest;
  private final LockCalls calls;
  private final int number;
  private final RandomGenerator random;
  private final List<Grant> grants = new ArrayList<>();
  private @Nullable CompletionStage<?> waiting;
  private Set<Reason> expected = NOTHING;
  private String doing = "";
  private boolean closed;

  LockUser(LockService locks, FenceGate gate, SimulatedProcess process, Contest contest) {
    this.locks = locks;
    this.gate = gate;
    this.process = process;
    this.incarnation = process.incarnation();
    this.contest = contest;
    this.calls = new LockCalls(process, contest.judge);
    this.number = contest.nextNumber();
    this.random = process.world().random("lock user " + number);
  }

  NodeId node() {
    return new NodeId(process.name());
  }

  /** Whether it has not come to the end of what it does. */
  boolean isBusy() {
    return process.incarnation() == incarnation && !doing.isEmpty();
  }

  @Override
  public String toString() {
    return "user " + number + " on " + process + " " + doing;
  }

  /** Takes a lock after a while, and goes on so. */
  void begin() {
    contest.enter(this);
    next();
  }

  private void next() {
    doing = "";
    calls.after(
        random.nextLong(1, 500),
        "take lock",
        () -> {
          if (!contest.isOver() && !closed) {
            // Some are held for so long that the group goes through several segments.
            long hold =
                random.nextInt(8) == 0 ? random.nextLong(1_000, 6_000) : random.nextLong(1, 400);
            take(LockUses.draw(random, "owner " + number), hold, () -> {}, this::next);
          }
        });
  }

  /** Takes a lock and releases it; {@code done} if it got it, then {@code then} in any case. */
  void take(Claim claim, long holdMillis, Runnable done, Runnable then) {
    doing = "waits for " + claim.name();
    long before = contest.history.asked(claim.name());
    var stage = ask(claim);
    waiting = stage;
    expected = EnumSet.of(Reason.TIMEOUT);
    if (LockUses.isTaken(claim.name())) {
      expected.add(Reason.CONFLICT);
    }
    calls.follow(
        stage,
        expected,
        grant -> {
          waiting = null;
          contest.judge.require(!closed, claim.name() + " was given to a bundle that had stopped");
          if (grant == null) {
            then.run();
            return;
          }
          contest.granted(process, grant, before);
          grants.add(grant);
          done.run();
          use(grant, holdMillis, then);
        },
        reason -> {
          waiting = null;
          if (reason == null && claim.owner() != null) {
            // Who has given up does not wait any more, and may change his mind.
            calls.after(0, "ask again", () -> take(claim, holdMillis, done, then));
          } else {
            then.run();
          }
        });
  }

  private CompletionStage<@Nullable Grant> ask(Claim claim) {
    int dice = random.nextInt(16);
    if (dice < 3) {
      return locks.tryAcquire(claim);
    } else if (dice == 3) {
      return locks.acquire(claim, Duration.ZERO);
    }
    // Who waits without limit waits for ever if the lock service forgets to tell him.
    var limit = dice < 8 ? NO_LIMIT : Duration.ofMillis(random.nextLong(1, 5_000));
    var stage = locks.acquire(claim, limit);
    if (dice > 13) {
      calls.after(
          random.nextLong(0, 1_000), "give up", () -> stage.toCompletableFuture().cancel(false));
    }
    return stage;
  }

  private void use(Grant grant, long holdMillis, Runnable then) {
    doing = "holds " + grant.claim().name();
    calls.follow(
        grant.asked(), NOTHING, nothing -> process.world().sighted("lock asked for"), reason -> {});
    if (grant.claim().owner() != null && random.nextBoolean()) {
      claimAgain(grant);
    }
    if (grant.claim().name().startsWith("lock") && random.nextInt(4) == 0) {
      showAtGate(grant);
    }
    hold(grant, holdMillis, then);
  }

  /** An owner gets what it holds at once, and would wait for itself in another mode. */
  private void claimAgain(Grant grant) {
    if (!grant.isHeld()) {
      return;
    }
    Claim claim = grant.claim();
    if (claim.mode() != Mode.PERMITS && random.nextInt(4) == 0) {
      var other =
          new Claim(
              claim.name(),
              claim.mode() == Mode.SHARED ? Mode.EXCLUSIVE : Mode.SHARED,
              0,
              0,
              0,
              Duration.ZERO,
              null,
              claim.owner(),
              "");
      var refused = locks.acquire(other, Duration.ofSeconds(1)).toCompletableFuture();
      contest.judge.require(
          refused.isCompletedExceptionally(), this + ", and in another mode at the same time");
      return;
    }
    var again = locks.tryAcquire(claim).toCompletableFuture().getNow(null);
    if (again == null || again.token() != grant.token() || !again.isHeld()) {
      contest.judge.fail(new AssertionError(this + ", which its owner did not get again"));
      return;
    }
    process.world().sighted("lock claimed again");
    contest.held(process, again);
    grants.add(again);
    calls.after(
        random.nextLong(1, 300),
        "release again",
        () -> {
          if (grants.contains(again)) {
            releaseOneOf(grant, again);
          }
        });
  }

  /** What was claimed twice and released once is still held. */
  private void releaseOneOf(Grant grant, Grant again) {
    boolean held = grant.isHeld();
    again.close();
    grants.remove(again);
    contest.judge.require(
        !again.isHeld() && held == grant.isHeld(), this + ", claimed twice and released once");
  }

  private void showAtGate(Grant grant) {
    String lock = grant.claim().name();
    long before = contest.history.atGate(lock);
    calls.follow(
        gate.check(lock, grant.token()),
        EnumSet.of(Reason.CONFLICT),
        nothing -> contest.history.passed(lock, grant.token(), before),
        reason ->
            contest.judge.require(
                reason != Reason.CONFLICT || !contest.clocksAreTrue || !grant.isHeld(),
                this + ", and the gate takes the token for stale: " + grant.token()));
  }

  /** Holds it for a while, and asks now and then whether the others think so, too. */
  private void hold(Grant grant, long millis, Runnable then) {
    compare(grant);
    boolean givesWay = grant.asked().toCompletableFuture().isDone() && random.nextBoolean();
    long next = Math.min(millis, COMPARE_MILLIS);
    calls.after(
        next,
        "hold lock",
        () -> {
          if (millis > next && !givesWay && !contest.isOver() && grant.isHeld()) {
            hold(grant, millis - next, then);
          } else {
            release(grant, then);
          }
        });
  }

  /** What the group says of a lock that is held all the while must be just that. */
  private void compare(Grant grant) {
    String lock = grant.claim().name();
    calls.follow(
        locks.info(lock),
        NOTHING,
        info -> {
          if (contest.clocksAreTrue
              && !contest.history.isTaken(lock, grant.token())
              && grant.isHeld()) {
            contest.history.shown(grant.claim(), grant.token(), info);
          }
        },
        reason -> {});
  }

  private void release(Grant grant, Runnable then) {
    String lock = grant.claim().name();
    doing = "releases " + lock;
    for (Grant other : List.copyOf(grants)) {
      if (other != grant && other.token() == grant.token() && other.claim().name().equals(lock)) {
        releaseOneOf(grant, other);
      }
    }
    boolean held = grant.isHeld();
    Runnable isOver =
        () -> {
          if (held) { // Else it may have ended otherwise, or be about to.
            contest.retire(lock, grant.token());
          }
          then.run();
        };
    int dice = random.nextInt(8);
    if (held && dice == 0) {
      follow(locks.release(lock, grant.token()), isOver, then);
    } else if (dice == 1) {
      grant.close();
      then.run();
    } else {
      follow(grant.release(), isOver, then);
    }
    grants.remove(grant);
    contest.judge.require(!grant.isHeld(), this + ", and believes to hold it");
  }

  private void follow(CompletionStage<Void> release, Runnable done, Runnable failed) {
    calls.follow(release, NOTHING, nothing -> done.run(), reason -> failed.run());
  }

  /** Its bundle has stopped: it holds nothing and waits for nothing. */
  void closed() {
    closed = true;
    if (waiting != null) {
      expected.add(Reason.UNAVAILABLE);
    }
    grants.forEach(
        grant ->
            contest.judge.require(
                !grant.isHeld(), this + ", and its bundle has stopped: " + grant.token()));
    var late = locks.acquire("lock0", Duration.ofSeconds(1)).toCompletableFuture();
    contest.judge.require(
        late.isCompletedExceptionally(), "a bundle that has stopped may ask for a lock");
    var unanswered = waiting;
    calls.after(
        1_000,
        "closed",
        () ->
            contest.judge.require(
                unanswered == null || unanswered.toCompletableFuture().isDone(),
                this + ", and its bundle stopped a second ago"));
  }
}
