// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.Meet;
import io.clowder.dht.RingMessage.Notify;
import io.clowder.dht.RingMessage.Nudge;
import io.clowder.dht.RingMessage.Ping;
import io.clowder.dht.RingMessage.State;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * How a member keeps its predecessor and its successor list right: stabilize and rectify of Zave,
 * "Reasoning about identifier spaces: how to make Chord correct", section IV, as they are there.
 *
 * <p>One of them at a time, from its first question to its last answer, and meanwhile others are
 * not shown what is about to change: so it is as if each step took place at the moment in which the
 * other member answered, and the proof holds, which is about such steps. A pointer is taken over
 * only if who it leads to has answered.
 *
 * <p>A member that is asked while it waits says so, and the asker gives up for now and comes back
 * after a random time. So waits do not wait for each other, all around the ring.
 */
final class Stabilization {
  /** How many notifications, and how many strangers, may be waiting here. */
  private static final int QUEUE_MAX = 64;

  /** How often a stranger that cannot say who it has next to it is asked. */
  private static final int MEETINGS_MAX = 10;

  private enum Step {
    /** The head of the list is asked. */
    STABILIZE,
    /** A member that may lie between this one and the head is asked. */
    ADOPT,
    /** The predecessor is asked whether it lives. */
    RECTIFY
  }

  private final Ring ring;
  private final Consumer<Member> rectified;
  private final Set<Member> notifiers = new LinkedHashSet<>();

  /** Who may have to be the successor, and how often it was asked. */
  private final Map<Member, Integer> strangers = new LinkedHashMap<>();

  private @Nullable Question question;
  private Step step = Step.STABILIZE;

  /** Who would be the predecessor if that is dead. */
  private @Nullable Member heir;

  private long stabilizeAt = Ring.NEVER;
  private long meetAt = Ring.NEVER;

  /**
   * A member that does nothing yet.
   *
   * @param rectified is told when a notification was dealt with
   */
  Stabilization(Ring ring, Consumer<Member> rectified) {
    this.ring = ring;
    this.rectified = rectified;
  }

  /** Whether it waits for an answer, so that nobody may rely on what this member has. */
  boolean isWaiting() {
    return question != null;
  }

  /** When something is to be done that no message brings. */
  long dueAt() {
    return question != null ? question.dueAt() : Math.min(stabilizeAt, meetAt);
  }

  void tick() {
    Question asked = question;
    if (asked != null && asked.isUnanswered()) {
      silent(asked.target);
    }
    proceed();
  }

  /** Stabilizes as soon as may be. */
  void stabilize() {
    stabilizeAt = ring.now;
    proceed();
  }

  /** A member takes itself for the predecessor; false if there is no room to see to it. */
  boolean notified(Member by) {
    boolean isWelcome = notifiers.size() < QUEUE_MAX || notifiers.contains(by);
    if (isWelcome) {
      notifiers.add(by);
      proceed();
    }
    return isWelcome;
  }

  /** A member may lie between this one and its successor. */
  void meet(Member stranger) {
    if (strangers.size() < QUEUE_MAX) {
      strangers.putIfAbsent(stranger, 0);
      meetAt = ring.now;
    }
    proceed();
  }

  // ---- what the others say -------------------------------------------------------------------

  /** A member showed what it has. */
  void shown(Member source, State state) {
    if (!isAnswer(source, state.token()) || step == Step.RECTIFY) {
      return;
    } else if (state.successors().size() != ring.settings.successors()) {
      // Of a ring with other settings, or of none: nothing can be made of it.
      silent(source);
    } else if (step == Step.STABILIZE) {
      question = null;
      stabilized(source, state.predecessor(), state.successors());
    } else {
      question = null;
      adopted(source, state.successors());
    }
    proceed();
  }

  /** A member lives. */
  void lives(Member source, long token) {
    if (isAnswer(source, token) && step == Step.RECTIFY) {
      rectified();
      proceed();
    }
  }

  /** A member waits itself. */
  void pending(Member source, long token) {
    if (!isAnswer(source, token) || step == Step.RECTIFY) {
      return;
    }
    question = null;
    if (step == Step.STABILIZE) {
      stabilizeAt = ring.now + ring.backoff();
    } else {
      // As if it had not been heard of; a later round will.
      Integer meetings = strangers.get(source);
      if (meetings != null) {
        strangers.put(source, meetings + 1);
        meetAt = ring.now + ring.backoff();
      }
      finish();
    }
    proceed();
  }

  /**
   * A member is no more. If it was asked for what it has, that may be on its way all the same, and
   * as others may have seen to it that it can be relied on, it is waited for to the end.
   */
  void gone(Member member) {
    Question asked = question;
    if (asked != null && asked.target.equals(member) && step == Step.RECTIFY) {
      silent(member);
    } else if (ring.successors().head().equals(member)) {
      stabilizeAt = ring.now;
    }
    proceed();
  }

