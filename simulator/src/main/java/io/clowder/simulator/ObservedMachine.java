// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.kv.KvMachine;
import io.clowder.lock.LockTable;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A machine whose entries and results are shown to the judge. */
final class ObservedMachine implements StateMachine {
  private static final byte[] FAILED = {-1};

  private final StateMachine machine;
  private final NodeId node;
  private final Judge judge;
  private final Runnable point;
  private long position;
  private long timeMillis;

  /**
   * A machine.
   *
   * @param point run before each entry: the node may die there
   */
  ObservedMachine(StateMachine machine, NodeId node, Judge judge, Runnable point) {
    this.machine = machine;
    this.node = node;
    this.judge = judge;
    this.point = point;
  }

  @Override
  public byte[] apply(Entry entry) {
    judge.require(
        entry.position() > position, node + " applies " + entry.position() + " after " + position);
    position = entry.position();
    judge.require(
        entry.timeMillis() >= timeMillis,
        node + " is told time " + entry.timeMillis() + " after " + timeMillis);
    timeMillis = entry.timeMillis();
    point.run();
    byte[] result;
    try {
      result = machine.apply(entry);
    } catch (RuntimeException e) {
      judge.applied(node, entry, FAILED);
      throw e;
    }
    judge.applied(node, entry, result);
    if (machine instanceof KvMachine) {
      judge.writes().applied(entry, result);
    } else if (machine instanceof LockTable) {
      judge.releases().applied(node, entry, result);
    }
    return result;
  }

  @Override
  public byte[] query(byte[] query) {
    return machine.query(query);
  }

  @Override
  public Snapshot snapshot() {
    return machine.snapshot();
  }

  @Override
  public CompletionStage<@Nullable Void> pause() {
    return machine.pause();
  }

  @Override
  public void resume() {
    machine.resume();
  }

  @Override
  public void restore(InputStream in) throws IOException {
    position = 0;
    timeMillis = 0;
    machine.restore(in);
  }
}
