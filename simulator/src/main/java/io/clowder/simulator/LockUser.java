// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.CoordinationException;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Takes one lock after the other, holds each for a while, and writes down what it was told. Lives
 * and dies with one incarnation of a node.
 */
final class LockUser {
  private static final long MILLIS = 1_000_000;
  private static final long COMPARE_MILLIS = 200;

  private final LockService locks;
  private final SimulatedProcess process;
  private final Contest contest;
  private final RandomGenerator random;

  /** What the users of a cluster have in common; checks every step who believes to hold what. */
  static final class Contest implements Invariant {
    final LockHistory history = new LockHistory();
    private final World world;
    private final Judge judge;
    private final boolean clocksAreTrue;
    private final List<Holding> holdings = new ArrayList<>();
    private int users;
    private boolean over;

    private record Holding(SimulatedProcess process, int incarnation, Grant grant) {}

    /**
     * A contest without users.
     *
     * @param clocksAreTrue whether clocks drift so little that they can be believed
     */
    Contest(World world, Judge judge, boolean clocksAreTrue) {
      this.world = world;
      this.judge = judge;
      this.clocksAreTrue = clocksAreTrue;
    }

    void end() {
      over = true;
    }

    @Override
    public void check() {
      for (int i = holdings.size() - 1; i >= 0; i--) {
        var holding = holdings.get(i);
        boolean alive = holding.process.incarnation() == holding.incarnation;
        if (!alive || !holding.grant.isHeld()) {
          holdings.remove(i);
        } else if (clocksAreTrue) {
          history.believed(holding.grant.claim().name(), holding.grant.token(), world.now());
        }
      }
    }
  }

  LockUser(LockService locks, SimulatedProcess process, Contest contest) {
    this.locks = locks;
    this.process = process;
    this.contest = contest;
    this.random = process.world().random("lock user " + ++contest.users);
  }

  /** Takes a lock after a while, and goes on so. */
  void begin() {
    process.after(
        random.nextLong(1, 500) * MILLIS,
        "take lock",
        () -> {
          if (!contest.over) {
            // Some are held for so long that the group goes through several segments.
            long hold =
                random.nextInt(6) == 0 ? random.nextLong(1_000, 6_000) : random.nextLong(1, 400);
            take("lock" + random.nextInt(3), hold, () -> {}, this::begin);
          }
        });
  }

  /** Takes a lock and releases it; {@code done} if it got it, then {@code then} in any case. */
  void take(String name, long holdMillis, Runnable done, Runnable then) {
    long before = contest.history.asked(name);
    var stage =
        random.nextInt(4) == 0
            ? locks.tryAcquire(name)
            : locks.acquire(name, Duration.ofMillis(random.nextLong(1, 5_000)));
    follow(
        stage,
        grant -> {
          if (grant == null) {
            then.run();
            return;
          }
          contest.history.granted(name, grant.token(), before);
          contest.holdings.add(new Contest.Holding(process, process.incarnation(), grant));
          done.run();
          hold(grant, holdMillis, then);
        },
        then);
  }

  /** Holds it for a while, and asks now and then whether the others think so, too. */
  private void hold(Grant grant, long millis, Runnable then) {
    compare(grant);
    long next = Math.min(millis, COMPARE_MILLIS);
    process.after(
        next * MILLIS,
        "hold lock",
        () -> {
          if (millis > next && grant.isHeld()) {
            hold(grant, millis - next, then);
          } else {
            release(grant, then);
          }
        });
  }

  /** What the group says of a lock that is held all the while must be just that. */
  private void compare(Grant grant) {
    follow(
        locks.info(grant.claim().name()),
        info -> {
          if (contest.clocksAreTrue && grant.isHeld()) {
            contest.history.shown(
                grant.claim().name(),
                grant.token(),
                info == null ? 0 : info.holders().get(0).token());
          }
        },
        () -> {});
  }

  private void release(Grant grant, Runnable then) {
    follow(grant.release(), nothing -> then.run(), then);
  }

  private <T extends @Nullable Object> void follow(
      CompletionStage<T> stage, Consumer<T> done, Runnable failed) {
    int incarnation = process.incarnation();
    var unused =
        stage.whenComplete(
            (result, failure) -> {
              if (process.incarnation() != incarnation || !process.isUp()) {
                return;
              }
              try {
                if (failure == null) {
                  done.accept(result);
                } else {
                  var cause =
                      failure instanceof CompletionException && failure.getCause() != null
                          ? failure.getCause()
                          : failure;
                  if (!(cause instanceof CoordinationException refusal)) {
                    throw new AssertionError("a lock failed by " + cause, cause);
                  }
                  if (refusal.reason() == CoordinationException.Reason.STATE_MACHINE_FAILED) {
                    throw new AssertionError(refusal.getMessage(), refusal);
                  }
                  process.world().sighted("lock refused: " + refusal.reason());
                  failed.run();
                }
              } catch (RuntimeException | AssertionError e) {
                contest.judge.fail(e);
              }
            });
  }
}
