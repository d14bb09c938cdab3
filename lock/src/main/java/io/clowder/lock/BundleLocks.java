// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import io.clowder.api.lock.LockSession;
import io.clowder.lock.LockRequest.Bundles;
import io.clowder.lock.LockRequest.Info;
import io.clowder.lock.LockRequest.Page;
import io.clowder.lock.LockRequest.Promote;
import io.clowder.lock.LockRequest.Release;
import io.clowder.lock.LockResult.Locks;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** Locks as one bundle sees them. Closing it releases all that the bundle holds. */
final class BundleLocks implements LockService, AutoCloseable {
  /** Longer than anybody waits. */
  static final Duration WAIT_MAX = Duration.ofDays(10_000);

  private final ReplicatedLocks all;
  private final LockClient client;
  private final LockSetting setting;
  private final int bundle;

  BundleLocks(ReplicatedLocks all, LockClient client, LockSetting setting, int bundle) {
    this.all = all;
    this.client = client;
    this.setting = setting;
    this.bundle = bundle;
  }

  @Override
  public void close() {
    client.leave(bundle);
  }

  @Override
  public CompletionStage<Grant> acquire(Claim claim, Duration wait) {
    return request(claim, wait);
  }

  private CompletableFuture<Grant> request(Claim claim, Duration wait) {
    if (wait.isNegative()) {
      return CompletableFuture.failedFuture(
          refused(Reason.INVALID, "cannot wait " + wait + " for a lock"));
    }
    Duration limit = wait.compareTo(WAIT_MAX) > 0 ? WAIT_MAX : wait;
    try {
      return client.acquire(bundle, checked(claim), wait.isZero() ? null : limit, true);
    } catch (CoordinationException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public CompletionStage<@Nullable Grant> tryAcquire(Claim claim) {
    try {
      return client.acquire(bundle, checked(claim), null, false);
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private Claim checked(Claim claim) {
    return Claims.checked(setting.complete(claim));
  }

  @Override
  public Grant lock(Claim claim, Duration wait) throws InterruptedException {
    CompletableFuture<Grant> answer = request(claim, wait);
    try {
      return answer.get();
    } catch (ExecutionException e) {
      CoordinationException cause = LockFailure.cause(e.getCause());
      // The stack of the caller is the one to look at.
      throw new CoordinationException(cause.reason(), cause.outcome(), cause.getMessage(), cause);
    } catch (InterruptedException e) {
      if (!answer.cancel(false)) {
        var unused = answer.thenAccept(Grant::close); // It came in the same moment.
      }
      throw e;
    }
  }

  @Override
  public Lock asLock(Claim claim) {
    return new JdkLock(this, Claims.checked(claim));
  }

  @Override
  public CompletionStage<Void> release(String name, long token) {
    return release(name, token, "");
  }

  @Override
  public CompletionStage<Void> revoke(String name, long token, String reason) {
    if (reason.isBlank()) {
      return CompletableFuture.failedStage(refused(Reason.INVALID, "revoking needs a reason"));
    }
    return release(name, token, reason);
  }

  private CompletionStage<Void> release(String name, long token, String reason) {
    try {
      LockName.checkName(name);
      LockName.checkNote("reason", reason);
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
    if (token < 1) {
      return CompletableFuture.failedStage(
          refused(Reason.CONFLICT, "no lock ever had the token " + token));
    }
    CompletionStage<Void> own = reason.isEmpty() ? client.release(name, token) : null;
    return own != null
        ? own
        : all.change(
            new Release(name, token, reason),
            refused -> LockFailure.wrongToken(name, token, refused));
  }

  @Override
  public CompletionStage<Void> promote(String name, NodeId node) {
    try {
      return all.change(
          new Promote(LockName.checkName(name), node),
          refused -> LockFailure.nobodyWaits(name, node));
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  @Override
  public CompletionStage<@Nullable LockInfo> info(String name) {
    try {
      return all.ask(new Info(LockName.checkName(name)), Locks.class)
          .thenApply(found -> found.locks().isEmpty() ? null : found.locks().get(0));
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  @Override
  public CompletionStage<List<LockInfo>> list(String prefix, @Nullable String after, int limit) {
    try {
      String from = after == null ? null : LockName.check("name of the lock", after);
      Page page = new Page(LockName.check("prefix", prefix), from, checked(limit));
      return all.ask(page, Locks.class).thenApply(Locks::locks);
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  @Override
  public CompletionStage<List<LockSession>> sessions(int limit) {
    try {
      return all.ask(new Bundles(checked(limit)), LockResult.Bundles.class)
          .thenApply(LockResult.Bundles::bundles);
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private static int checked(int limit) {
    if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
      throw refused(Reason.INVALID, "a list of " + limit + ": use 1 to " + Limits.PAGE_ENTRIES);
    }
    return limit;
  }

  @Override
  public List<LockEvent> history(@Nullable String name) {
    return all.history(name);
  }
}
