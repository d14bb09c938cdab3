// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.storage.Snapshots;
import io.clowder.replication.StoreMessage.AskPart;
import io.clowder.replication.StoreMessage.TellPart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives others parts of the newest snapshot. On the copy's thread, unless noted. */
final class Serving {
  private static final Logger log = LoggerFactory.getLogger(Serving.class);

  /** So many parts may be on their way from the disk; more are not heard, and asked for again. */
  private static final int READS_MAX = 16;

  /** Whoever fetches asks at least this often, or has given up. */
  private static final long BUSY_NANOS = 2_000_000_000L;

  private static final byte[] NOTHING = {};

  private final Executor background;
  private final Consumer<Runnable> inbox;
  private final Snapshots snapshots;
  private final BiConsumer<NodeId, TellPart> send;
  private int reads;
  private long askedAt;
  private boolean isAsked;

  /** In the background: the one that was read last, which stays readable when it is replaced. */
  private Snapshots.@Nullable Snapshot source;

  /** Of a copy that has these files; {@code inbox} has tasks run on its thread. */
  Serving(
      Executor background,
      Consumer<Runnable> inbox,
      Snapshots snapshots,
      BiConsumer<NodeId, TellPart> send) {
    this.background = background;
    this.inbox = inbox;
    this.snapshots = snapshots;
    this.send = send;
  }

  /** Whether somebody is fetching, and would have to begin again with a newer snapshot. */
  boolean isBusy(long now) {
    return isAsked && now - askedAt < BUSY_NANOS;
  }

  /** A node wants a part. */
  void ask(NodeId from, AskPart part, long now) {
    isAsked = true;
    askedAt = now;
    if (reads == READS_MAX) {
      return;
    }
    reads++;
    background.execute(
        () -> {
          send.accept(from, new TellPart(part.seq(), part.offset(), read(part)));
          inbox.accept(() -> reads--);
        });
  }

  private byte[] read(AskPart part) {
    Snapshots.Snapshot it = source;
    if (it == null || it.position() != part.seq()) {
      it = snapshots.latest();
      source = it;
    }
    if (it == null
        || it.position() != part.seq()
        || part.offset() < 0
        || part.offset() >= it.size()) {
      return NOTHING;
    }
    int length = (int) Math.min(Limits.SNAPSHOT_CHUNK_BYTES, it.size() - part.offset());
    ByteBuffer bytes = ByteBuffer.allocate(length);
    try {
      return it.read(part.offset(), bytes) == length ? bytes.array() : NOTHING;
    } catch (IOException e) {
      log.warn("the snapshot at {} cannot be read: {}", part.seq(), e.toString());
      source = null;
      return NOTHING;
    }
  }
}
