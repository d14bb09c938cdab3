// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * Asks this node itself, over its own network thread, whether what comes in is handled: a thread
 * that is starved or busy holds up the heartbeats of all peers, and they are not to blame.
 */
final class SelfProbe {
  private static final long EVERY_NANOS = 100_000_000;

  /** How long it waits for the answer before it asks again. */
  private static final long AGAIN_NANOS = 1_000_000_000;

  private final Watch watch;
  private final Voice voice;
  private final Questions questions;

  /** The oldest question that is under way; 0 if there is none. */
  private long token;

  private long askedNanos;
  private long repeatedNanos;

  /** Whether that one was sent at the end of a stall: what piled up is read before its answer. */
  private boolean isDraining;

  SelfProbe(Watch watch, Voice voice, Questions questions) {
    this.watch = watch;
    this.voice = voice;
    this.questions = questions;
  }

  /** The node stood still: until a new question comes back, what is handled is old. */
  void drain() {
    isDraining = true;
    token = 0;
    tick();
  }

  boolean isDraining() {
    return isDraining;
  }

  /** Whether what others sent may be waiting in this node. */
  boolean isHeldUp() {
    return isDraining || (token != 0 && watch.now - askedNanos > watch.stallNanos);
  }

  void tick() {
    long since = token == 0 ? askedNanos : repeatedNanos;
    long pause = token == 0 ? EVERY_NANOS : AGAIN_NANOS;
    if (watch.now - since < pause && !(isDraining && token == 0)) {
      return;
    }
    long next = questions.token();
    if (!voice.send(watch.self, new Signal.Ping(next, new byte[0]))) {
      isDraining = false;
      return;
    }
    repeatedNanos = watch.now;
    if (token == 0) {
      token = next;
      askedNanos = watch.now;
    }
  }

  /**
   * A question came back.
   *
   * @return for how long what others sent was held up; 0 if that is not worth a word
   */
  long returned(long answered) {
    if (token == 0 || answered < token) {
      return 0;
    }
    token = 0;
    isDraining = false;
    long took = watch.now - askedNanos;
    return took > watch.stallNanos ? took : 0;
  }
}
