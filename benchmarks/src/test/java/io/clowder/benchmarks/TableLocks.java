// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import io.clowder.api.lock.LockSession;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A lock table in memory behind an executor; releases that {@code failing} picks by number fail.
 */
final class TableLocks implements LockService {
  final ConcurrentSkipListMap<String, Long> held = new ConcurrentSkipListMap<>();
  final AtomicLong tokens = new AtomicLong();
  final AtomicLong releases = new AtomicLong();
  private final Executor executor;
  private final LongPredicate failing;

  TableLocks(Executor executor, LongPredicate failing) {
    this.executor = executor;
    this.failing = failing;
  }

  @Override
  public CompletionStage<Grant> acquire(Claim claim, Duration wait) {
    String name = claim.name();
    return CompletableFuture.supplyAsync(
        () -> {
          long token = tokens.incrementAndGet();
          if (held.putIfAbsent(name, token) != null) {
            throw CoordinationException.refused(Reason.TIMEOUT, name + " is held");
          }
          return new Held(claim, token);
        },
        executor);
  }

  @Override
  public CompletionStage<@Nullable Grant> tryAcquire(Claim claim) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public Grant lock(Claim claim, Duration wait) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public Lock asLock(Claim claim) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Void> revoke(String name, long token, String reason) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<Void> promote(String name, NodeId node) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<List<LockSession>> sessions(int limit) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public List<LockEvent> history(@Nullable String name) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Void> release(String name, long token) {
    return CompletableFuture.runAsync(
        () -> {
          if (!held.remove(name, token)) {
            throw CoordinationException.refused(Reason.CONFLICT, "another token");
          }
        },
        executor);
  }

  @Override
  public CompletionStage<@Nullable LockInfo> info(String name) {
    return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
  }

  @Override
  public CompletionStage<List<LockInfo>> list(String prefix, @Nullable String after, int limit) {
    return CompletableFuture.supplyAsync(
        () ->
            held.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .filter(entry -> after == null || entry.getKey().compareTo(after) > 0)
                // Shorter pages than asked for, as a real one may give.
                .limit(Math.min(limit, 2))
                .map(entry -> info(entry.getKey(), entry.getValue()))
                .toList(),
        executor);
  }

  private static LockInfo info(String name, long token) {
    LockInfo.Holder holder =
        new LockInfo.Holder(
            token, new NodeId("n1"), 1, "bench", Claim.Mode.EXCLUSIVE, 0, 0, false, "");
    return new LockInfo(name, 0, List.of(holder), 1, List.of(), 0, 0);
  }

  private final class Held implements Grant {
    private final Claim claim;
    private final long token;

    Held(Claim claim, long token) {
      this.claim = claim;
      this.token = token;
    }

    @Override
    public Claim claim() {
      return claim;
    }

    @Override
    public long token() {
      return token;
    }

    @Override
    public boolean isHeld() {
      return held.get(claim.name()) != null;
    }

    @Override
    public Duration remaining() {
      throw new AssertionError("not part of the load");
    }

    @Override
    public CompletionStage<Void> asked() {
      throw new AssertionError("not part of the load");
    }

    @Override
    public void close() {
      var unused = release();
    }

    @Override
    public CompletionStage<Void> lost() {
      return CompletableFuture.failedFuture(new AssertionError("not part of the load"));
    }

    @Override
    public CompletionStage<Void> release() {
      if (failing.test(releases.getAndIncrement())) {
        return CompletableFuture.failedFuture(
            CoordinationException.refused(Reason.OVERLOADED, "too much at once"));
      }
      return TableLocks.this.release(claim.name(), token);
    }
  }
}
