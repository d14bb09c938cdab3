// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.consensus.StateMachine;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When snapshots are made, and what becomes of them. On the group's thread. */
final class Compaction {
  private static final Logger log = LoggerFactory.getLogger(Compaction.class);

  /** A laggard that is taking a snapshot would have to begin again with a newer one. */
  private static final long BUSY_NANOS = 1_000_000_000L;

  private static final byte[] NOTHING = {};

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

  /** The chain at {@link #position}, and what the core there needs to know of it. */
  private SnapshotFormat.Chain chain = new SnapshotFormat.Chain(List.of(), null, 0, 0);

  private byte[] anchor = NOTHING;

  /** The one that is under way. */
  private SnapshotFormat.@Nullable Capture capture;

  /** A snapshot of at least this position is needed at once; and of this one, soon. */
  private long wanted;

  private long wantedInTime;

  private long next;
  private long failedUntil;

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
    failedUntil = now;
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

  /** The last position that a snapshot covers. */
  long position() {
    return position;
  }

  /** The chain as of {@link #position}. */
  SnapshotFormat.Chain chain() {
    return chain;
  }

  /** What the core of that segment needs to know of the position. */
  byte[] anchor() {
    return anchor;
  }

  /** As {@link #want}, but not while a laggard takes the newest one. */
  void wantInTime(long needed) {
    wantedInTime = Math.max(wantedInTime, needed);
  }

  /** Has a snapshot made at once, if there is none of this position or a later one. */
  void want(long needed) {
    wanted = Math.max(wanted, needed);
  }

  /** A laggard wants a piece of the newest snapshot. */
  void wanted(long now) {
    next = now + BUSY_NANOS;
  }

  /**
   * Captures the state if there is enough to be gained.
   *
   * @param core of the current segment; null if it is not open, then only the very beginning of the
   *     segment can be captured
   */
  void run(@Nullable ProtocolCore core, long now) {
    SnapshotTransfer target = transfer;
    Segment current = state.current();
    if (target == null || current == null || underWay || !isDue(now)) {
      return;
    }
    long slot = state.applied() - current.base();
    if (slot > 0 && (core == null || core.view().decided() < slot)) {
      // A core that was opened again does not know yet what this node has applied.
      return;
    }
    if (state.absent().isEmpty()) {
      underWay = true;
      SnapshotFormat.Capture made =
          state.capture(slot == 0 || core == null ? NOTHING : core.anchor(slot));
      capture = made;
      target.make(made);
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
    if (wanted > position && state.applied() >= wanted && now - failedUntil >= 0) {
      return true;
    }
    boolean inTime = now - next >= 0 || state.historyBytes() > setting.historyBytesMax();
    boolean due = wantedInTime > position && state.applied() >= wantedInTime;
    return (grown || due) && inTime;
  }

  /** A snapshot is durable; whether it is one of this node's and news. */
  boolean made(long newPosition, long newSize) {
    SnapshotFormat.Capture made = capture;
    underWay = false;
    capture = null;
    health.snapshot = "";
    if (made == null || newPosition != made.position() || newPosition <= position) {
      return false;
    }
    position = newPosition;
    size = newSize;
    chain = made.chain();
    anchor = made.anchor();
    state.forget(newPosition);
    return true;
  }

  void notMade(Throwable failure, long now) {
    underWay = false;
    capture = null;
    next = now + FAILED_NANOS;
    failedUntil = next;
    health.snapshot = "disk: a snapshot could not be made: " + failure.getMessage();
    log.warn("group {}: {}", setting.name(), health.snapshot);
  }

  /** Replaces the state by a snapshot. */
  void restore(Snapshots.Snapshot snapshot) throws IOException {
    try (InputStream content = snapshot.open()) {
      SnapshotFormat.Head head = state.restore(content);
      if (head.position() != snapshot.position()) {
        throw new Storage.CorruptionException(
            "the snapshot at " + snapshot.position() + " says it is at " + head.position());
      }
      position = snapshot.position();
      size = snapshot.size();
      chain = head.chain();
      anchor = head.anchor();
      requests.reconcile(state.sessions(), position);
    }
  }

  /** Takes note of a snapshot from a peer whose state this node has applied already. */
  void adopt(Snapshots.Snapshot snapshot) throws IOException {
    try (InputStream content = snapshot.open()) {
      SnapshotFormat.Head head = SnapshotFormat.readHead(new DataInputStream(content));
      position = head.position();
      size = snapshot.size();
      chain = head.chain();
      anchor = head.anchor();
      state.forget(position);
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
        0,
        loaded -> {
          if (state.catchUp(name, machine, loaded)) {
            requests.collect(state.sessions());
          } else {
            load(name, machine);
          }
        });
  }
}
