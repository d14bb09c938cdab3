// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.protocol.CoreSetting;
import java.util.SortedMap;

/**
 * How a group is run on this node.
 *
 * @param name the group
 * @param protocol the protocol of its first segment; later ones are in the log
 * @param parameters of that protocol
 * @param joining whether a node without state waits to be added to the group instead of beginning
 *     it
 * @param rollMillis a segment this old is followed by another of the same kind; 0 for never
 * @param timing how patient its cores are
 * @param lease how long this node's session lives
 * @param snapshotBytes a snapshot is made when the entries since the last one exceed this, and the
 *     size of that one
 * @param snapshotEntries a snapshot is made when there are more entries than this since the last
 *     one
 * @param historyBytesMax entries since the last snapshot may take up this much memory while a
 *     machine is away; beyond, the replica stops
 * @param reserveBytes new work is refused while the disk has less free space than this
 */
public record GroupSetting(
    String name,
    String protocol,
    SortedMap<String, String> parameters,
    boolean joining,
    long rollMillis,
    CoreSetting.Timing timing,
    Lease lease,
    long snapshotBytes,
    long snapshotEntries,
    long historyBytesMax,
    long reserveBytes) {}
