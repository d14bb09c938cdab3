// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** A lock as the JDK knows it: the thread is the owner. */
final class JdkLock implements Lock {
  private final LockService locks;
  private final Claim claim;
  private final Map<Thread, Deque<Grant>> grants = new ConcurrentHashMap<>();

  JdkLock(LockService locks, Claim claim) {
    this.locks = locks;
    this.claim = claim;
  }

  @Override
  public void lock() {
    boolean interrupted = false;
    while (true) {
      try {
        lockInterruptibly();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // As the JDK's: told afterwards.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void lockInterruptibly() throws InterruptedException {
    take(BundleLocks.WAIT_MAX);
  }

  @Override
  public boolean tryLock() {
    boolean interrupted = Thread.interrupted();
    try {
      return tryLock(Duration.ZERO);
    } catch (InterruptedException e) {
      interrupted = true;
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
    return tryLock(Duration.ofNanos(Math.max(0, unit.toNanos(time))));
  }

  private boolean tryLock(Duration wait) throws InterruptedException {
    try {
      take(wait);
      return true;
    } catch (CoordinationException e) {
      if (e.reason() == Reason.TIMEOUT) {
        return false;
      }
      throw e;
    }
  }

  private void take(Duration wait) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    Thread thread = Thread.currentThread();
    Grant grant = locks.lock(claim.withOwner(owner(thread)), wait);
    grants.computeIfAbsent(thread, key -> new ArrayDeque<>()).push(grant);
  }

  /** Threads of a process have one identifier each, for as long as they live. */
  private static String owner(Thread thread) {
    return "thread " + thread.getId();
  }

  @Override
  public void unlock() {
    Thread thread = Thread.currentThread();
    Deque<Grant> held = grants.get(thread);
    Grant grant = held == null ? null : held.poll();
    if (held != null && held.isEmpty()) {
      grants.remove(thread);
    }
    if (grant == null) {
      throw new IllegalMonitorStateException("this thread does not hold lock " + claim.name());
    }
    boolean wasHeld = grant.isHeld();
    grant.close();
    if (!wasHeld) {
      throw new IllegalMonitorStateException("lock " + claim.name() + " was lost");
    }
  }

  @Override
  public Condition newCondition() {
    throw new UnsupportedOperationException("locks across a cluster have no conditions");
  }

  @Override
  public String toString() {
    Deque<Grant> held = grants.get(Thread.currentThread());
    @Nullable Grant grant = held == null ? null : held.peek();
    return claim.name() + (grant == null ? "" : ", token " + grant.token());
  }
}
