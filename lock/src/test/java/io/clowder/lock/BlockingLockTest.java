// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.runtime.ThreadTimer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Threads that wait for a lock and are interrupted in the moment in which they get it. */
class BlockingLockTest {
  private static final int ROUNDS = 300;
  private static final Duration LONG = Duration.ofSeconds(8);

  private final VirtualTimer clock = new VirtualTimer();
  private final TestGroup group = new TestGroup();
  private final TestGroup.Node node = group.node("n1", clock);

  /** Completes on threads of its own, and has the clock of the test. */
  private static final class Threads extends VirtualTimer {
    private final ThreadTimer real = new ThreadTimer("test-lock");

    @Override
    public void execute(Runnable task) {
      real.execute(task);
    }
  }

  @Test
  void whoIsInterruptedHoldsNothing() throws Exception {
    Threads timer = new Threads();
    ReplicatedLocks all =
        new ReplicatedLocks(
            node, group.table, group.events, node.id, LockSetting.of(LONG), 1, timer);
    BundleLocks holder = all.enter("holder");
    BundleLocks locks = all.enter("waiter");
    int interrupted = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Claim claim = Claim.exclusive("x" + round);
      Grant grant = holder.acquire(claim, LONG).toCompletableFuture().get();
      CompletableFuture<Grant> got = new CompletableFuture<>();
      Thread waiter =
          new Thread(
              () -> {
                try {
                  got.complete(locks.lock(claim, LONG));
                } catch (InterruptedException e) {
                  got.complete(null);
                }
              });
      waiter.start();
      while (waiter.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      Future<Void> released = grant.release().toCompletableFuture();
      for (int spin = round % 400; spin > 0; spin--) {
        Thread.onSpinWait();
      }
      waiter.interrupt();
      waiter.join();
      released.get(30, TimeUnit.SECONDS);
      Grant its = got.get();
      if (its != null) {
        its.release().toCompletableFuture().get(30, TimeUnit.SECONDS);
      } else {
        interrupted++;
      }
      long end = System.nanoTime() + LONG.toNanos();
      while (group.table.state().info(claim.name()) != null) {
        assertTrue(System.nanoTime() - end < 0, "nobody has it, and it is taken");
        LockSupport.parkNanos(100_000);
      }
    }
    assertTrue(interrupted > 0);
    assertEquals(0, group.table.state().bundles(10).get(0).holds());
  }
}
