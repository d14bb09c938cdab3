// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import org.jspecify.annotations.Nullable;

/** What Raft cores say to each other and what they write down. */
sealed interface RaftMessage extends Message {
  /** No term and no index is larger: sums of two never overflow. */
  long NUMBER_MAX = 1L << 62;

  /** From core to core. */
  sealed interface Spoken extends RaftMessage {
    /** The sender's term; of a pre-vote and its grant, the term that would be the sender's. */
    long term();
  }

  /** From a core to its own journal. */
  sealed interface Written extends RaftMessage {}

  /**
   * Asks for a vote, or (9.6) whether there would be one.
   *
   * @param transfer the leader itself told the sender to campaign: no reason to stick to it
   */
  record VoteRequest(long term, long lastIndex, long lastTerm, boolean pre, boolean transfer)
      implements Spoken {
    public VoteRequest {
      checkTerm(term);
      checkNumber(lastIndex);
      checkOrder(lastTerm, term);
    }
  }

  /** Answers {@link VoteRequest}; {@code term} is the asked one if granted, else the sender's. */
  record VoteReply(long term, boolean pre, boolean granted) implements Spoken {
    public VoteReply {
      checkNumber(term);
    }
  }

  /**
   * §5.3. The entries follow the one at {@code prevIndex}; none: only a question whether that is
   * held.
   */
  record AppendRequest(long term, long prevIndex, long prevTerm, long commit, Entries entries)
      implements Spoken {
    public AppendRequest {
      checkTerm(term);
      checkNumber(prevIndex);
      checkNumber(commit);
      checkEntries(prevTerm, entries, term);
    }
  }

  /** The sender's log equals the leader's up to {@code match}, on disk. */
  record AppendReply(long term, long match) implements Spoken {
    public AppendReply {
      checkTerm(term);
      checkNumber(match);
    }
  }

  /**
   * The sender does not hold the entry at {@code prevIndex}. Its log can equal the leader's at most
   * up to {@code hintIndex}, where it holds an entry of {@code hintTerm}.
   */
  record AppendReject(long term, long prevIndex, long hintIndex, long hintTerm) implements Spoken {
    public AppendReject {
      checkTerm(term);
      checkNumber(prevIndex);
      checkNumber(hintIndex);
      checkOrder(hintTerm, term);
    }
  }

  /**
   * The sender leads.
   *
   * @param commit up to there the receiver has acknowledged, and it is committed
   * @param round to be echoed; 0 wants no answer
   */
  record Heartbeat(long term, long commit, long round) implements Spoken {
    public Heartbeat {
      checkTerm(term);
      checkNumber(commit);
      checkNumber(round);
    }
  }

  /**
   * Says that the sender knew no later leader when it got that round's heartbeat; nothing of logs.
   */
  record HeartbeatReply(long term, long round) implements Spoken {
    public HeartbeatReply {
      checkTerm(term);
      checkNumber(round);
    }
  }

  /** The leader tells its successor to campaign at once (dissertation 3.10). */
  record TimeoutNow(long term) implements Spoken {
    public TimeoutNow {
      checkTerm(term);
    }
  }

  /** The current term, and whom this replica has voted for in it. */
  record Vote(long term, @Nullable NodeId vote) implements Written {
    public Vote {
      checkTerm(term);
    }
  }

  /** The log goes on with these entries after {@code prevIndex}; whatever was there is void. */
  record Appended(long prevIndex, long prevTerm, Entries entries) implements Written {
    public Appended {
      checkNumber(prevIndex);
      checkEntries(prevTerm, entries, NUMBER_MAX);
    }
  }

  /**
   * A snapshot covers the log up to {@code index}; supersedes all records before as far as that.
   */
  record Base(long index, long indexTerm, long term, @Nullable NodeId vote) implements Written {
    public Base {
      checkNumber(index);
      checkNumber(term);
      checkOrder(indexTerm, term);
    }
  }

  private static void checkNumber(long number) {
    if (number < 0 || number > NUMBER_MAX) {
      throw new IllegalArgumentException("no term and no index: " + number);
    }
  }

  private static void checkTerm(long term) {
    checkNumber(term);
    if (term == 0) {
      throw new IllegalArgumentException("term 0 has no messages");
    }
  }

  private static void checkOrder(long earlier, long later) {
    if (earlier < 0 || earlier > later) {
      throw new IllegalArgumentException("term " + earlier + " before term " + later);
    }
  }

  private static void checkEntries(long prevTerm, Entries entries, long term) {
    if (entries.isEmpty()) {
      checkOrder(prevTerm, term);
    } else {
      checkOrder(prevTerm, entries.term(0));
      checkOrder(entries.term(entries.size() - 1), term);
    }
  }
}
