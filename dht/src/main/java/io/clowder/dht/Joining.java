// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.State;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a node becomes a member: it looks up who comes before it, asks that one for what it has, and
 * takes the whole of its successor list in one step (Zave, section IV-B). If that one has meanwhile
 * got another successor, so that the place is not between the two any more, it begins again.
 */
final class Joining {
  private final Ring ring;
  private final Lookups lookups;
  private final Runnable joined;
  private List<Member> contacts = List.of();
  private int tried;
  private long beginAt = Ring.NEVER;
  private @Nullable Question question;

  Joining(Ring ring, Lookups lookups, Runnable joined) {
    this.ring = ring;
    this.lookups = lookups;
    this.joined = joined;
  }

  void begin(List<Member> through) {
    contacts = List.copyOf(through);
    beginAt = ring.now;
    tick();
  }

  void end() {
    contacts = List.of();
    beginAt = Ring.NEVER;
    question = null;
  }

  long dueAt() {
    return question != null ? question.dueAt() : beginAt;
  }

  void tick() {
    Question asked = question;
    if (asked != null && asked.isUnanswered()) {
      ring.absentees.silent(asked.target);
      retry();
    } else if (asked == null && beginAt <= ring.now) {
      beginAt = Ring.NEVER;
      Member contact = contacts.get(tried++ % contacts.size());
      lookups.begin(ring.me.id(), true, contact, new Predecessor());
    }
  }

  private final class Predecessor implements Lookups.Asker {
    @Override
    public void found(Located answer) {
      if (!contacts.isEmpty() && question == null) {
        question = new Question(ring, answer.owner(), AskState::new);
      }
    }

    @Override
    public void failed(Failure failure) {
      retry();
    }
  }

  private void retry() {
    question = null;
    if (!contacts.isEmpty()) {
      beginAt = ring.now + ring.backoff();
    }
  }

  /** A member showed what it has. */
  void shown(Member source, State state) {
    Question asked = question;
    if (asked == null || !asked.isAnsweredBy(source, state.token())) {
      return;
    }
    boolean isMyPlace = Member.between(source, ring.me, state.successors().head());
    if (!isMyPlace || state.successors().size() != ring.settings.successors()) {
      retry();
      return;
    }
    end();
    ring.enter(source, state.successors());
    joined.run();
  }

  /** The member that was asked waits itself. */
  void pending(Member source, long token) {
    if (question != null && question.isAnsweredBy(source, token)) {
      retry();
    }
  }
}
