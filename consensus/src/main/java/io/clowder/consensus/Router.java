// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who leads, and how commands get there: into the core of this node, or by a message to another. On
 * the group's thread.
 */
final class Router {
  /** A leader that refuses, because it is handing over, is asked again after this. */
  private static final long HOLD_NANOS = 10_000_000L;

  /** A leader that takes nothing is asked again after this. */
  private static final long BUSY_NANOS = 100_000_000L;

  /** What a leader said of itself a while ago is no news. */
  private static final long BUSY_MEMORY_NANOS = 1_000_000_000L;

  private final NodeId self;
  private final Requests requests;
  private final Reads reads;
  private final Postbox postbox;
  private final Health health;
  private final LongSupplier wallMillis;

  private boolean leads;
  private @Nullable NodeId leader;
  private long term;
  private long holdUntil;
  private long busyAt;
  private long lastTicket;

  /** Bytes this leader has proposed and not seen decided. */
  private long undecidedBytes;

  /** The end of the segment, to be proposed after all else; and whether that was done. */
  private byte @Nullable [] seal;

  private boolean sealed;

  /** What is to be proposed besides this node's own commands. */
  private List<byte[]> others = new ArrayList<>();

  /**
   * Knows no leader.
   *
   * @param ticket where to begin to count: answers to an earlier life of this node must not be
   *     taken for answers to this one
   */
  Router(
      NodeId self,
      Requests requests,
      Reads reads,
      Postbox postbox,
      Health health,
      LongSupplier wallMillis,
      long ticket) {
    this.self = self;
    this.requests = requests;
    this.reads = reads;
    this.postbox = postbox;
    this.health = health;
    this.wallMillis = wallMillis;
    this.lastTicket = ticket;
  }

  boolean leads() {
    return leads;
  }

  /** Who leads, this node too. */
  @Nullable NodeId leader() {
    return leader;
  }

  long term() {
    return term;
  }

  /** A number for a batch of proposals or a barrier that no other has had. */
  long ticket() {
    return ++lastTicket;
  }

  /** This node leads. */
  void lead(long newTerm, long now) {
    leads = true;
    leader = self;
    term = newTerm;
    undecidedBytes = 0;
    others.clear(); // What an earlier reign wanted proposed.
    reopen();
    changed(now);
  }

  /** Another node leads, or nobody. */
  void follow(@Nullable NodeId newLeader, long newTerm, long now) {
    boolean same = !leads && newTerm == term && Objects.equals(leader, newLeader);
    leads = false;
    leader = newLeader;
    term = newTerm;
    others.clear();
    reopen();
    if (!same) {
      changed(now);
    }
  }

  /** The group goes on in another segment, with another leader or the same. */
  void move(boolean nowLeads, @Nullable NodeId newLeader, long newTerm, long now) {
    leads = nowLeads;
    leader = newLeader;
    term = newTerm;
    undecidedBytes = 0;
    others.clear();
    reopen();
    changed(now);
  }

  /** Takes proposals and reads again: a seal that was proposed has ended nothing. */
  void reopen() {
    seal = null;
    sealed = false;
  }

  /**
   * Has this leader end the segment. After that it proposes nothing and confirms no read: what
   * would come now waits for the next segment.
   */
  void seal(Envelope.Seal envelope) {
    seal = envelope.encode();
  }

  private void changed(long now) {
    health.leader = "";
    holdUntil = now;
    requests.resend();
    reads.restart();
  }

  /** This node's core refused; returns when to try again. */
  long refused(long ticket, long now) {
    holdUntil = now + HOLD_NANOS;
    if (!reads.refused(ticket)) {
      requests.resend();
    }
    return holdUntil;
  }

  /** The leader takes nothing for now. */
  void busy(NodeId from, String reason, long now) {
    health.leader = from + " leads and takes nothing new, " + reason;
    busyAt = now;
    holdUntil = now + BUSY_NANOS;
  }

  /** Commands were decided. */
  void decided(long bytes) {
    undecidedBytes = Math.max(0, undecidedBytes - bytes);
  }

  /** Has this leader propose an envelope of its own. */
  void add(Envelope envelope) {
    others.add(envelope.encode());
  }

  /** Brings an envelope of this node's driver to whoever leads, if anybody does. */
  void bring(Envelope envelope) {
    if (leads) {
      add(envelope);
    } else if (leader != null) {
      postbox.send(leader, new GroupMessage.Forward(List.of(envelope.encode())));
    }
  }

  /** Commands from another node, for this leader. */
  void take(NodeId from, List<byte[]> envelopes) {
    if (!leads || seal != null) {
      return;
    }
    if (health.isDiskLow()) {
      postbox.send(from, new GroupMessage.Busy(health.diskMessage()));
    } else if (undecidedBytes >= Limits.UNDECIDED_BYTES) {
      postbox.send(from, new GroupMessage.Busy("overloaded: too much is proposed and not decided"));
    } else {
      envelopes.stream().filter(Envelope::isProposable).forEach(others::add);
    }
  }

  /** Brings commands and reads to whoever leads; says whether there were any. */
  boolean route(Consumer<Event> core, long now) {
    if (now - busyAt > BUSY_MEMORY_NANOS) {
      health.leader = "";
    }
    if (now - holdUntil < 0) {
      return false;
    }
    boolean commands = leads ? propose(core, now) : forward(now);
    boolean barrier = !sealed && reads.start(now);
    return commands || barrier;
  }

  private boolean propose(Consumer<Event> core, long now) {
    if (sealed) {
      return false;
    }
    List<byte[]> batch = others;
    others = new ArrayList<>();
    batch.addAll(requests.take(now, Limits.UNDECIDED_BYTES - undecidedBytes));
    if (seal != null) {
      batch.add(seal);
      sealed = true;
    }
    if (batch.isEmpty()) {
      return false;
    }
    long time = wallMillis.getAsLong();
    for (byte[] envelope : batch) {
      Envelope.stamp(envelope, time);
      undecidedBytes += envelope.length;
    }
    core.accept(new Event.Propose(ticket(), batch));
    return true;
  }

  private boolean forward(long now) {
    if (leader == null) {
      return false;
    }
    List<byte[]> batch = requests.take(now, Limits.BATCH_BYTES);
    if (batch.isEmpty()) {
      return false;
    }
    postbox.send(leader, new GroupMessage.Forward(batch));
    return true;
  }
}
