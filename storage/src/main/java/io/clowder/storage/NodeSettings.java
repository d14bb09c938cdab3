// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The configuration of a node, checked.
 *
 * @param id this node, one of the members
 * @param cluster the cluster's name, 1 to 64 characters
 * @param members all nodes and where they listen; immutable
 * @param directory where this node keeps its state; absolute
 */
public record NodeSettings(
    NodeId id, String cluster, SortedMap<NodeId, Address> members, Path directory) {
  private static final int CLUSTER_MAX = 64;

  /**
   * Checks the configuration's values as they are written.
   *
   * @throws IllegalArgumentException if one makes no sense; the message is one line that begins
   *     with its key
   */
  public static NodeSettings parse(String id, String cluster, String members, String directory) {
    NodeId node = nodeId("id", id);
    if (cluster.isBlank() || cluster.length() > CLUSTER_MAX) {
      throw refused("cluster", "use 1 to " + CLUSTER_MAX + " characters, not '" + cluster + "'");
    }
    SortedMap<NodeId, Address> nodes = members(members);
    if (!nodes.containsKey(node)) {
      throw refused("members", "this node, " + node + ", is not among " + nodes.keySet());
    }
    if (directory.isBlank()) {
      throw refused("directory", "name the directory in which this node keeps its state");
    }
    try {
      return new NodeSettings(
          node, cluster, nodes, Path.of(directory).toAbsolutePath().normalize());
    } catch (InvalidPathException e) {
      throw refused("directory", e.getMessage());
    }
  }

  private static SortedMap<NodeId, Address> members(String text) {
    if (text.isBlank()) {
      throw refused("members", "write n1=HOST:PORT,n2=HOST:PORT,…");
    }
    SortedMap<NodeId, Address> nodes = new TreeMap<>();
    Map<Address, NodeId> taken = new HashMap<>();
    for (String member : text.split(",", -1)) {
      int equals = member.indexOf('=');
      if (equals < 0) {
        throw refused("members", "'" + member.strip() + "': write NODE=HOST:PORT");
      }
      NodeId node = nodeId("members", member.substring(0, equals).strip());
      Address address = address(member.substring(equals + 1).strip());
      if (nodes.put(node, address) != null) {
        throw refused("members", "node " + node + " is there twice");
      }
      NodeId other = taken.put(address, node);
      if (other != null) {
        throw refused("members", other + " and " + node + " have the same address " + address);
      }
    }
    return Collections.unmodifiableSortedMap(nodes);
  }

  private static NodeId nodeId(String key, String text) {
    try {
      return new NodeId(text);
    } catch (IllegalArgumentException e) {
      throw refused(key, e.getMessage());
    }
  }

  private static Address address(String text) {
    try {
      return Address.parse(text);
    } catch (IllegalArgumentException e) {
      throw refused("members", e.getMessage());
    }
  }

  private static IllegalArgumentException refused(String key, String message) {
    return new IllegalArgumentException(key + ": " + message);
  }
}
