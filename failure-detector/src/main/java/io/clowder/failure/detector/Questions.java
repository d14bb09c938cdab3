// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The questions that this node has asked and that may still be answered: whose they are, by the
 * tokens they went out with.
 */
final class Questions {
  /** More than these are not remembered; the oldest goes unanswered. */
  static final int MAX = 8_192;

  /**
   * One.
   *
   * @param peer who was asked, or was to be asked by a relay
   * @param asker the node that it is asked for; null if this node wants to know
   * @param token the asker's own
   * @param isDetectors whether the detector asks, and not the monitor
   * @param untilNanos when it is too late
   */
  record Question(
      NodeId peer, @Nullable NodeId asker, long token, boolean isDetectors, long untilNanos) {}

  private final Map<Long, Question> open = new LinkedHashMap<>();
  private long last;

  /** A source of tokens that begins at {@code first}: answers to an earlier life mean nothing. */
  Questions(long first) {
    last = first;
  }

  /** Remembers a question; the token to ask it with comes back. */
  long ask(Question question) {
    if (open.size() == MAX) {
      Iterator<Long> oldest = open.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
    long token = token();
    open.put(token, question);
    return token;
  }

  /** A token that no other question has. */
  long token() {
    return ++last;
  }

  /** The question that was answered; null if nobody waits for it any more. */
  @Nullable Question answered(long token) {
    return open.remove(token);
  }

  /** This node did not run: all have so much longer. */
  void extend(long nanos) {
    open.replaceAll(
        (token, it) ->
            new Question(it.peer, it.asker, it.token, it.isDetectors, it.untilNanos + nanos));
  }

  /** Those for which it is too late; they are forgotten. */
  List<Question> late(long now) {
    List<Question> late = new ArrayList<>();
    open.values()
        .removeIf(
            question -> {
              boolean isLate = question.untilNanos <= now;
              if (isLate) {
                late.add(question);
              }
              return isLate;
            });
    return late;
  }
}
