// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who is where while a group has more than one segment: every node says how far it is, and whoever
 * is left in a segment that the others have closed is given a snapshot. A node without a leader
 * says so too, so that one that slept through a swap is found. On the group's thread.
 */
final class Reports {
  /** While something moves. */
  private static final long BUSY_NANOS = 50_000_000L;

  /** While only a leader is missing. */
  private static final long LONELY_NANOS = 500_000_000L;

  /** What was said longer ago says nothing of the present. */
  private static final long FRESH_NANOS = 1_000_000_000L;

  /** Who is in a segment that is still open here may catch up by its log. */
  private static final long PATIENCE_NANOS = 1_000_000_000L;

  /** How long a change is told again and again, should it get lost. */
  private static final long TALK_NANOS = 5_000_000_000L;

  private static final long OFFER_NANOS = 500_000_000L;

  private final Node node;
  private final ReplicatedState state;
  private final Segments segments;
  private final Router router;
  private final Compaction compaction;
  private final Postbox postbox;

  private final SortedMap<NodeId, Heard> heard = new TreeMap<>();
  private long nextTold;

  /** Something changed not long ago, which others may wait to hear. */
  private long tellUntil;

  private long leaderlessSince;

  /** What a peer said last. */
  private static final class Heard {
    int segment;
    GroupMessage.Report report = new GroupMessage.Report(0, 0, -1, false);
    long at;

    /** Since when it has been in a segment before ours. */
    long behindSince;

    boolean behind;
    long nextOffer;
    long nextHint;
  }

  Reports(
      Node node,
      ReplicatedState state,
      Segments segments,
      Router router,
      Compaction compaction,
      Postbox postbox,
      long now) {
    this.node = node;
    this.state = state;
    this.segments = segments;
    this.router = router;
    this.compaction = compaction;
    this.postbox = postbox;
    nextTold = now;
    tellUntil = now;
    leaderlessSince = now;
  }

  /** Whether there is more to say than usual. */
  boolean isBusy() {
    return state.pending() != null || segments.all().size() > 1;
  }

  /** Has this node report at once: something has changed. */
  void soon(long now) {
    nextTold = now;
    tellUntil = now + TALK_NANOS;
  }

  /** Reports, when it is time to. */
  void tell(long now) {
    if (router.leader() != null && segments.current() != null) {
      leaderlessSince = now;
    }
    Segment current = state.current();
    boolean member = current == null || current.has(node.id());
    boolean lonely = member && now - leaderlessSince > LONELY_NANOS;
    if (now - nextTold < 0 || !(isBusy() || lonely || now - tellUntil < 0)) {
      return;
    }
    nextTold = now + (isBusy() ? BUSY_NANOS : LONELY_NANOS);
    invite(now);
    GroupMessage.Report report = own();
    for (NodeId peer : audience()) {
      postbox.send(peer, report);
    }
  }

  /** Whoever is to join cannot know, and is given the state. */
  private void invite(long now) {
    Segment current = state.current();
    Segment pending = state.pending();
    if (current == null || pending == null || !router.leads()) {
      return;
    }
    for (NodeId member : pending.members().keySet()) {
      if (!current.has(member) && newest(member, now) != pending.number()) {
        give(member, heard(member, now), state.preparedAt(), now);
      }
    }
  }

  private GroupMessage.Report own() {
    OpenSegment newest = segments.newest();
    return new GroupMessage.Report(
        state.applied(),
        compaction.position(),
        newest == null ? -1 : newest.segment.number(),
        newest != null && newest.leads() && newest.hasDecided());
  }

  private SortedSet<NodeId> audience() {
    SortedSet<NodeId> all = new TreeSet<>();
    Segment current = state.current();
    Segment pending = state.pending();
    all.addAll(current == null ? node.members().keySet() : current.members().keySet());
    if (pending != null) {
      all.addAll(pending.members().keySet());
    }
    segments.all().forEach(open -> all.addAll(open.segment.members().keySet()));
    Segment before = before();
    if (before != null) {
      all.addAll(before.members().keySet());
    }
    all.remove(node.id());
    return all;
  }

  /** The segment before the current one, if it is known. */
  private @Nullable Segment before() {
    List<Segment> chain = state.chain();
    return chain.size() < 2 ? null : chain.get(chain.size() - 2);
  }

  /** Whether a member of the segment before is none of this one. */
  boolean isLeftBehind(Segment current) {
    Segment before = before();
    return before != null && !current.members().keySet().containsAll(before.members().keySet());
  }

