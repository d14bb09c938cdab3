// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.dht.Answer.Code;
import io.clowder.dht.KeeperMessage.Tell;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this node's users want, brought to whoever owns the key, again and again until the time is
 * over. A write that may have happened is not sent again: it is asked whether it did.
 */
final class Requests {
  private static final long BACKOFF_NANOS = 5_000_000;
  private static final int BACKOFF_DOUBLINGS_MAX = 5;

  private final Shelf shelf;
  private final Placement placement;
  private final Coordination coordination;
  private final Map<Long, Pursuit> pursuits = new HashMap<>();
  private final Map<Long, Pursuit> asked = new HashMap<>();
  private long bytes;

  /** Not later than anything that is due. */
  private long dueAt = Ring.NEVER;

  private static final class Pursuit {
    final long user;
    final long deadline;
    final long since;
    final int size;
    Ask ask;
    long ticket;
    @Nullable Seat at;
    boolean isLocating;
    boolean mayHaveHappened;
    long nextAt = Ring.NEVER;
    int tries;
    Answer last = Answer.of(Code.NOT_OWNER);

    Pursuit(long user, Ask ask, long since, long deadline) {
      this.user = user;
      this.ask = ask;
      this.since = since;
      this.deadline = deadline;
      this.size = ask.size();
    }
  }

  Requests(Shelf shelf, Placement placement, Coordination coordination) {
    this.shelf = shelf;
    this.placement = placement;
    this.coordination = coordination;
  }

  /** Begins; answered once, under the user's ticket. */
  void begin(long user, Ask ask, long deadline) {
    if (pursuits.size() >= shelf.settings.operationsMax()
        || bytes + ask.size() > shelf.settings.operationBytesMax()) {
      shelf.port.answered(user, new Reply(Answer.of(Code.BUSY), true, false));
      return;
    }
    Pursuit pursuit = new Pursuit(user, ask, shelf.now, deadline);
    bytes += pursuit.size;
    pursuits.put(user, pursuit);
    dueAt = Math.min(dueAt, deadline);
    attempt(pursuit);
  }

  private void attempt(Pursuit pursuit) {
    pursuit.nextAt = Ring.NEVER;
    pursuit.isLocating = true;
    placement.locate(
        pursuit.ask.id(),
        owner -> {
          if (!pursuit.isLocating || !pursuits.containsKey(pursuit.user)) {
            return;
          }
          pursuit.isLocating = false;
          if (owner == null) {
            later(pursuit);
          } else {
            send(pursuit, owner);
          }
        });
  }

  private void send(Pursuit pursuit, Seat owner) {
    pursuit.ticket = shelf.ticket();
    asked.put(pursuit.ticket, pursuit);
    pursuit.at = owner;
    wake(pursuit, shelf.now + shelf.settings.attemptNanos());
    long ticket = pursuit.ticket;
    if (owner.equals(shelf.me)) {
      coordination.take(pursuit.ask, answer -> told(ticket, answer));
    } else if (!shelf.port.send(owner, new Tell(ticket, pursuit.ask))) {
      asked.remove(ticket);
      pursuit.at = null;
      later(pursuit);
    }
  }

  /** By chance, so that those who wait for one change do not all come at once. */
  private void later(Pursuit pursuit) {
    long most = BACKOFF_NANOS << Math.min(pursuit.tries++, BACKOFF_DOUBLINGS_MAX);
    wake(pursuit, shelf.now + most / 2 + shelf.random.nextLong(most));
  }

  private void wake(Pursuit pursuit, long at) {
    pursuit.nextAt = at;
    dueAt = Math.min(dueAt, at);
  }

  /** What an owner says. */
  void told(long ticket, Answer answer) {
    Pursuit pursuit = asked.remove(ticket);
    if (pursuit == null || pursuit.ticket != ticket) {
      return;
    }
    pursuit.at = null;
    pursuit.last = answer;
    boolean isForSure = shelf.now - pursuit.since >= shelf.settings.attemptNanos();
    if (answer.code() == Code.LOST) {
      mayHaveHappened(pursuit);
      later(pursuit);
    } else if (answer.isForAnotherTime() || (answer.code() == Code.TOO_FEW && !isForSure)) {
      later(pursuit);
    } else {
      end(pursuit, false);
    }
  }

  private static void mayHaveHappened(Pursuit pursuit) {
    if (pursuit.ask.isWrite() && !pursuit.ask.isQuestion()) {
      pursuit.mayHaveHappened = true;
      pursuit.ask = pursuit.ask.asQuestion();
    }
  }

  /** No answer comes any more from that node to what was sent before. */
  void lost(NodeId node) {
    for (Pursuit pursuit : List.copyOf(pursuits.values())) {
      Seat at = pursuit.at;
      if (at != null && at.node().equals(node)) {
        unanswered(pursuit);
        later(pursuit);
      }
    }
  }

  private void unanswered(Pursuit pursuit) {
    asked.remove(pursuit.ticket);
    pursuit.at = null;
    mayHaveHappened(pursuit);
  }

  private void end(Pursuit pursuit, boolean isOver) {
    if (pursuits.remove(pursuit.user) != null) {
      bytes -= pursuit.size;
    }
    asked.remove(pursuit.ticket);
    shelf.port.answered(pursuit.user, new Reply(pursuit.last, isOver, pursuit.mayHaveHappened));
  }

  long dueAt() {
    return dueAt;
  }

  void tick() {
    if (dueAt > shelf.now) {
      return;
    }
    act();
    dueAt = Ring.NEVER;
    for (Pursuit pursuit : pursuits.values()) {
      dueAt = Math.min(dueAt, Math.min(pursuit.nextAt, pursuit.deadline));
    }
  }

  private void act() {
    for (Pursuit pursuit : List.copyOf(pursuits.values())) {
      if (pursuit.deadline <= shelf.now) {
        if (pursuit.at != null) {
          mayHaveHappened(pursuit);
        }
        end(pursuit, true);
      } else if (pursuit.nextAt <= shelf.now) {
        if (pursuit.at != null) {
          unanswered(pursuit);
        }
        attempt(pursuit);
      }
    }
  }

  /** Nothing comes of them any more. */
  void close() {
    for (Pursuit pursuit : List.copyOf(pursuits.values())) {
      if (pursuit.at != null) {
        mayHaveHappened(pursuit);
      }
      end(pursuit, true);
    }
  }
}
