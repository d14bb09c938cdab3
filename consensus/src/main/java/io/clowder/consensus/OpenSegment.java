// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A segment that is open on this node: its replica, the provider it runs on, who leads it, and what
 * it has decided while the state is still in a segment before. On the group's thread.
 */
final class OpenSegment implements Replica.Outlet {
  final Segment segment;
  final ConsensusProtocol provider;
  private final GroupMessage.Header header;
  private final Driver driver;
  private @Nullable Replica replica;

  private boolean leads;
  private @Nullable NodeId leader;
  private long term;

  /** Decided, and not applied yet: the state has not come to this segment. */
  private final ArrayDeque<Action.Decide> ahead = new ArrayDeque<>();

  private long aheadBytes;

  /** What the driver does about a segment's actions. */
  interface Driver {
    /**
     * A core broke, or what came of its actions. Whether this node does without the segment, as it
     * can while that is only in stand-by.
     */
    boolean failed(OpenSegment segment, Throwable failure);

    /** Sends a message of the core. */
    void send(OpenSegment from, GroupMessage.Header header, NodeId to, Message message);

    /** Slots were decided. */
    void decided(OpenSegment by, Action.Decide decided);

    /** A barrier was confirmed. */
    void ready(OpenSegment by, Action.Ready ready);

    /** A batch of proposals or a barrier was refused. */
    void refused(OpenSegment by, Action.Refuse refusal);

    /** Who leads has changed. */
    void ledBy(OpenSegment by);

    /** A peer is too far behind for the log. */
    void needSnapshot(NodeId peer);

    /** Writes who is who. */
    void describe(JournalWriter journal, long tag);
  }

  OpenSegment(
      Segment segment, ConsensusProtocol provider, GroupMessage.Header header, Driver driver) {
    this.segment = segment;
    this.provider = provider;
    this.header = header;
    this.driver = driver;
  }

  void run(Replica opened) {
    replica = opened;
  }

  Replica replica() {
    if (replica == null) {
      throw new AssertionError("segment " + segment.number() + " does not run");
    }
    return replica;
  }

  void step(Event event) {
    try {
      replica().step(event);
    } catch (AssertionError | RuntimeException | LinkageError e) {
      if (!driver.failed(this, e)) {
        throw e;
      }
    }
  }

  /** Lets every action happen whose records are on disk; says whether there was any. */
  boolean drain() {
    try {
      return replica().drain();
    } catch (AssertionError | RuntimeException | LinkageError e) {
      if (!driver.failed(this, e)) {
        throw e;
      }
      return false;
    }
  }

  boolean leads() {
    return leads;
  }

  /** Who leads, this node too; null if nobody is known. */
  @Nullable NodeId leader() {
    return leader;
  }

  long term() {
    return term;
  }

  /** Whether a quorum has proved to be there: something was decided. */
  boolean hasDecided() {
    return replica().core().view().decided() > 0;
  }

  /** Keeps what was decided until the state comes to this segment; returns the bytes kept. */
  long keep(Action.Decide decided) {
    ahead.add(decided);
    for (byte[] command : decided.commands()) {
      aheadBytes += command.length;
    }
    return aheadBytes;
  }

  /** The next of what was kept, or null. */
  Action.@Nullable Decide takeKept() {
    Action.Decide next = ahead.poll();
    if (next == null) {
      aheadBytes = 0;
    }
    return next;
  }

  @Override
  public void send(NodeId to, Message message) {
    driver.send(this, header, to, message);
  }

  @Override
  public void decide(Action.Decide decided) {
    driver.decided(this, decided);
  }

  @Override
  public void ready(Action.Ready ready) {
    driver.ready(this, ready);
  }

  @Override
  public void refuse(Action.Refuse refusal) {
    driver.refused(this, refusal);
  }

  @Override
  public void lead(long newTerm) {
    leads = true;
    leader = replica().self();
    term = newTerm;
    driver.ledBy(this);
  }

  @Override
  public void follow(@Nullable NodeId newLeader, long newTerm) {
    leads = false;
    leader = newLeader;
    term = newTerm;
    driver.ledBy(this);
  }

  @Override
  public void describe(JournalWriter journal, long tag) {
    journal.append(tag, segment);
    driver.describe(journal, tag);
  }

  @Override
  public void needSnapshot(NodeId peer) {
    driver.needSnapshot(peer);
  }
}