  /** A peer reported. */
  void hear(NodeId from, int segment, GroupMessage.Report report, long now) {
    Heard known = heard(from, now);
    known.segment = segment;
    known.report = report;
    known.at = now;
    Segment current = state.current();
    boolean behind = current != null && segment < current.number();
    if (behind && !known.behind) {
      known.behindSince = now;
    }
    known.behind = behind;
    if (behind && current != null) {
      help(from, known, current, now);
    }
  }

  private Heard heard(NodeId peer, long now) {
    return heard.computeIfAbsent(
        peer,
        name -> {
          Heard silent = new Heard();
          silent.at = now - 2 * FRESH_NANOS;
          silent.nextOffer = now;
          silent.nextHint = now;
          return silent;
        });
  }

  /** A core of a segment that is closed here speaks. */
  void strayed(NodeId from, long now) {
    Heard known = heard(from, now);
    if (now - known.nextHint >= 0) {
      known.nextHint = now + OFFER_NANOS;
      postbox.send(from, own());
    }
  }

  private void help(NodeId peer, Heard known, Segment current, long now) {
    Segment pending = state.pending();
    if (!current.has(peer)) {
      boolean joins = pending != null && pending.has(peer);
      if (!joins && known.segment >= 0 && segments.get(known.segment) == null) {
        postbox.send(peer, new GroupMessage.Removed(current.number(), current.base()));
      }
      return;
    }
    OpenSegment open = segments.get(known.segment);
    if (open != null && open.segment.has(peer) && now - known.behindSince < PATIENCE_NANOS) {
      return;
    }
    NodeId leader = router.leader();
    // Whoever leads helps; anybody does if nobody leads, or nobody but the one who is left behind,
    // or one that joined later: who is left behind has no link with it.
    if (leader == null
        || leader.equals(node.id())
        || leader.equals(peer)
        || state.chain().stream().noneMatch(s -> s.number() == known.segment && s.has(leader))) {
      give(peer, known, current.base(), now);
    }
  }

  /** Offers a snapshot of at least this position, or has one made. */
  private void give(NodeId peer, Heard known, long needed, long now) {
    if (compaction.position() < needed) {
      compaction.want(needed);
    } else if (now - known.nextOffer >= 0) {
      SnapshotTransfer files = compaction.transfer();
      if (files != null && compaction.position() > known.report.applied()) {
        known.nextOffer = now + OFFER_NANOS;
        files.offer(peer);
      }
    }
  }

  /** The members that have a segment open which is prepared, this node too. */
  SortedSet<NodeId> standingBy(Segment next, long now) {
    SortedSet<NodeId> ready = new TreeSet<>();
    for (NodeId member : next.members().keySet()) {
      if (newest(member, now) == next.number()) {
        ready.add(member);
      }
    }
    return ready;
  }

  private int newest(NodeId member, long now) {
    if (member.equals(node.id())) {
      OpenSegment own = segments.newest();
      return own == null ? -1 : own.segment.number();
    }
    Heard known = heard.get(member);
    return known == null || now - known.at > FRESH_NANOS ? -1 : known.report.newest();
  }

  /** The member that leads a segment and has had something decided there, or null. */
  @Nullable NodeId leaderOf(Segment next, long now) {
    for (NodeId member : next.members().keySet()) {
      if (newest(member, now) == next.number()) {
        Heard known = heard.get(member);
        boolean leads =
            member.equals(node.id()) ? own().leads() : known != null && known.report.leads();
        if (leads) {
          return member;
        }
      }
    }
    return null;
  }

  /** How many members of a segment have a durable snapshot of a position, this node too. */
  int covering(Segment segment, long position) {
    int count = 0;
    for (NodeId member : segment.members().keySet()) {
      Heard known = heard.get(member);
      boolean covers =
          member.equals(node.id())
              ? compaction.position() >= position
              : known != null && known.report.covered() >= position;
      count += covers ? 1 : 0;
    }
    return count;
  }

  /** How many members of a segment have their state in it or a later one, this node too. */
  int arrived(Segment segment) {
    int count = 0;
    for (NodeId member : segment.members().keySet()) {
      count += passed(member, segment.number() - 1) ? 1 : 0;
    }
    return count;
  }

  /** Whether a node's state is past the segment of this number. */
  private boolean passed(NodeId member, int number) {
    if (member.equals(node.id())) {
      Segment current = state.current();
      return current != null && current.number() > number;
    }
    Heard known = heard.get(member);
    return known != null && known.segment > number;
  }

  /** Whether every member of a sealed segment is known to be past it. */
  boolean allPassed(Segment sealed) {
    return sealed.members().keySet().stream().allMatch(m -> passed(m, sealed.number()));
  }
}
