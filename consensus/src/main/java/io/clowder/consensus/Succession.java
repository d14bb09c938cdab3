// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The leader's part in going to the next segment: it waits until that stands by, then proposes the
 * seal; or it gives up in time. What is prepared is replicated, so whoever leads next goes on from
 * there: nobody coordinates, and nothing is left half done. On the group's thread.
 */
final class Succession {
  /** Once a quorum stands by, the others are given this long. */
  private static final long LATECOMERS_NANOS = 500_000_000L;

  private final ReplicatedState state;
  private final Reports reports;
  private final Router router;

  /** Since when this node has led and something was prepared; of {@link #number}. */
  private long since;

  private long quorumSince;
  private int number = -1;
  private boolean proposed;

  Succession(ReplicatedState state, Reports reports, Router router) {
    this.state = state;
    this.reports = reports;
    this.router = router;
  }

  /** Who leads has changed: a new leader begins to wait anew, and what was proposed may be lost. */
  void reset() {
    number = -1;
  }

  /** As the leader, does what is due. */
  void consider(long now) {
    Segment next = state.pending();
    if (next == null || !router.leads()) {
      return;
    }
    if (number != next.number()) {
      number = next.number();
      since = now;
      quorumSince = 0;
      proposed = false;
    }
    if (proposed) {
      return;
    }
    if (standsBy(next, now)) {
      proposed = true;
      router.seal(new Envelope.Seal(next.number(), next.incarnation()));
    } else if (now - since > state.patienceMillis() * 1_000_000L) {
      proposed = true;
      router.add(new Envelope.Abandon(next.number(), next.incarnation(), lack(next, now)));
    }
  }

  private boolean standsBy(Segment next, long now) {
    SortedSet<NodeId> ready = reports.standingBy(next, now);
    Segment current = state.current();
    boolean joined =
        next.members().keySet().stream()
            .allMatch(m -> ready.contains(m) || (current != null && current.has(m)));
    NodeId leader = reports.leaderOf(next, now);
    if (!joined
        || ready.size() < next.majority()
        || leader == null
        || current == null
        || !next.isLedWell(leader, current)) {
      return false;
    }
    if (quorumSince == 0) {
      quorumSince = now;
    }
    return ready.size() == next.members().size() || now - quorumSince > LATECOMERS_NANOS;
  }

  private String lack(Segment next, long now) {
    List<NodeId> missing = new ArrayList<>(next.members().keySet());
    missing.removeAll(reports.standingBy(next, now));
    String who =
        missing.isEmpty()
            ? "no leader was found"
            : "not ready: " + missing.stream().map(NodeId::value).collect(Collectors.joining(", "));
    String reason =
        next.title() + " did not stand by within " + state.patienceMillis() + " ms; " + who;
    return reason.length() > Envelope.REASON_BYTES
        ? reason.substring(0, Envelope.REASON_BYTES)
        : reason;
  }

  /** How far the stand-by is, for people; empty if nothing is prepared. */
  String transition(long now) {
    Segment next = state.pending();
    if (next == null) {
      return "";
    }
    @Nullable NodeId leader = reports.leaderOf(next, now);
    return "to "
        + next.title()
        + ": stand-by "
        + reports.standingBy(next, now).size()
        + "/"
        + next.members().size()
        + (leader == null ? "" : ", leader " + leader);
  }
}
