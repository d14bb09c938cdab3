// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.consensus.GroupSetting;
import io.clowder.consensus.Lease;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A cluster to be simulated.
 *
 * @param nodes how many there are
 * @param clients how many ask at the same time on each node
 * @param keys how many keys they share
 * @param thinkMillis how long each waits between two requests, on average
 * @param turmoilMillis how long things go wrong before everything heals
 * @param drift how much clocks are off, at most; 0.1 is a tenth
 * @param journalFileBytes size of a journal file
 * @param swapMillis how often somebody asks for a next segment, on average; 0 for never
 * @param spares how many nodes wait to be made members; with none, members stay as they are
 * @param stopsBundles whether bundles of protocols are stopped and started again
 * @param faults what may go wrong
 * @param group how the group is run
 */
public record ClusterSetting(
    int nodes,
    int clients,
    int keys,
    int thinkMillis,
    int turmoilMillis,
    double drift,
    int journalFileBytes,
    int swapMillis,
    int spares,
    boolean stopsBundles,
    Set<Nemesis.Fault> faults,
    GroupSetting group) {
  /** The drift between two clocks that the runtime allows for is a hundredth. */
  static final double DRIFT_TRUSTED = 0.0045;

  private static final long MILLIS = 1_000_000;

  /** Whether nothing will go wrong. */
  boolean isCalm() {
    return faults.isEmpty() && !stopsBundles && spares == 0;
  }

  /** The name of the node of this number, from 1. */
  static NodeId node(int number) {
    return new NodeId("n" + number);
  }

  /** How a node runs the group: a spare one waits to be added. */
  GroupSetting groupOf(NodeId id) {
    boolean spare = id.compareTo(node(nodes)) > 0;
    return new GroupSetting(
        group.name(),
        group.protocol(),
        group.parameters(),
        spare,
        group.rollMillis(),
        group.timing(),
        group.lease(),
        group.snapshotBytes(),
        group.snapshotEntries(),
        group.historyBytesMax(),
        group.reserveBytes());
  }

  /** Drawn: mostly three nodes, sometimes five or one; small files, so that all of them roll. */
  public static ClusterSetting drawn(RandomGenerator random, List<String> protocols) {
    int dice = random.nextInt(10);
    int nodes = dice == 0 ? 1 : dice < 7 ? 3 : 5;
    long heartbeat = random.nextLong(10, 60) * MILLIS;
    var timing = new CoreSetting.Timing(heartbeat, heartbeat * random.nextLong(4, 10));
    var group =
        new GroupSetting(
            "main",
            protocols.get(random.nextInt(protocols.size())),
            new TreeMap<>(),
            false,
            0,
            timing,
            Lease.of(random.nextInt(1_000, 6_000)),
            random.nextLong(2 << 10, 64 << 10),
            random.nextLong(10, 500),
            256 << 20,
            random.nextBoolean() ? 0 : 32 << 10);
    boolean swaps = random.nextInt(5) < 3;
    var drawn =
        new ClusterSetting(
            nodes,
            random.nextInt(1, 4),
            random.nextInt(1, 6),
            random.nextInt(10, 150),
            random.nextInt(2_000, 8_000),
            random.nextInt(4) == 0 ? 0.1 : DRIFT_TRUSTED,
            (16 << 10) << random.nextInt(3),
            swaps ? random.nextInt(300, 4_000) : 0,
            swaps && random.nextInt(3) == 0 ? random.nextInt(1, 3) : 0,
            swaps && random.nextInt(3) == 0,
            EnumSet.allOf(Nemesis.Fault.class),
            group);
    return random.nextInt(8) > 0 ? drawn : drawn.calm(random.nextInt(300, 2_000));
  }

  /** The same without any fault, but with swaps, of which nobody may then notice anything. */
  private ClusterSetting calm(int newSwapMillis) {
    return new ClusterSetting(
        nodes,
        clients,
        keys,
        thinkMillis,
        turmoilMillis,
        drift,
        journalFileBytes,
        newSwapMillis,
        0,
        false,
        EnumSet.noneOf(Nemesis.Fault.class),
        group);
  }
}
