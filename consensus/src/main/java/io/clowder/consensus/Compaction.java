// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.consensus.StateMachine;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When snapshots are made, and what becomes of them. On the group's thread. */
final class Compaction {
  private static final Logger log = LoggerFactory.getLogger(Compaction.class);

  /** A laggard that is taking a snapshot would have to begin again with a newer one. */
  private static final long BUSY_NANOS = 1_000_000_000L;

  private static final long FAILED_NANOS = 10_000_000_000L;

  private final GroupSetting setting;
  private final Storage storage;
  private final Executor background;
  private final SnapshotTransfer.Peers peers;
  private final ReplicatedState state;
  private final Requests requests;
  private final Health health;

  private @Nullable SnapshotTransfer transfer;
  private boolean underWay;
  private long position;
  private long size;
  private long next;

  Compaction(
      GroupSetting setting,
      Storage storage,
      Executor background,
      SnapshotTransfer.Peers peers,
      ReplicatedState state,
      Requests requests,
      Health health,
      long now) {
    this.setting = setting;
    this.storage = storage;
    this.background = background;
    this.peers = peers;
    this.state = state;
    this.requests = requests;
    this.health = health;
    next = now;
  }

  /** The files, once they are open. */
  @Nullable SnapshotTransfer transfer() {
    return transfer;
  }

  /** The newest snapshot, or null; opens the files. */
  Snapshots.@Nullable Snapshot latest() throws IOException {
    SnapshotTransfer files = transfer;
    if (files == null) {
      files = new SnapshotTransfer(storage.openSnapshots(setting.name()), background, peers);
      transfer = files;
    }
    return files.latest();
  }

  /** Whether a snapshot is on its way to the disk. */
  boolean isUnderWay() {
    return underWay;
  }

  /** The last position that a snapshot covers. */
  long position() {
    return position;
  }

  /** A laggard wants a piece of the newest snapshot. */
  void wanted(long now) {
    next = now + BUSY_NANOS;
  }

  /** Captures the state if there is enough to be gained. */
  void run(ProtocolCore core, long now) {
    SnapshotTransfer target = transfer;
    if (target == null || underWay || !isDue(now)) {
      return;
    }
    if (state.absent().isEmpty()) {
      underWay = true;
      target.make(state.capture(core.anchor(state.applied())));
    } else if (state.historyBytes() > setting.historyBytesMax()) {
      throw new IllegalStateException(
          "the log since the last snapshot takes "
              + state.historyBytes()
              + " bytes, because these machines are away: "
              + state.absent());
    }
  }

  private boolean isDue(long now) {
    boolean grown =
        state.historyBytes() > Math.max(setting.snapshotBytes(), size)
            || state.historySize() > setting.snapshotEntries();
    boolean inTime = now - next >= 0 || state.historyBytes() > setting.historyBytesMax();
    return grown && inTime;
  }

  /** A snapshot is durable; whether the core is to be told that it covers this position. */
  boolean made(long newPosition, long newSize) {
    underWay = false;
    health.snapshot = "";
    if (newPosition <= position || newPosition > state.applied()) {
      return false;
    }
    position = newPosition;
    size = newSize;
    state.forget(newPosition);
    return true;
  }

  void notMade(Throwable failure, long now) {
    underWay = false;
    next = now + FAILED_NANOS;
    health.snapshot = "disk: a snapshot could not be made: " + failure.getMessage();
    log.warn("group {}: {}", setting.name(), health.snapshot);
  }

  /** Replaces the state by a snapshot; returns its anchor. */
  byte[] restore(Snapshots.Snapshot snapshot) throws IOException {
    try (InputStream content = snapshot.open()) {
      SnapshotFormat.Head head = state.restore(content);
      if (head.position() != snapshot.position()) {
        throw new Storage.CorruptionException(
            "the snapshot at " + snapshot.position() + " says it is at " + head.position());
      }
      position = snapshot.position();
      size = snapshot.size();
      requests.reconcile(state.sessions(), position);
      return head.anchor();
    }
  }

  /** Gives a machine that came late its state, in the background. */
  void load(String name, StateMachine machine) {
    SnapshotTransfer source = transfer;
    if (source == null) {
      return;
    }
    source.load(
        name,
        machine,
        state.chain().get(0).firstPosition() - 1,
        loaded -> {
          if (state.catchUp(name, machine, loaded)) {
            requests.collect(state.sessions());
          } else {
            load(name, machine);
          }
        });
  }
}
