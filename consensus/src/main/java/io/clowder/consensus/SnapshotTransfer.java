// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.storage.Snapshots;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes this node's snapshots, gives them to laggards, and takes them as a laggard. All file work
 * is on the background executor, one task at a time, so that neither the replica nor its journal
 * wait.
 *
 * <pre>
 *   owner ── Offer(position) ──► laggard      the laggard asks for each piece; what is lost on the way is
 *   owner ◄── Want(offset) ───── laggard      offered again, and asked for from where it was
 *   owner ── Chunk(offset) ────► laggard
 * </pre>
 */
final class SnapshotTransfer {
  private static final Logger log = LoggerFactory.getLogger(SnapshotTransfer.class);

  /** A snapshot of which nothing comes for this long may be given up for another. */
  private static final long STALLED_NANOS = 2_000_000_000L;

  private final Snapshots snapshots;
  private final Executor background;
  private final Peers peers;

  /** Where the background's results and messages go. */
  interface Peers {
    /** Runs on the group's thread. */
    void enqueue(Runnable task);

    /** Sends to another member's driver; any thread. */
    void send(NodeId to, GroupMessage message);

    /** A snapshot of another node is complete here and durable; on the group's thread. */
    void received(Snapshots.Snapshot snapshot);

    /** Our own snapshot is durable; on the group's thread. */
    void made(long position, long size);

    /** Our own snapshot could not be made; on the group's thread. */
    void notMade(Throwable failure);
  }

  // Touched by the background only.
  private Snapshots.@Nullable Writing receiving;
  private long receivingPosition;
  private long receivedAt;
  private String lastWarning = "";

  SnapshotTransfer(Snapshots snapshots, Executor background, Peers peers) {
    this.snapshots = snapshots;
    this.background = background;
    this.peers = peers;
  }

  /** The newest snapshot, or null; any thread. */
  Snapshots.@Nullable Snapshot latest() {
    synchronized (snapshots) {
      return snapshots.latest();
    }
  }

  /**
   * Gives a machine its state of the newest snapshot, then says of which position that is.
   *
   * @param none the position of a group that has no snapshot
   */
  void load(String name, StateMachine machine, long none, LongConsumer loaded) {
    inBackground(
        () -> {
          Snapshots.Snapshot latest = snapshots.latest();
          try {
            if (latest == null) {
              machine.restore(InputStream.nullInputStream());
            } else {
              try (InputStream content = latest.open()) {
                ReplicatedState.restoreOne(name, machine, content);
              }
            }
            long position = latest == null ? none : latest.position();
            peers.enqueue(() -> loaded.accept(position));
          } catch (IOException
              | RuntimeException
              | AssertionError
              | LinkageError
              | VirtualMachineError e) {
            peers.enqueue(
                () -> {
                  throw new IllegalStateException(
                      "machine " + name + " cannot read its part of the snapshot: " + e, e);
                });
          }
        });
  }

  /** One file task at a time; {@link #latest} may be called in between. */
  private void inBackground(Runnable task) {
    background.execute(
        () -> {
          synchronized (snapshots) {
            task.run();
          }
        });
  }

  /** Writes out a captured state. */
  void make(SnapshotFormat.Capture capture) {
    inBackground(
        () -> {
          try {
            Snapshots.Snapshot latest = snapshots.latest();
            if (latest != null && latest.position() >= capture.position()) {
              // One that came from a peer meanwhile covers more.
              peers.enqueue(() -> peers.made(latest.position(), latest.size()));
              return;
            }
            try (Snapshots.Writing writing = snapshots.begin(capture.position())) {
              OutputStream content = new BufferedOutputStream(writing.content(), 1 << 16);
              capture.writeTo(content);
              content.flush();
              Snapshots.Snapshot made = writing.commit(null);
              peers.enqueue(() -> peers.made(made.position(), made.size()));
            }
          } catch (IOException
              | RuntimeException
              | AssertionError
              | LinkageError
              | VirtualMachineError e) {
            peers.enqueue(() -> peers.notMade(e));
          }
        });
  }

