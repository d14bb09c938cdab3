// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import io.clowder.lock.LockRequest.Info;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Question;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockResult.Locks;
import io.clowder.lock.LockResult.Refused;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Locks as others see them. When it is closed, which the stop of this bundle or of the runtime
 * below does, this node's grants are lost and its waiters fail.
 *
 * <p>It has work to do before anybody asks for it: letting go of what an earlier run left.
 */
public final class ReplicatedLocks implements LockService, AutoCloseable {
  static final String PID = "io.clowder.lock";
  static final int TIMEOUT_MILLIS_MAX = 600_000;

  private static final Duration WAIT_MAX = Duration.ofDays(10_000);

  /** How long a stop is held up until the group has heard of it. */
  private static final Duration STOP_MAX = Duration.ofSeconds(1);

  private final ConsensusService consensus;
  private final LockClient client;
  private final Duration timeout;
  private final Timer timer;

  /**
   * Locks on any consensus service whose machine is {@code table}. Opens this node's session at
   * once, for itself alone: a node has one instance at a time.
   *
   * @param timeout for answers of the group, 1 ms to 10 minutes
   * @param client a random number, not 0: each instance of one node must have another
   * @param timer closed with this instance
   */
  public ReplicatedLocks(
      ConsensusService consensus,
      LockTable table,
      NodeId node,
      Duration timeout,
      long client,
      Timer timer) {
    this.consensus = consensus;
    this.timeout = checked(timeout);
    this.client =
        new LockClient(new ClientSession(consensus, node, timer, client, timeout), table, timer);
    this.timer = timer;
    this.client.start();
  }

  static Duration checked(Duration timeout) {
    if (timeout.toMillis() < 1 || timeout.toMillis() > TIMEOUT_MILLIS_MAX) {
      throw new IllegalArgumentException(
          "%s: timeout.millis is %d: use 1 to %d"
              .formatted(PID, timeout.toMillis(), TIMEOUT_MILLIS_MAX));
    }
    return timeout;
  }

  /**
   * Closes, and gives the group a moment to hear of it: what is under way when the table's service
   * goes is dropped, and this node's locks would stay taken as long as its session lives.
   */
  void deactivate() {
    Duration limit = timeout.compareTo(STOP_MAX) < 0 ? timeout : STOP_MAX;
    try {
      var unused = end().toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return; // The next start here lets go of it, or the session's end.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Loses all grants, fails all waiters, and tries to tell the group. */
  @Override
  public void close() {
    var unused = end();
  }

  private CompletionStage<?> end() {
    try {
      return client.close();
    } finally {
      timer.close();
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>A {@code wait} of zero takes the lock only if it is free; the group then has the configured
   * time to answer. Otherwise {@code wait} is the limit for both. A waiter fails with {@code
   * SESSION_EXPIRED} when this node's session ends: it has lost its place in the queue.
   */
  @Override
  public CompletionStage<Grant> acquire(String name, Duration wait) {
    if (wait.isNegative()) {
      return failed(refused(Reason.INVALID, "cannot wait " + wait + " for a lock"));
    }
    Duration limit = wait.compareTo(WAIT_MAX) > 0 ? WAIT_MAX : wait;
    return request(name, wait.isZero() ? null : limit)
        .thenApply(
            grant -> {
              if (grant == null) {
                throw LockFailure.taken(name);
              }
              return grant;
            });
  }

  @Override
  public CompletionStage<@Nullable Grant> tryAcquire(String name) {
    return request(name, null);
  }

  private CompletionStage<@Nullable Grant> request(String name, @Nullable Duration wait) {
    try {
      return client.acquire(LockName.checkName(name), wait);
    } catch (CoordinationException e) {
      return failed(e);
    }
  }

  @Override
  public CompletionStage<Void> release(String name, long token) {
    try {
      LockName.checkName(name);
    } catch (CoordinationException e) {
      return failed(e);
    }
    if (token < 1) {
      return failed(refused(Reason.CONFLICT, "no lock ever had the token " + token));
    }
    Grant own = client.held(name, token);
    if (own != null) {
      return own.release(); // So that it turns false before the group hears of it.
    }
    return consensus
        .submit(new Release(name, token).encode(), timeout)
        .thenApply(
            done -> {
              if (LockResult.decode(done.result()) instanceof Refused refused) {
                throw LockFailure.wrongToken(name, token, refused);
              }
              return null;
            });
  }

  @Override
  public CompletionStage<@Nullable LockInfo> info(String name) {
    try {
      return ask(new Info(LockName.checkName(name)))
          .thenApply(locks -> locks.isEmpty() ? null : locks.get(0));
    } catch (CoordinationException e) {
      return failed(e);
    }
  }

  @Override
  public CompletionStage<List<LockInfo>> list(String prefix, @Nullable String after, int limit) {
    try {
      if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
        throw refused(Reason.INVALID, "a list of " + limit + ": use 1 to " + Limits.PAGE_ENTRIES);
      }
      String from = after == null ? null : LockName.check("name of the lock", after);
      return ask(new Page(LockName.check("prefix", prefix), from, limit));
    } catch (CoordinationException e) {
      return failed(e);
    }
  }

  private CompletionStage<List<LockInfo>> ask(Question question) {
    return consensus
        .query(question.encode(), ReadConsistency.LINEARIZABLE, timeout)
        .thenApply(
            bytes -> {
              if (LockResult.decode(bytes) instanceof Locks locks) {
                return locks.locks();
              }
              throw new AssertionError("a question answered by something else than locks");
            });
  }

  private static <T extends @Nullable Object> CompletionStage<T> failed(
      CoordinationException failure) {
    return CompletableFuture.failedStage(failure);
  }
}
