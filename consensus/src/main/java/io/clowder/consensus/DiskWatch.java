// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.protocol.Event;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A leader whose disk hangs or fills up lets somebody else lead. On the group's thread. */
final class DiskWatch {
  private static final Logger log = LoggerFactory.getLogger(DiskWatch.class);

  private static final long SPACE_NANOS = 2_000_000_000L;
  private static final long HUNG_NANOS = 1_000_000_000L;
  private static final long RESIGNATION_NANOS = 30_000_000_000L;

  private final GroupSetting setting;
  private final Storage storage;
  private final Executor background;
  private final Consumer<Runnable> inbox;
  private final Round round;
  private final Segments segments;
  private final Router router;
  private final Health health;

  private long nextSpaceLook;
  private long nextResignation;

  /**
   * A watch that has not looked yet.
   *
   * @param inbox runs tasks on the group's thread
   */
  DiskWatch(
      GroupSetting setting,
      Storage storage,
      Executor background,
      Consumer<Runnable> inbox,
      Round round,
      Segments segments,
      Router router,
      Health health) {
    this.setting = setting;
    this.storage = storage;
    this.background = background;
    this.inbox = inbox;
    this.round = round;
    this.segments = segments;
    this.router = router;
    this.health = health;
    nextSpaceLook = round.now();
    nextResignation = round.now();
  }

  /** Looks, when it is time to. */
  void tick() {
    lookAtSpace();
    resignIfDiskHangs();
  }

  /** A leader whose disk does not answer keeps everybody waiting (consul's raft, issue 503). */
  private void resignIfDiskHangs() {
    OpenSegment current = segments.current();
    long since = current == null ? 0 : current.replica().journal().writingSince();
    if (current != null
        && since != 0
        && router.leads()
        && round.now() - since > setting.timing().electionNanos()
        && round.now() - nextResignation >= 0) {
      nextResignation = round.now() + HUNG_NANOS;
      current.step(new Event.Resign());
    }
  }

  private void lookAtSpace() {
    if (round.now() - nextSpaceLook < 0) {
      return;
    }
    nextSpaceLook = round.now() + SPACE_NANOS;
    background.execute(
        () -> {
          try {
            long free = storage.freeBytes();
            inbox.accept(() -> spaceIs(free));
          } catch (IOException e) {
            log.warn("cannot tell the free space of the disk: {}", e.toString());
          }
        });
  }

  private void spaceIs(long free) {
    boolean low = free < setting.reserveBytes();
    health.freeBytes = low ? free : -1;
    OpenSegment current = segments.current();
    if (low && current != null && router.leads() && round.now() - nextResignation >= 0) {
      // Somebody with room should lead. Not over and over: perhaps nobody has any.
      nextResignation = round.now() + RESIGNATION_NANOS;
      current.step(new Event.Resign());
    }
  }
}
