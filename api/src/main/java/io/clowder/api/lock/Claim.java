// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of a lock. Begin with {@link #exclusive}, {@link #shared} or {@link #permits}, and
 * say more with the {@code with} methods. What makes no sense is refused when it is used.
 *
 * <p>A name is one thing at a time: a lock that is exclusive or shared, or a semaphore of so many
 * permits. As long as somebody holds it or waits for it, a claim that takes it for another thing
 * fails with {@code CONFLICT}.
 *
 * @param name 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8
 * @param mode how it is held
 * @param permits how many of a semaphore's permits, 1 to {@code of}; 0 for other modes
 * @param of how many permits the semaphore has, at most {@link io.clowder.api.Limits#LOCK_HOLDERS};
 *     0 for other modes
 * @param priority 0 to 9: a waiter goes ahead of all that have less, and behind all that have as
 *     much
 * @param lockDelay if the holder does not release it, but loses it by a crash or by the clock,
 *     nobody gets the lock for this long, by the log's clock; 0 to 1 minute, 0 for what the node's
 *     configuration says. For resources that cannot check tokens: what the holder has sent may then
 *     have come to rest (Burrows, "The Chubby lock service", OSDI 2006, 2.4)
 * @param maxHold after which time the holder loses it, up to a year; zero for never, null for what
 *     the node's configuration says
 * @param owner who holds it, within a bundle: an owner that holds the lock and claims it again in
 *     the same mode gets it at once, with the same token, and has to release it as often; null for
 *     a holder of its own
 * @param note for people, up to {@link io.clowder.api.Limits#NOTE_BYTES} bytes of UTF-8
 */
public record Claim(
    String name,
    Mode mode,
    int permits,
    int of,
    int priority,
    Duration lockDelay,
    @Nullable Duration maxHold,
    @Nullable String owner,
    String note) {
  /** How a lock is held. */
  public enum Mode {
    /** By one. */
    EXCLUSIVE,
    /** Together with others that share it. */
    SHARED,
    /** By as many as have permits. */
    PERMITS
  }

  /** To hold it alone. */
  public static Claim exclusive(String name) {
    return new Claim(name, Mode.EXCLUSIVE, 0, 0, 0, Duration.ZERO, null, null, "");
  }

  /** To hold it together with others that share it. A waiter that wants it alone goes first. */
  public static Claim shared(String name) {
    return new Claim(name, Mode.SHARED, 0, 0, 0, Duration.ZERO, null, null, "");
  }

  /** For {@code permits} of the {@code of} permits of a semaphore. */
  public static Claim permits(String name, int permits, int of) {
    return new Claim(name, Mode.PERMITS, permits, of, 0, Duration.ZERO, null, null, "");
  }

  /** The same with a priority. */
  public Claim withPriority(int priority) {
    return new Claim(name, mode, permits, of, priority, lockDelay, maxHold, owner, note);
  }

  /** The same with a delay after a crash. */
  public Claim withLockDelay(Duration lockDelay) {
    return new Claim(name, mode, permits, of, priority, lockDelay, maxHold, owner, note);
  }

  /** The same with an end. */
  public Claim withMaxHold(Duration maxHold) {
    return new Claim(name, mode, permits, of, priority, lockDelay, maxHold, owner, note);
  }

  /** The same for an owner, who may claim it again. */
  public Claim withOwner(String owner) {
    return new Claim(name, mode, permits, of, priority, lockDelay, maxHold, owner, note);
  }

  /** The same with a note. */
  public Claim withNote(String note) {
    return new Claim(name, mode, permits, of, priority, lockDelay, maxHold, owner, note);
  }
}
