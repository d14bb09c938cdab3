// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.clowder.api.protocol.Message;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.Heartbeat;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Missing;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Promised;
import io.clowder.consensus.paxos.PaxosMessage.Trimmed;
import io.clowder.consensus.paxos.PaxosMessage.Voted;
import io.clowder.simulator.toy.Plant;
import io.clowder.simulator.toy.RandomRuns;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The promises of Multi-Paxos under crashes, lost writes, partitions, pauses and a bad network.
 * More seeds: {@code -Dpaxos.seeds=5000}; one again: {@code -Dpaxos.seed=17}.
 */
class PaxosRandomTest {
  private final RandomRuns runs = new RandomRuns("paxos", new PaxosSpecimen(), System.out);

  /** Mistakes that the checks must find, to know that they can. */
  enum Mistake implements Plant {
    FORGOTTEN_PROMISES {
      @Override
      public @Nullable Message written(Message record) {
        return record instanceof Promised ? null : record;
      }
    },
    FORGOTTEN_VOTES {
      @Override
      public @Nullable Message written(Message record) {
        return record instanceof Voted ? null : record;
      }
    },
    /** A vote is taken for a decision. */
    BOLD_RECORDS {
      @Override
      public @Nullable Message written(Message record) {
        return record instanceof Voted m
            ? new Voted(m.ballot(), m.first(), m.first() + m.commands().size() - 1, m.commands())
            : record;
      }
    },
    EARLY_SENDS {
      @Override
      public boolean sendsEarly() {
        return true;
      }
    },
    /** Phase 1 learns of no ballots: any value seems as good as any other. */
    VOTES_WITHOUT_BALLOTS {
      @Override
      public Message sent(Message message) {
        return message instanceof Promise m
            ? new Promise(m.ballot(), m.from(), m.decided(), m.last(), inFirstBallot(m.votes()))
            : message;
      }
    },
    /** Phase 1 learns of the first page only. */
    FIRST_PAGE_ONLY {
      @Override
      public Message sent(Message message) {
        if (message instanceof Promise m && m.votes().size() > 1) {
          Votes one =
              new Votes(new Ballot[] {m.votes().ballot(0)}, new byte[][] {command(m.votes())});
          return new Promise(m.ballot(), m.from(), Math.min(m.decided(), m.from()), m.from(), one);
        }
        return message;
      }
    },
    /** What was forgotten was never accepted. */
    TRIMMED_IS_NOTHING {
      @Override
      public Message sent(Message message) {
        return message instanceof Trimmed m
            ? new Promise(m.ballot(), 1, 0, 0, Votes.NONE)
            : message;
      }
    },
    /** A gap is taken for an acknowledgement. */
    LYING_ANSWERS {
      @Override
      public Message sent(Message message) {
        return message instanceof Missing m ? new Accepted(m.ballot(), m.before()) : message;
      }
    },
    FORGED_ROUNDS {
      @Override
      public @Nullable Message forged(Message sent) {
        return sent instanceof Heartbeat m && m.round() > 0
            ? new HeartbeatReply(m.ballot(), m.round(), 0)
            : null;
      }
    };

    private static Votes inFirstBallot(Votes votes) {
      @Nullable Ballot[] ballots = new @Nullable Ballot[votes.size()];
      byte[] @Nullable [] commands = new byte @Nullable [votes.size()][];
      for (int i = 0; i < ballots.length; i++) {
        if (votes.ballot(i) != null) {
          ballots[i] = new Ballot(1, 0);
          commands[i] = votes.command(i);
        }
      }
      return new Votes(ballots, commands);
    }

    private static byte @Nullable [] command(Votes votes) {
      return votes.ballot(0) == null ? null : votes.command(0);
    }
  }

  @Test
  void promisesHold() {
    runs.mustHold(300);
  }

  @ParameterizedTest
  @EnumSource
  void checksFindPlantedMistakes(Mistake mistake) {
    assertNotNull(runs.find(mistake), mistake + " was not found");
  }
}
