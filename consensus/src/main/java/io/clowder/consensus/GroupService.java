// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** A group as one of its machines sees it. */
final class GroupService implements ConsensusService {
  private final Group group;
  private final String machine;
  private final Requests requests;
  private final Environment environment;

  /** The highest position that a caller of this service has seen a result of. */
  private final AtomicLong observed = new AtomicLong();

  GroupService(Group group, String machine, Requests requests, Environment environment) {
    this.group = group;
    this.machine = machine;
    this.requests = requests;
    this.environment = environment;
  }

  @Override
  public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
    CompletableFuture<Committed> result = new CompletableFuture<>();
    if (admit(command, result)) {
      group.submit(new Requests.Pending(machine, command, instant(deadline), result));
    }
    return result.thenApply(
        committed -> {
          observed.accumulateAndGet(committed.position(), Math::max);
          return committed;
        });
  }

  @Override
  public CompletionStage<byte[]> query(
      byte[] query, ReadConsistency consistency, Duration deadline) {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    if (admit(query, result)) {
      group.query(
          new Reads.Query(machine, query, instant(deadline), result),
          consistency == ReadConsistency.LINEARIZABLE,
          consistency == ReadConsistency.SEQUENTIAL ? observed.get() : 0);
    }
    return result.minimalCompletionStage();
  }

  private boolean admit(byte[] bytes, CompletableFuture<?> result) {
    try {
      if (bytes.length > Limits.COMMAND_BYTES) {
        throw CoordinationException.refused(
            Reason.TOO_LARGE,
            bytes.length + " bytes, at most " + Limits.COMMAND_BYTES + " are possible");
      }
      requests.admit();
      return true;
    } catch (CoordinationException e) {
      result.completeExceptionally(e);
      return false;
    }
  }

  private long instant(Duration deadline) {
    return environment.nanoClock().getAsLong() + deadline.toNanos();
  }

  @Override
  public Session session() {
    return requests.session();
  }

  @Override
  public GroupStatus status() {
    try {
      return group.status().toCompletableFuture().get(1, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw CoordinationException.refused(
          Reason.UNAVAILABLE, "the group's thread does not answer; is the machine overloaded?");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CoordinationException.refused(Reason.UNAVAILABLE, "interrupted");
    }
  }
}