  /** Offers the newest snapshot to a peer that cannot go on without. */
  void offer(NodeId peer) {
    inBackground(
        () -> {
          Snapshots.Snapshot latest = snapshots.latest();
          if (latest != null) {
            peers.send(peer, new GroupMessage.Offer(latest.position(), latest.size()));
          }
        });
  }

  /** Gives a peer the piece it wants. */
  void give(NodeId peer, GroupMessage.Want want) {
    inBackground(
        () -> {
          Snapshots.Snapshot latest = snapshots.latest();
          if (latest == null || want.offset() < 0 || want.offset() >= latest.size()) {
            return;
          }
          if (latest.position() != want.position()) {
            peers.send(peer, new GroupMessage.Offer(latest.position(), latest.size()));
            return;
          }
          try {
            long left = latest.size() - want.offset();
            ByteBuffer piece =
                ByteBuffer.allocate((int) Math.min(Limits.SNAPSHOT_CHUNK_BYTES, left));
            if (latest.read(want.offset(), piece) != piece.capacity()) {
              throw new IOException("the snapshot at " + latest.position() + " is cut short");
            }
            peers.send(
                peer,
                new GroupMessage.Chunk(
                    latest.position(),
                    want.offset(),
                    latest.size(),
                    latest.checksum(),
                    piece.array()));
          } catch (IOException e) {
            warn("cannot give the snapshot to " + peer, e);
          }
        });
  }

  /** A peer has a snapshot that is ahead of this node. */
  void accept(NodeId peer, GroupMessage.Offer offer, long now) {
    inBackground(
        () -> {
          try {
            if (receiving != null
                && receivingPosition != offer.position()
                && now - receivedAt < STALLED_NANOS) {
              // One that is on its way is not given up for another.
              return;
            }
            receivedAt = now;
            if (receiving != null && receivingPosition != offer.position()) {
              stopReceiving();
            }
            if (receiving == null) {
              receiving = snapshots.resume(offer.position());
              receivingPosition = offer.position();
            }
            if (receiving.size() >= offer.size()) {
              // More than there is: not the same content, or one that was refused. From the start.
              stopReceiving();
              receiving = snapshots.begin(offer.position());
              receivingPosition = offer.position();
            }
            peers.send(peer, new GroupMessage.Want(offer.position(), receiving.size()));
          } catch (IOException e) {
            warn("cannot take a snapshot from " + peer, e);
            stopReceiving();
          }
        });
  }

  /** A piece of the snapshot that is being received. */
  void take(NodeId peer, GroupMessage.Chunk chunk, long now) {
    inBackground(
        () -> {
          Snapshots.Writing writing = receiving;
          if (writing == null
              || receivingPosition != chunk.position()
              || writing.size() != chunk.offset()) {
            return;
          }
          receivedAt = now;
          try {
            writing.content().write(chunk.bytes());
            if (writing.size() < chunk.size()) {
              peers.send(peer, new GroupMessage.Want(chunk.position(), writing.size()));
              return;
            }
            Snapshots.Snapshot received = writing.commit(chunk.checksum());
            stopReceiving();
            lastWarning = "";
            peers.enqueue(() -> peers.received(received));
          } catch (IOException e) {
            warn("cannot take a snapshot from " + peer, e);
            stopReceiving();
          }
        });
  }

  /** Offers repeat while a laggard needs them; their failures are told once. */
  private void warn(String what, IOException failure) {
    String warning = what + ": " + failure;
    if (!warning.equals(lastWarning)) {
      lastWarning = warning;
      log.warn(warning);
    }
  }

  private void stopReceiving() {
    Snapshots.Writing writing = receiving;
    receiving = null;
    if (writing != null) {
      try {
        writing.close();
      } catch (IOException e) {
        warn("cannot close the snapshot that was being received", e);
      }
    }
  }
}
