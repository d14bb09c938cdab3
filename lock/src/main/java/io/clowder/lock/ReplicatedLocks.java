// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.lock.FenceGate;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockService;
import io.clowder.api.runtime.Timer;
import io.clowder.lock.LockRequest.Change;
import io.clowder.lock.LockRequest.Question;
import io.clowder.lock.LockRequest.Show;
import io.clowder.lock.LockResult.Refused;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Locks of one group on this node. When it is closed, which the stop of this bundle or of the
 * runtime below does, this node's grants are lost and its waiters fail.
 *
 * <p>It has work to do before anybody asks for it: letting go of what an earlier run left.
 */
public final class ReplicatedLocks implements FenceGate, AutoCloseable {
  static final String PID = "io.clowder.lock";

  /** How long a stop is held up until the group has heard of it. */
  private static final Duration STOP_MAX = Duration.ofSeconds(1);

  private final ConsensusService consensus;
  private final LockClient client;
  private final LockEvents history;
  private final LockSetting setting;
  private final Timer timer;

  /**
   * Locks on any consensus service whose machine is {@code table}. Opens this node's session at
   * once, for itself alone: a node has one instance at a time.
   *
   * @param history of the same table
   * @param client a random number, not 0: each instance of one node must have another
   * @param timer closed with this instance
   */
  public ReplicatedLocks(
      ConsensusService consensus,
      LockTable table,
      LockEvents history,
      NodeId node,
      LockSetting setting,
      long client,
      Timer timer) {
    this.consensus = consensus;
    this.history = history;
    this.setting = setting;
    this.client =
        new LockClient(
            new ClientSession(consensus, node, timer, client, setting.timeout()),
            table,
            timer,
            setting.waitersMax());
    this.timer = timer;
    this.client.start();
  }

  /** Locks for a bundle; close what comes back, an {@link AutoCloseable}, when it stops. */
  BundleLocks enter(String bundle) {
    return new BundleLocks(this, client, setting, client.enter(LockName.cut(bundle)));
  }

  /** Locks for a user that is there as long as this instance. */
  public LockService locksOf(String user) {
    return enter(user);
  }

  /**
   * Closes, and gives the group a moment to hear of it: what is under way when the table's service
   * goes is dropped, and this node's locks would stay taken as long as its session lives.
   */
  void deactivate() {
    Duration timeout = setting.timeout();
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

  @Override
  public CompletionStage<Void> check(String resource, long token) {
    try {
      if (token < 1) {
        throw LockFailure.stale(resource, token, 1);
      }
      return change(
          new Show(LockName.checkName("name of the resource", resource), token),
          refused -> LockFailure.stale(resource, token, refused.token()));
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** Has a change applied that is no client's; if it was refused, fails as {@code failure} says. */
  CompletionStage<Void> change(Change change, Function<Refused, CoordinationException> failure) {
    return consensus
        .submit(change.encode(), setting.timeout())
        .thenApply(
            done -> {
              if (LockResult.decode(done.result()) instanceof Refused refused) {
                throw failure.apply(refused);
              }
              return null;
            });
  }

  <T extends LockResult> CompletionStage<T> ask(Question question, Class<T> answer) {
    return consensus
        .query(question.encode(), ReadConsistency.LINEARIZABLE, setting.timeout())
        .thenApply(bytes -> answer.cast(LockResult.decode(bytes)));
  }

  List<LockEvent> history(@Nullable String name) {
    return history.of(name);
  }
}
