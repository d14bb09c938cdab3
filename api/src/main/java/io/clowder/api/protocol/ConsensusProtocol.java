// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import io.clowder.api.NodeId;
import io.clowder.api.wire.Codec;
import java.util.List;
import java.util.SortedMap;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A consensus protocol, as a service with the property {@link #PROTOCOL}. Stateless: all state is
 * in the cores it opens.
 */
@ConsumerType
public interface ConsensusProtocol {
  /** Service property: the protocol's name, such as {@code raft}. */
  String PROTOCOL = "consensus.protocol";

  /**
   * Opens a core on what its journal holds. The first event must be a {@link Event.Clock}.
   *
   * @param records everything the core persisted under this setting and that was not trimmed,
   *     oldest first; what a crash tore off the end was never promised to anyone
   * @throws IllegalStateException if the records contradict each other or the setting's snapshot
   */
  ProtocolCore open(CoreSetting setting, Iterable<Message> records);

  /**
   * Refuses what no core can be opened with, before a segment is planned: parameters that the
   * protocol does not know or that do not fit this many members.
   *
   * @throws IllegalArgumentException with the parameter's name and what to do about it
   */
  void check(List<NodeId> members, SortedMap<String, String> parameters);

  /** The bytes of messages and records. Decoding refuses what no core would send. */
  Codec<Message> codec();
}
