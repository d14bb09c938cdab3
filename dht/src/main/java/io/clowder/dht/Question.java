// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.function.LongFunction;

/**
 * Something that a member was asked, some times if need be, and that is waited for. An answer to
 * any of these times will do: what is asked about is what the other has when it answers.
 */
final class Question {
  final Member target;
  final long token;
  private final Ring ring;
  private final RingMessage message;
  private int triesLeft;
  private long dueAt;

  /** Asks. */
  Question(Ring ring, Member target, LongFunction<RingMessage> form) {
    this.ring = ring;
    this.target = target;
    this.token = ring.token();
    this.message = form.apply(token);
    this.triesLeft = ring.settings.tries();
    put();
  }

  private void put() {
    triesLeft--;
    dueAt = ring.now + ring.settings.answerNanos();
    ring.send(target, message);
  }

  /** When to look again. */
  long dueAt() {
    return dueAt;
  }

  /** Asks again if it is time to; true if that was done often enough. */
  boolean isUnanswered() {
    if (ring.now < dueAt) {
      return false;
    } else if (triesLeft == 0) {
      return true;
    }
    put();
    return false;
  }

  boolean isAnsweredBy(Member source, long answered) {
    return target.equals(source) && token == answered;
  }
}
