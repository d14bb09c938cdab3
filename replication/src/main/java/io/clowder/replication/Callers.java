// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.runtime.Completions;
import io.clowder.api.runtime.Inbox;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who waits for an answer of a copy; each is told once, where that delays nobody. On the copy's
 * thread.
 */
final class Callers {
  private static final Logger log = LoggerFactory.getLogger(Callers.class);

  private final Inbox inbox;
  private final Completions completions;
  private final Map<Long, Caller> waiting = new HashMap<>();
  private long tickets;
  private long released;

  /**
   * One of them.
   *
   * @param isRemote whether it is told by a message: that waits for nothing, so it is sent at once,
   *     and never behind code of users here
   * @param size what the question takes of the inbox until it is answered
   */
  record Caller(Question question, Consumer<Reply> then, boolean isRemote, long size) {}

  Callers(Inbox inbox, Completions completions) {
    this.inbox = inbox;
    this.completions = completions;
  }

  /** One waits from now on, under this number. */
  long add(Caller caller) {
    waiting.put(++tickets, caller);
    return tickets;
  }

  /** The one that waits under a number is told. */
  void tell(long ticket, Reply reply) {
    Caller caller = waiting.remove(ticket);
    if (caller == null) {
      throw new AssertionError("ticket " + ticket + " ended twice");
    }
    tell(caller, reply);
  }

  /** One that does not wait is told. */
  void tell(Caller caller, Reply reply) {
    released += caller.size;
    if (caller.isRemote) {
      call(caller.then, reply);
    } else {
      completions.then(() -> call(caller.then, reply));
    }
  }

  /** One that does not wait is told that nothing has happened. */
  void refuse(Caller caller, Refusal reason) {
    tell(caller, new Reply.Refused(reason, Outcome.DID_NOT_HAPPEN));
  }

  /** Nobody here will answer those who wait. */
  void refuseAll() {
    for (Caller caller : waiting.values()) {
      boolean isWrite = caller.question instanceof Question.Write;
      tell(
          caller,
          new Reply.Refused(
              Refusal.NOT_PRIMARY, isWrite ? Outcome.MAY_HAVE_HAPPENED : Outcome.DID_NOT_HAPPEN));
    }
    waiting.clear();
  }

  /** Hands over what has gathered; once for a round. */
  void flush() {
    if (released > 0) {
      inbox.release(released);
      released = 0;
    }
    completions.flush();
  }

  /** What was taken of the inbox is not needed any more. */
  void release(long size) {
    released += size;
  }

  /** Calls foreign code, whose failures are its own. */
  static void call(Consumer<Reply> then, Reply reply) {
    try {
      then.accept(reply);
    } catch (RuntimeException e) {
      log.warn("whoever was told {} failed", reply, e);
    }
  }
}
