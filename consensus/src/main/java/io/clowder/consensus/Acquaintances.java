// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The nodes that a group keeps links with, besides those that were configured. */
final class Acquaintances {
  private final Transport transport;
  private final SortedMap<NodeId, Met> met = new TreeMap<>();

  private record Met(Address address, Transport.Registration registration) {}

  Acquaintances(Transport transport) {
    this.transport = transport;
  }

  /** Has links with these from now on, too. */
  void meet(Map<NodeId, Address> nodes) {
    nodes.forEach(
        (node, address) -> {
          Met known = met.get(node);
          if (known == null || !known.address.equals(address)) {
            met.put(node, new Met(address, transport.meet(node, address)));
            if (known != null) {
              known.registration.close();
            }
          }
        });
  }

  /** Has links with these and no others from now on. */
  void keep(Map<NodeId, Address> nodes) {
    meet(nodes);
    met.entrySet()
        .removeIf(
            entry -> {
              boolean superfluous = !nodes.containsKey(entry.getKey());
              if (superfluous) {
                entry.getValue().registration.close();
              }
              return superfluous;
            });
  }
}
