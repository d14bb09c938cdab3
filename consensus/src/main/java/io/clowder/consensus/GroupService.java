// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A group as one of its machines sees it. */
final class GroupService implements ConsensusService {
  private static final Duration DEADLINE_MAX = Duration.ofDays(1);

  private final Group group;
  private final String machine;
  private final Requests requests;
  private final Environment environment;

  GroupService(Group group, String machine, Requests requests, Environment environment) {
    this.group = group;
    this.machine = machine;
    this.requests = requests;
    this.environment = environment;
  }

  @Override
  public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
    CompletableFuture<Committed> result = new CompletableFuture<>();
    long instant = instant(environment, deadline);
    if (admit(command, result)) {
      group.submit(new Requests.Pending(machine, command, instant, result));
    }
    return result.minimalCompletionStage();
  }

  @Override
  public CompletionStage<byte[]> query(
      byte[] query, ReadConsistency consistency, Duration deadline) {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    long instant = instant(environment, deadline);
    if (admit(query, result)) {
      group.query(new Reads.Query(machine, query, instant, result), consistency);
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
      if (group.isClosed()) {
        throw CoordinationException.refused(Reason.UNAVAILABLE, Group.STOPPED);
      }
      requests.admit(bytes.length);
      return true;
    } catch (CoordinationException e) {
      result.completeExceptionally(e);
      return false;
    }
  }

  /** The time, by the environment's clock, when a deadline from now has come. */
  static long instant(Environment environment, Duration deadline) {
    long nanos = deadline.compareTo(DEADLINE_MAX) < 0 ? deadline.toNanos() : DEADLINE_MAX.toNanos();
    return environment.nanoClock().getAsLong() + nanos;
  }

  @Override
  public CompletionStage<Swap> swap(
      Successor successor, Consumer<String> progress, Duration deadline) {
    return group.swap(successor, progress, deadline);
  }

  @Override
  public Session session() {
    return requests.session();
  }

  @Override
  public @Nullable NodeId leader() {
    return group.leader();
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
