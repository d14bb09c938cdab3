// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

import java.util.SortedMap;
import org.osgi.annotation.versioning.ProviderType;

/**
 * This node: who it is and who the others are. A service, present once the node's directory is open
 * and found to be its own.
 */
@ProviderType
public interface Node {
  /** This node's name; a key of {@link #members()}. */
  NodeId id();

  /** The cluster's name; nodes of different clusters never talk to each other. */
  String cluster();

  /**
   * A random number that was drawn when the node's directory was made. A node whose directory was
   * wiped has another one: it is a new node, which must not act under what the old one promised.
   */
  long incarnation();

  /** The configured members and where they listen, this node among them; immutable. */
  SortedMap<NodeId, Address> members();
}
