// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Builds a replica from the disk: the newest snapshot, then the journal of the last segment. There
 * is no other way to start (law 4). On the group's thread, which waits for the disk.
 *
 * @param setting of the group
 * @param state replaced by what the disk says
 * @param compaction knows the snapshots
 * @param environment the journal's disk, and chance
 */
record Opening(
    GroupSetting setting,
    Node node,
    Storage storage,
    ReplicatedState state,
    Compaction compaction,
    Environment environment) {

  /** Where a replica's actions and its journal's failures go. */
  interface Parts {
    Replica.Outlet outlet();

    JournalWriter.Outcome disk();
  }

  /**
   * What came of it.
   *
   * @param protocol the protocol of the last segment
   * @param replica null if that is not the one there was a provider for
   */
  record Opened(String protocol, @Nullable Replica replica) {}

  Opened open(String protocol, ConsensusProtocol provider, Parts parts) throws IOException {
    Snapshots.Snapshot latest = compaction.latest();
    byte[] anchor = new byte[0];
    Segment segment = null;
    if (latest != null) {
      anchor = compaction.restore(latest);
      segment = state.chain().get(state.chain().size() - 1);
      if (!segment.protocol().equals(protocol)) {
        return new Opened(segment.protocol(), null);
      }
    }
    String name = setting.name() + "/" + (segment == null ? 0 : segment.number());
    Recovery recovery = Recovery.read(storage, name, protocol, provider);
    state.remember(recovery.directories());
    Replica replica = null;
    try {
      Segment found = recovery.segment();
      if (segment != null && found != null && !segment.equals(found)) {
        throw new IllegalStateException(
            "the snapshot is of " + segment + ", the journal of " + found);
      }
      if (segment == null) {
        segment = found == null ? firstSegment() : found;
      }
      if (latest == null) {
        state.begin(segment);
      }
      if (segment.protocol().equals(protocol)) {
        replica = replica(provider, recovery, segment, anchor, parts);
      }
      return new Opened(segment.protocol(), replica);
    } finally {
      if (replica == null) {
        recovery.journal().close();
      }
    }
  }

  private Segment firstSegment() {
    // The same on every node without a word between them, and another one in every cluster.
    long incarnation = 0xCBF29CE484222325L;
    for (char c : (node.cluster() + "/" + setting.name()).toCharArray()) {
      incarnation = (incarnation ^ c) * 0x100000001B3L;
    }
    return new Segment(0, incarnation, setting.protocol(), 1, List.copyOf(node.members().keySet()));
  }

  private Replica replica(
      ConsensusProtocol provider, Recovery recovery, Segment segment, byte[] anchor, Parts parts) {
    CoreSetting core =
        new CoreSetting(
            node.id(),
            segment.members(),
            new TreeMap<>(),
            state.applied(),
            anchor,
            setting.timing(),
            environment.random());
    ProtocolCore opened = provider.open(core, recovery.records());
    JournalWriter journal =
        new JournalWriter(recovery.journal(), provider.codec(), environment.disk(), parts.disk());
    if (recovery.segment() == null) {
      journal.append(segment.firstPosition(), segment);
    }
    return new Replica(segment, node.id(), opened, journal, parts.outlet());
  }
}
