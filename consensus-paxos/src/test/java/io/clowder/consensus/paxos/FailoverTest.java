// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.simulator.toy.Failover;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How long nothing is decided after the leader died, in virtual time and with the default patience.
 * More trials: {@code -Dpaxos.failovers=5000}.
 */
class FailoverTest {
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(50_000, 400_000);

  @ParameterizedTest
  @CsvSource({"3, IDLE", "3, LOADED", "3, UNEVEN", "5, IDLE", "5, LOADED", "5, UNEVEN"})
  void aLeaderIsSoonReplaced(int size, Failover.Death death) {
    int trials = Integer.getInteger("paxos.failovers", 100);
    Failover failover = new Failover(new PaxosSpecimen(), TIMING, trials);
    long median = failover.median(size, death, System.out);
    assertTrue(median < 2 * TIMING.electionNanos(), "the first try seldom succeeds");
  }
}