  private boolean isAnswer(Member source, long token) {
    return question != null && question.isAnsweredBy(source, token);
  }

  private void silent(Member member) {
    question = null;
    ring.absentees.silent(member);
    switch (step) {
      case STABILIZE -> {
        ring.successors(ring.successors().withoutHead());
        stabilizeAt = ring.now;
      }
      case ADOPT -> {
        strangers.remove(member);
        if (ring.successors().head().equals(ring.me) && ring.predecessor().equals(member)) {
          // In a ring of one there is no other member to say that the predecessor is dead.
          ring.predecessor(ring.me);
        }
        finish();
      }
      case RECTIFY -> {
        if (heir != null) {
          ring.predecessor(heir);
        }
        rectified();
      }
    }
  }

  // ---- the steps -----------------------------------------------------------------------------

  private void proceed() {
    while (question == null && ring.isMember()) {
      if (!notifiers.isEmpty()) {
        Iterator<Member> next = notifiers.iterator();
        Member by = next.next();
        next.remove();
        rectify(by);
      } else if (stabilizeAt <= ring.now) {
        stabilizeAt = Ring.NEVER;
        askHead();
      } else if (meetAt <= ring.now) {
        meetAt = Ring.NEVER;
        askStranger();
      } else {
        return;
      }
    }
  }

  private void askHead() {
    Successors list = ring.successors();
    while (list.head().isArtificial() || ring.absentees.isGone(list.head())) {
      if (list.isArtificial()) {
        ring.alone();
        return;
      }
      list = list.withoutHead();
    }
    ring.successors(list);
    if (list.head().equals(ring.me)) {
      // A ring of one: the member is its own successor and knows the answer.
      stabilized(ring.me, ring.predecessor(), list);
    } else {
      ask(Step.STABILIZE, list.head(), AskState::new);
    }
  }

  private void ask(Step next, Member target, LongFunction<RingMessage> form) {
    step = next;
    question = new Question(ring, target, form);
  }

  private void stabilized(Member head, Member candidate, Successors itsList) {
    if (itsList.isAlone(head) && !head.equals(ring.me)) {
      // It has lost all of its successors, and must not make this member lose its own: it is shown
      // one of them instead. The proof has no such state, and so nothing to say against it.
      offer(ring.successors().get(Math.min(1, itsList.size() - 1)), head);
    } else {
      ring.successors(itsList.behind(head));
    }
    if (isBetweenHead(candidate)) {
      ask(Step.ADOPT, candidate, AskState::new);
    } else {
      finish();
    }
  }

  private boolean isBetweenHead(Member candidate) {
    return !candidate.isArtificial()
        && !candidate.equals(ring.me)
        && !ring.absentees.isGone(candidate)
        && Member.between(ring.me, candidate, ring.successors().head());
  }

  private void adopted(Member successor, Successors itsList) {
    Member before = ring.successors().head();
    strangers.remove(successor);
    Successors rest = itsList.isAlone(successor) ? ring.successors() : itsList;
    ring.successors(rest.behind(successor));
    // If it was of another ring, the two are joined here, and next to that one there may be a
    // member of this ring that it does not know: they close like a zip (Ring Unification).
    offer(before, successor);
    finish();
  }

  private void offer(Member stranger, Member to) {
    if (!stranger.isArtificial() && !stranger.equals(ring.me) && !stranger.equals(to)) {
      ring.send(to, new Meet(stranger, 0));
    }
  }

  private void finish() {
    Member head = ring.successors().head();
    if (!head.isArtificial() && !head.equals(ring.me)) {
      ring.send(head, new Notify());
    }
  }

  private void askStranger() {
    Iterator<Map.Entry<Member, Integer>> rest = strangers.entrySet().iterator();
    while (rest.hasNext()) {
      Map.Entry<Member, Integer> next = rest.next();
      if (isBetweenHead(next.getKey()) && next.getValue() < MEETINGS_MAX) {
        meetAt = ring.now;
        ask(Step.ADOPT, next.getKey(), AskState::new);
        return;
      }
      rest.remove();
    }
  }

  private void rectify(Member by) {
    Member present = ring.predecessor();
    heir = by;
    if (by.equals(present) || by.equals(ring.me)) {
      rectified();
    } else if (Member.between(present, by, ring.me)) {
      ring.predecessor(by);
      if (!present.equals(ring.me)) {
        // It would find out in its next round; that may be long.
        ring.send(present, new Nudge());
      }
      rectified();
    } else if (ring.absentees.isGone(present)) {
      ring.predecessor(by);
      rectified();
    } else {
      ask(Step.RECTIFY, present, Ping::new);
    }
  }

  private void rectified() {
    question = null;
    Member by = heir;
    heir = null;
    if (by != null) {
      rectified.accept(by);
    }
  }
}
