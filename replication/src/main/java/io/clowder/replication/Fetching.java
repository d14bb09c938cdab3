// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Snapshots;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.StoreMessage.AskPart;
import io.clowder.replication.StoreMessage.TellPart;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A snapshot on its way here. Its parts are asked for one by one, not faster than is good for those
 * whom the rest of the network serves; what is lost is asked for again. What has come is kept when
 * it is given up, for the next offer of the same. On the copy's thread; files are touched in the
 * background only.
 */
final class Fetching {
  private static final Logger log = LoggerFactory.getLogger(Fetching.class);

  private static final long LOST_NANOS = 500_000_000L;
  private static final long STALLED_NANOS = 10_000_000_000L;

  /** After a failure, whose cause is likely to be there still. */
  private static final long PAUSE_NANOS = 1_000_000_000L;

  private static final double SECOND = 1e9;

  /** Where it goes. */
  interface Destination {
    /** Asks a node for a part. */
    void ask(NodeId from, AskPart part);

    /** The snapshot is on disk. */
    void fetched(Snapshots.Snapshot snapshot, Image image);
  }

  private enum Step {
    /** The background works; nothing is asked for. */
    WORKING,
    /** The next part may be asked for when its time comes. */
    PAUSING,
    /** A part was asked for. */
    ASKING,
    /** All is here, and is made a snapshot of. */
    COMMITTING
  }

  /** One of them. */
  private static final class Fetch {
    final ReplicaId from;
    final Offer offer;
    Step step = Step.WORKING;
    long size;
    long askedAt;
    long askAt;

    /** When the part that is waited for was asked for first. */
    long waitingSince;

    /** Touched in the background only. */
    Snapshots.@Nullable Writing writing;

    Fetch(ReplicaId from, Offer offer, long now) {
      this.from = from;
      this.offer = offer;
      this.askAt = now;
    }
  }

  private final Executor background;
  private final Consumer<Runnable> inbox;
  private final Snapshots snapshots;
  private final long bytesPerSecond;
  private final Destination destination;
  private @Nullable Fetch present;
  private long now;
  private long notBefore;
  private boolean isPausing;

  /** Nothing is on its way; {@code inbox} has tasks run on the copy's thread. */
  Fetching(
      Executor background,
      Consumer<Runnable> inbox,
      Snapshots snapshots,
      long bytesPerSecond,
      Destination destination) {
    this.background = background;
    this.inbox = inbox;
    this.snapshots = snapshots;
    this.bytesPerSecond = bytesPerSecond;
    this.destination = destination;
  }

  /** A replica offers one; it does so again and again. */
  void offered(ReplicaId from, Offer offer, long time) {
    now = time;
    Fetch before = present;
    boolean isKnown =
        before != null
            && (before.step == Step.COMMITTING
                || (before.from.equals(from) && before.offer.seq() >= offer.seq()));
    if (isKnown || (isPausing && now - notBefore < 0)) {
      return;
    }
    isPausing = false;
    end(before);
    Fetch next = new Fetch(from, offer, now);
    present = next;
    log.info("fetching the snapshot at {} of {} bytes from {}", offer.seq(), offer.size(), from);
    work(
        next,
        () -> {
          Snapshots.Writing writing = snapshots.resume(offer.seq());
          next.writing = writing;
          return writing.size();
        });
  }

  /** A part came. */
  void told(NodeId from, TellPart part, long time) {
    now = time;
    Fetch it = present;
    if (it == null
        || it.step != Step.ASKING
        || !it.from.node().equals(from)
        || part.seq() != it.offer.seq()
        || part.offset() != it.size) {
      return;
    }
    byte[] bytes = part.bytes();
    if (bytes.length == 0) {
      giveUp(it, from + " does not have it any more");
      return;
    }
    it.askAt = Math.max(it.askAt, it.askedAt) + (long) (bytes.length * SECOND / bytesPerSecond);
    it.step = Step.WORKING;
    work(
        it,
        () -> {
          Snapshots.Writing writing = opened(it);
          writing.content().write(bytes);
          return writing.size();
        });
  }

  /**
   * Asks for what is due.
   *
   * @return until when there is nothing to do
   */
  long tick(long time, long latest) {
    now = time;
    Fetch it = present;
    if (it == null) {
      return latest;
    }
    if (it.step == Step.PAUSING && now - it.askAt >= 0) {
      it.waitingSince = now;
      ask(it);
    } else if (it.step == Step.ASKING && now - it.waitingSince > STALLED_NANOS) {
      giveUp(it, "nothing came for 10 s");
    } else if (it.step == Step.ASKING && now - it.askedAt > LOST_NANOS) {
      ask(it);
    }
    return it.step == Step.PAUSING && it.askAt - latest < 0 ? it.askAt : latest;
  }

  private void ask(Fetch it) {
    it.step = Step.ASKING;
    it.askedAt = now;
    destination.ask(it.from.node(), new AskPart(it.offer.seq(), it.size));
  }

  private interface FileWork {
    long run() throws IOException;
  }

  /** Does something with the file, after which it has so many bytes. */
  private void work(Fetch it, FileWork work) {
    inBackground(
        it,
        () -> {
          long size = work.run();
          inbox.accept(
              () -> {
                if (it.equals(present)) {
                  advance(it, size);
                }
              });
        });
  }

  private void advance(Fetch it, long size) {
    it.size = size;
    if (size < it.offer.size()) {
      it.step = Step.PAUSING;
      return;
    }
    it.step = Step.COMMITTING;
    inBackground(
        it,
        () -> {
          // If it is too long, or not what was offered, it is dropped.
          Snapshots.Snapshot snapshot = opened(it).commit(it.offer.checksum());
          Image image = CopyFiles.read(snapshot);
          inbox.accept(
              () -> {
                present = null;
                destination.fetched(snapshot, image);
              });
        });
  }

  private interface BackgroundWork {
    void run() throws IOException;
  }

  private void inBackground(Fetch it, BackgroundWork work) {
    background.execute(
        () -> {
          try {
            work.run();
          } catch (IOException | RuntimeException e) {
            inbox.accept(() -> giveUp(it, e.toString()));
          }
        });
  }

  private static Snapshots.Writing opened(Fetch it) throws IOException {
    Snapshots.Writing writing = it.writing;
    if (writing == null) {
      throw new IOException("the snapshot at " + it.offer.seq() + " is not written any more");
    }
    return writing;
  }

  private void giveUp(Fetch it, String why) {
    if (it.equals(present)) {
      log.warn("the snapshot at {} is not fetched: {}", it.offer.seq(), why);
      isPausing = true;
      notBefore = now + PAUSE_NANOS;
      close();
    }
  }

  /** Whether one is on its way. */
  boolean isRunning() {
    return present != null;
  }

  /** Gives up what is on its way. */
  void close() {
    end(present);
    present = null;
  }

  private void end(@Nullable Fetch it) {
    if (it != null) {
      background.execute(() -> close(it));
    }
  }

  private static void close(Fetch it) {
    Snapshots.Writing writing = it.writing;
    it.writing = null;
    if (writing != null) {
      try {
        writing.close();
      } catch (IOException e) {
        log.warn("the part of the snapshot at {} is not kept: {}", it.offer.seq(), e.toString());
      }
    }
  }
}
