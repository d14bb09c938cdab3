// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.protocol.Message;

/**
 * What Paxos cores say to each other and what they write down. Phases 1a to 2b are those of "Paxos
 * Made Simple", 2.2; its learners are told by the leader (2.3).
 */
sealed interface PaxosMessage extends Message {
  /** No slot and no round of heartbeats is larger: sums of two never overflow. */
  long NUMBER_MAX = 1L << 62;

  /** From core to core. */
  sealed interface Spoken extends PaxosMessage {
    /** What it is about. */
    Ballot ballot();
  }

  /** Said by the ballot's owner. */
  sealed interface Call extends Spoken {}

  /** Said to the ballot's owner. */
  sealed interface Answer extends Spoken {}

  /** From a core to its own journal. */
  sealed interface Written extends PaxosMessage {}

  /**
   * Asks whether there would be a promise; binds nobody.
   *
   * @param from the first slot that the sender does not know to be chosen
   */
  record Canvass(Ballot ballot, long from) implements Call {
    public Canvass {
      checkBallot(ballot);
      checkSlot(from);
    }
  }

  /**
   * Answers {@link Canvass}.
   *
   * @param promised what the sender has promised: a refused asker must go above it
   */
  record Support(Ballot ballot, boolean granted, Ballot promised) implements Answer {
    public Support {
      checkBallot(ballot);
      if (granted && !promised.isBelow(ballot)) {
        throw new IllegalArgumentException(ballot + " supported after " + promised);
      }
    }
  }

  /**
   * Phase 1a, for all slots from {@code from} on: promise to accept nothing of an earlier ballot,
   * and tell what was accepted.
   *
   * @param from or {@link #ALIVE}: the sender lives, and waits for what it has asked for before
   * @param transfer the leader itself wishes it: no reason to stick to it
   */
  record Prepare(Ballot ballot, long from, boolean transfer) implements Call {
    /** Beyond anything: the answer is an empty page. */
    static final long ALIVE = NUMBER_MAX;

    public Prepare {
      checkBallot(ballot);
      checkSlot(from);
    }
  }

  /**
   * Phase 1b. A page of what was accepted; if it does not reach up to {@code last}, the next one is
   * to be asked for.
   *
   * @param from the slot of the first vote, as asked for
   * @param decided up to there the sender knows what is chosen
   * @param last the last slot in which the sender has accepted anything, or its last decided one
   */
  record Promise(Ballot ballot, long from, long decided, long last, Votes votes) implements Answer {
    public Promise {
      checkBallot(ballot);
      checkSlot(from);
      checkNumber(decided);
      checkNumber(last);
      long end = from + votes.size() - 1;
      if (decided > last || (votes.size() == 0 ? last >= from : last < end)) {
        throw new IllegalArgumentException(
            "votes from " + from + " to " + end + ", decided " + decided + ", last " + last);
      }
      for (int i = 0; i < votes.size(); i++) {
        Ballot vote = votes.ballot(i);
        if (vote == null ? from + i <= decided : ballot.isBelow(vote)) {
          throw new IllegalArgumentException(
              "slot " + (from + i) + " of " + decided + " decided: " + vote + " under " + ballot);
        }
      }
    }
  }

  /** No promise: what was accepted up to {@code slot} is chosen, and not held any more. */
  record Trimmed(Ballot ballot, long slot) implements Answer {
    public Trimmed {
      checkBallot(ballot);
      checkSlot(slot);
    }
  }

  /**
   * Phase 2a, for consecutive slots. What is chosen already is told to laggards in the same way.
   *
   * @param first the slot of the first command
   * @param chosen all slots up to there are chosen
   */
  record Accept(Ballot ballot, long first, long chosen, Commands commands) implements Call {
    public Accept {
      checkBallot(ballot);
      checkCommands(first, commands);
      checkNumber(chosen);
    }
  }

  /**
   * Phase 2b: each slot up to {@code upTo} is accepted in this very ballot, or known to be chosen,
   * on disk.
   */
  record Accepted(Ballot ballot, long upTo) implements Answer {
    public Accepted {
      checkBallot(ballot);
      checkNumber(upTo);
    }
  }

  /** As {@link Accepted}; and what was sent of {@code before} came before what precedes it. */
  record Missing(Ballot ballot, long upTo, long before) implements Answer {
    public Missing {
      checkBallot(ballot);
      checkNumber(upTo);
      if (before <= upTo || before > NUMBER_MAX) {
        throw new IllegalArgumentException("nothing misses from " + upTo + " to " + before);
      }
    }
  }

  /**
   * The sender leads.
   *
   * @param chosen all slots up to there are chosen
   * @param round to be echoed; 0 wants no answer
   */
  record Heartbeat(Ballot ballot, long chosen, long round) implements Call {
    public Heartbeat {
      checkBallot(ballot);
      checkNumber(chosen);
      checkNumber(round);
    }
  }

  /**
   * Says that the sender had promised no later ballot when it got that round's heartbeat.
   *
   * @param upTo as of {@link Accepted}
   */
  record HeartbeatReply(Ballot ballot, long round, long upTo) implements Answer {
    public HeartbeatReply {
      checkBallot(ballot);
      checkNumber(round);
      checkNumber(upTo);
    }
  }

  /** No: the sender has promised a later ballot. */
  record Rejected(Ballot ballot, Ballot promised) implements Answer {
    public Rejected {
      checkBallot(ballot);
      if (!ballot.isBelow(promised)) {
        throw new IllegalArgumentException(ballot + " rejected after " + promised);
      }
    }
  }

  /** The leader tells its successor to prepare a ballot of its own at once. */
  record Succeed(Ballot ballot) implements Call {
    public Succeed {
      checkBallot(ballot);
    }
  }

  /** Nothing of an earlier ballot is accepted any more, in no slot. */
  record Promised(Ballot ballot) implements Written {
    public Promised {
      checkBallot(ballot);
    }
  }

  /**
   * These commands are accepted in this ballot, which is promised, too.
   *
   * @param decided all slots up to there are chosen, and what was chosen is in this and the records
   *     before it; so never beyond the last of these commands
   */
  record Voted(Ballot ballot, long first, long decided, Commands commands) implements Written {
    public Voted {
      checkBallot(ballot);
      checkCommands(first, commands);
      checkNumber(decided);
      if (decided > first + commands.size() - 1) {
        throw new IllegalArgumentException(
            decided + " decided, by " + commands.size() + " commands from " + first);
      }
    }
  }

  /**
   * A snapshot covers the slots up to {@code slot}; supersedes all records before as far as that.
   */
  record Base(long slot, Ballot promised) implements Written {
    public Base {
      checkSlot(slot);
    }
  }

  private static void checkNumber(long number) {
    if (number < 0 || number > NUMBER_MAX) {
      throw new IllegalArgumentException("no slot and no round: " + number);
    }
  }

  private static void checkSlot(long slot) {
    checkNumber(slot);
    if (slot == 0) {
      throw new IllegalArgumentException("slots begin at 1");
    }
  }

  private static void checkBallot(Ballot ballot) {
    if (ballot.round() == 0) {
      throw new IllegalArgumentException("nothing is said in no ballot");
    }
  }

  private static void checkCommands(long first, Commands commands) {
    checkSlot(first);
    if (commands.isEmpty()) {
      throw new IllegalArgumentException("no commands");
    }
  }
}
