// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps this node's session alive; as the leader, also tells which sessions are. On the group's
 * thread.
 *
 * <p>A leader gives a session its time from a look at the clock after it has heard of it, not from
 * the time of the round that it is in: that may be older than the sending of what came in since,
 * after a pause, and the session's owner counts from there.
 */
final class Renewals {
  private static final int SENT_MAX = 16;

  private final NodeId self;
  private final Lease lease;
  private final ReplicatedState state;
  private final Requests requests;
  private final Reads reads;
  private final Postbox postbox;
  private final LongSupplier nanoClock;
  private final LongSupplier wallMillis;
  private final SessionClock clock = new SessionClock();

  /** What the wall clock said when the latest renewals were sent, by their identifiers. */
  private final TreeMap<Long, Long> sent = new TreeMap<>();

  private long next;

  Renewals(
      NodeId self,
      Lease lease,
      ReplicatedState state,
      Requests requests,
      Reads reads,
      Postbox postbox,
      LongSupplier nanoClock,
      LongSupplier wallMillis) {
    this.self = self;
    this.lease = lease;
    this.state = state;
    this.requests = requests;
    this.reads = reads;
    this.postbox = postbox;
    this.nanoClock = nanoClock;
    this.wallMillis = wallMillis;
    next = nanoClock.getAsLong();
  }

  /** This node begins to lead. */
  void lead() {
    clock.start(state.sessions(), nanoClock.getAsLong());
  }

  /** This node does not lead. */
  void follow() {
    clock.stop();
  }

  /** Sessions whose end is to be proposed, by the leader. */
  List<Long> due(long now) {
    return clock.due(now);
  }

  /** A session was opened in the log. */
  void opened(Sessions.Session session, boolean leads) {
    long now = nanoClock.getAsLong();
    if (leads) {
      clock.renew(session, now);
    }
    if (requests.opened(session)) {
      next = now;
    }
  }

  /** A session ended in the log. */
  void ended(long session) {
    clock.ended(session);
    requests.ended(session);
  }

  /** Renews this node's session when it is time to. */
  void renew(boolean leads, @Nullable NodeId leader, long now) {
    long session = requests.session().id();
    if (session == 0 || now - next < 0) {
      return;
    }
    next = now + lease.renewMillis() * 1_000_000L;
    GroupMessage.Renew renewal = new GroupMessage.Renew(session, now);
    sent.put(now, wallMillis.getAsLong());
    if (sent.size() > SENT_MAX) {
      sent.pollFirstEntry();
    }
    if (leads) {
      confirm(self, renewal);
    } else if (leader != null) {
      postbox.send(leader, renewal);
    }
  }

  /**
   * Confirms a session, as the leader. Only after a barrier that started after the renewal came in:
   * a leader that was deposed meanwhile confirms nothing, and its successor gives every session its
   * full time after that.
   */
  void confirm(NodeId owner, GroupMessage.Renew renewal) {
    long now = nanoClock.getAsLong();
    reads.whenLeading(
        position -> {
          Sessions.Session session = state.sessions().get(renewal.session());
          boolean alive = session != null && !clock.isEnding(renewal.session());
          if (alive && session != null) {
            clock.renew(session, now);
          }
          GroupMessage.Renewed answer =
              new GroupMessage.Renewed(renewal.session(), renewal.id(), alive);
          if (owner.equals(self)) {
            renewed(answer);
          } else {
            postbox.send(owner, answer);
          }
        });
  }

  /** The leader's answer: the session was alive when the renewal was sent. */
  void renewed(GroupMessage.Renewed answer) {
    Long sentMillis = sent.remove(answer.id());
    if (answer.alive() && sentMillis != null) {
      requests.renewed(answer.session(), answer.id(), sentMillis);
    }
  }
}
