// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The leader's clock for sessions. A new leader gives every session its full time again, so that
 * none ends because of an election (Gray and Cheriton's leases, as in Chubby's fail-over). What it
 * says is only a proposal: a session ends by an entry in the log.
 */
final class SessionClock {
  /** A leader that did not run for this long was paused, and heard nobody meanwhile. */
  private static final long PAUSE_NANOS = 300_000_000L;

  private final Map<Long, Long> deadlines = new TreeMap<>();
  private final Set<Long> ending = new HashSet<>();
  private long lastLook;

  /** This node begins to lead: every session gets its full time. */
  void start(Sessions sessions, long now) {
    deadlines.clear();
    ending.clear();
    lastLook = now;
    sessions.all().forEach(session -> renew(session, now));
  }

  /** This node does not lead. */
  void stop() {
    deadlines.clear();
    ending.clear();
  }

  /** The session was alive at {@code since}. */
  void renew(Sessions.Session session, long since) {
    long deadline = since + session.ttlMillis * 1_000_000L;
    deadlines.merge(session.id, deadline, Math::max);
  }

  void ended(long session) {
    deadlines.remove(session);
    ending.remove(session);
  }

  /** Whether the end of this session was proposed: it must not be confirmed any more. */
  boolean isEnding(long session) {
    return ending.contains(session);
  }

  /** Sessions whose end is to be proposed now, once each. */
  List<Long> due(long now) {
    long pause = now - lastLook - PAUSE_NANOS;
    lastLook = now;
    if (pause > 0) {
      deadlines.replaceAll((session, deadline) -> deadline + pause + PAUSE_NANOS);
    }
    List<Long> due = new ArrayList<>();
    deadlines.forEach(
        (session, deadline) -> {
          if (now - deadline > 0 && ending.add(session)) {
            due.add(session);
          }
        });
    return due;
  }
}
