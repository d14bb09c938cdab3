// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.clowder.api.protocol.Message;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.Vote;
import io.clowder.simulator.toy.Plant;
import io.clowder.simulator.toy.RandomRuns;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Raft's promises under crashes, lost writes, partitions, pauses and a bad network. More seeds:
 * {@code -Draft.seeds=5000}; one again: {@code -Draft.seed=17}.
 */
class RaftRandomTest {
  private final RandomRuns runs = new RandomRuns("raft", new RaftSpecimen(), System.out);

  /** Mistakes that the checks must find, to know that they can. */
  enum Mistake implements Plant {
    FORGOTTEN_VOTES {
      @Override
      public Message written(Message record) {
        return record instanceof Vote vote ? new Vote(vote.term(), null) : record;
      }
    },
    EARLY_SENDS {
      @Override
      public boolean sendsEarly() {
        return true;
      }
    },
    LYING_REPLIES {
      @Override
      public Message sent(Message message) {
        return message instanceof AppendReject m
            ? new AppendReply(m.term(), m.prevIndex())
            : message;
      }
    },
    FORGED_ROUNDS {
      @Override
      public @Nullable Message forged(Message sent) {
        return sent instanceof Heartbeat m && m.round() > 0
            ? new HeartbeatReply(m.term(), m.round())
            : null;
      }
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
