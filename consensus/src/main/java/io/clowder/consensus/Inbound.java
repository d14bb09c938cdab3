// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Gives what comes in to whom it concerns: a core by the segment in the header, the leader of the
 * current segment, or those who care for the way between segments. On the group's thread.
 */
final class Inbound {
  /** Messages for a segment that the state comes to soon. */
  private static final int EARLY_MAX = 64;

  private final Node node;
  private final ReplicatedState state;
  private final Segments segments;
  private final Router router;
  private final Reads reads;
  private final Renewals renewals;
  private final Compaction compaction;
  private final Reports reports;
  private final Postbox postbox;
  private final Health health;
  private final Swaps swaps;

  private final ArrayDeque<Early> early = new ArrayDeque<>();

  /** Said to the leader of a segment that is only prepared here. */
  private record Early(GroupMessage.Header header, NodeId from, GroupMessage message) {}

  /** Where questions of swaps go. */
  interface Swaps {
    /** What this node lacks to take part. */
    String lack(GroupMessage.Ask question);

    /** A member answered. */
    void answered(NodeId from, long directory, GroupMessage.Answer answer);

    /** This node was told that it is not a member any more. */
    void removed(NodeId by, GroupMessage.Removed message);

    /** Something that was said may let a swap go on. */
    void reported();
  }

  Inbound(
      Node node,
      ReplicatedState state,
      Segments segments,
      Router router,
      Reads reads,
      Renewals renewals,
      Compaction compaction,
      Reports reports,
      Postbox postbox,
      Health health,
      Swaps swaps) {
    this.node = node;
    this.state = state;
    this.segments = segments;
    this.router = router;
    this.reads = reads;
    this.renewals = renewals;
    this.compaction = compaction;
    this.reports = reports;
    this.postbox = postbox;
    this.health = health;
    this.swaps = swaps;
  }

  /** A message of another node. */
  void receive(NodeId from, ByteBuffer payload, long now) {
    try {
      WireReader in =
          new WireReader(
              payload.array(), payload.arrayOffset() + payload.position(), payload.remaining());
      GroupMessage.Header its = GroupMessage.Header.read(in);
      int kind = in.readByte();
      Long directory = state.incarnation(from);
      boolean member = isMember(from) || (kind == GroupMessage.PROTOCOL && isMemberOfOpen(from));
      if (member && directory != null && directory != its.directory()) {
        if (kind == GroupMessage.PROTOCOL) {
          postbox.send(from, new GroupMessage.Stranger(directory));
        }
        return;
      }
      if (kind == GroupMessage.PROTOCOL) {
        core(from, its, in, now);
      } else {
        receive(from, its, GroupMessage.read(kind, in), now);
      }
    } catch (WireFormatException e) {
      health.malformed(from, e, now);
    }
  }

  /** Of the current segment, or of one that is prepared. */
  private boolean isMember(NodeId node) {
    Segment current = state.current();
    Segment pending = state.pending();
    return (current != null && current.has(node)) || (pending != null && pending.has(node));
  }

  private boolean isMemberOfOpen(NodeId node) {
    for (OpenSegment open : segments.all()) {
      if (open.segment.has(node)) {
        return true;
      }
    }
    return false;
  }

  private void core(NodeId from, GroupMessage.Header its, WireReader in, long now) {
    OpenSegment open = segments.get(its.segment());
    if (open != null && open.segment.incarnation() == its.incarnation() && open.segment.has(from)) {
      Message message = open.provider.codec().read(in);
      in.expectEnd();
      open.step(new Event.Receive(from, message));
      return;
    }
    if (open == null && !isPending(its)) {
      // One of us slept through a swap, and what it knows may be gone.
      reports.strayed(from, now);
    }
  }

  private boolean isPending(GroupMessage.Header its) {
    Segment pending = state.pending();
    return pending != null && pending.is(its.segment(), its.incarnation());
  }

  private void receive(NodeId from, GroupMessage.Header its, GroupMessage message, long now) {
    if (message instanceof GroupMessage.Report m) {
      reports.hear(from, its.segment(), m, now);
      swaps.reported();
    } else if (message instanceof GroupMessage.Ask m) {
      String lack = swaps.lack(m);
      int limit = GroupMessage.REASON_BYTES / 4;
      postbox.send(
          from,
          new GroupMessage.Answer(m.id(), lack.length() > limit ? lack.substring(0, limit) : lack));
    } else if (message instanceof GroupMessage.Answer m) {
      swaps.answered(from, its.directory(), m);
    } else if (message instanceof GroupMessage.Removed m) {
      swaps.removed(from, m);
    } else if (message instanceof GroupMessage.Stranger m) {
      Segment current = state.current();
      boolean member = current == null || current.has(from);
      health.stranger = member ? m.expected() != node.incarnation() : health.stranger;
    } else if (message instanceof GroupMessage.Offer
        || message instanceof GroupMessage.Want
        || message instanceof GroupMessage.Chunk) {
      file(from, message, now);
    } else {
      ofSegment(from, its, message, now);
    }
  }

  /** What concerns the leader of one segment, or those it leads. */
  private void ofSegment(NodeId from, GroupMessage.Header its, GroupMessage message, long now) {
    Segment current = state.current();
    Segment pending = state.pending();
    if (current != null && current.is(its.segment(), its.incarnation())) {
      if (current.has(from)) {
        lead(from, message, now);
      }
    } else if (pending != null && pending.is(its.segment(), its.incarnation())) {
      // The sender has seen the seal; so will this node.
      if (early.size() == EARLY_MAX) {
        early.remove();
      }
      early.add(new Early(its, from, message));
    }
  }

  /** The state has come to another segment: what was said in it before counts now. */
  void moved(long now) {
    int count = early.size();
    for (int i = 0; i < count; i++) {
      Early next = early.remove();
      ofSegment(next.from, next.header, next.message, now);
    }
  }

  private void lead(NodeId from, GroupMessage message, long now) {
    if (message instanceof GroupMessage.Forward m) {
      router.take(from, m.envelopes());
    } else if (message instanceof GroupMessage.Busy m) {
      router.busy(from, m.reason(), now);
    } else if (message instanceof GroupMessage.ReadAt m) {
      if (router.leads()) {
        reads.whenLeading(
            position -> postbox.send(from, new GroupMessage.ReadFrom(m.id(), position)));
      }
    } else if (message instanceof GroupMessage.ReadFrom m) {
      reads.ready(m.id(), m.position());
    } else if (message instanceof GroupMessage.Renew m) {
      if (router.leads()) {
        renewals.confirm(from, m);
      }
    } else if (message instanceof GroupMessage.Renewed m) {
      renewals.renewed(m);
    } else {
      throw new AssertionError(message);
    }
  }

  /** A core that was opened again may be behind the state, and too far for the others' logs. */
  private boolean isNewsToCore(long position) {
    OpenSegment open = segments.current();
    Segment current = state.current();
    return open != null
        && current != null
        && position - current.base() > open.replica().core().view().decided();
  }

  private void file(NodeId from, GroupMessage message, long now) {
    SnapshotTransfer files = compaction.transfer();
    if (files == null) {
      return;
    }
    if (message instanceof GroupMessage.Offer m) {
      if (m.position() > state.applied() || isNewsToCore(m.position())) {
        files.accept(from, m, now);
      }
    } else if (message instanceof GroupMessage.Want m) {
      compaction.wanted(now);
      files.give(from, m);
    } else if (message instanceof GroupMessage.Chunk m) {
      files.take(from, m, now);
    }
  }
}
