// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What is to follow a group's present segment: another protocol, other parameters, other members,
 * or all the same again, on the newest provider of the protocol that each node has.
 *
 * @param protocol the protocol, such as {@code raft}; null keeps protocol and parameters
 * @param parameters of the protocol, by name; empty if {@code protocol} is null
 * @param joining new members and where they listen
 * @param leaving members that are to go
 */
public record Successor(
    @Nullable String protocol,
    SortedMap<String, String> parameters,
    SortedMap<NodeId, Address> joining,
    SortedSet<NodeId> leaving) {
  /** Keeps its own copies; refuses parameters of no protocol. */
  public Successor {
    parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
    joining = Collections.unmodifiableSortedMap(new TreeMap<>(joining));
    leaving = Collections.unmodifiableSortedSet(new TreeSet<>(leaving));
    if (protocol == null && !parameters.isEmpty()) {
      throw new IllegalArgumentException("parameters " + parameters + " without a protocol");
    }
  }

  /** The same protocol, parameters and members. */
  public static Successor same() {
    return new Successor(null, new TreeMap<>(), new TreeMap<>(), new TreeSet<>());
  }

  /** Another protocol, or other parameters of it, with the same members. */
  public static Successor of(String protocol, SortedMap<String, String> parameters) {
    return new Successor(protocol, parameters, new TreeMap<>(), new TreeSet<>());
  }

  /** One member more. */
  public static Successor adding(NodeId member, Address address) {
    SortedMap<NodeId, Address> joining = new TreeMap<>();
    joining.put(member, address);
    return new Successor(null, new TreeMap<>(), joining, new TreeSet<>());
  }

  /** One member less. */
  public static Successor removing(NodeId member) {
    SortedSet<NodeId> leaving = new TreeSet<>();
    leaving.add(member);
    return new Successor(null, new TreeMap<>(), new TreeMap<>(), leaving);
  }
}
