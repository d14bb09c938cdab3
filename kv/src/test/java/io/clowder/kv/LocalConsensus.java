// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A group of one node without a disk: what is submitted is applied at once. */
final class LocalConsensus implements ConsensusService {
  final List<ReadConsistency> asked = new ArrayList<>();
  final List<Duration> deadlines = new ArrayList<>();

  /** What the next requests fail with, if anything. */
  @Nullable CoordinationException failure;

  private final StateMachine machine;
  private long position;

  LocalConsensus(StateMachine machine) {
    this.machine = machine;
  }

  @Override
  public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
    deadlines.add(deadline);
    if (failure != null) {
      return CompletableFuture.failedStage(failure);
    }
    position++;
    Entry entry = new Entry(Entry.Kind.COMMAND, position, position, 1, command);
    return CompletableFuture.completedStage(new Committed(position, machine.apply(entry)));
  }

  @Override
  public CompletionStage<byte[]> query(
      byte[] query, ReadConsistency consistency, Duration deadline) {
    asked.add(consistency);
    deadlines.add(deadline);
    return failure != null
        ? CompletableFuture.failedStage(failure)
        : CompletableFuture.completedStage(machine.query(query));
  }

  @Override
  public Session session() {
    return new Session(1, Long.MAX_VALUE, Long.MAX_VALUE);
  }

  @Override
  public CompletionStage<Swap> swap(
      Successor successor, Consumer<String> progress, Duration deadline) {
    throw new UnsupportedOperationException("one segment only");
  }

  @Override
  public @Nullable NodeId leader() {
    return new NodeId("n1");
  }

  @Override
  public GroupStatus status() {
    NodeId node = new NodeId("n1");
    return new GroupStatus(
        "main",
        node,
        "local",
        0,
        "leader",
        node,
        1,
        position,
        position,
        0,
        0,
        new TreeMap<>(),
        "",
        List.of());
  }
}
