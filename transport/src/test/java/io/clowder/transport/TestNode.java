// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** A node made of plain values. */
record TestNode(NodeId id, String cluster, long incarnation, SortedMap<NodeId, Address> members)
    implements Node {

  /** Members written {@code n1=HOST:PORT,n2=HOST:PORT}. */
  static TestNode of(String cluster, String id, String members) {
    SortedMap<NodeId, Address> map = new TreeMap<>();
    for (String member : List.of(members.split(","))) {
      int sign = member.indexOf('=');
      map.put(new NodeId(member.substring(0, sign)), Address.parse(member.substring(sign + 1)));
    }
    return new TestNode(new NodeId(id), cluster, 1, Collections.unmodifiableSortedMap(map));
  }

  /** Nodes n1, n2, ... of one cluster on ports that were free a moment ago. */
  static List<TestNode> cluster(int count) throws IOException {
    List<Integer> ports = freePorts(count);
    StringBuilder members = new StringBuilder();
    for (int i = 0; i < count; i++) {
      members.append(i == 0 ? "" : ",").append("n").append(i + 1);
      members.append("=127.0.0.1:").append(ports.get(i));
    }
    List<TestNode> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      nodes.add(of("demo", "n" + (i + 1), members.toString()));
    }
    return nodes;
  }

  static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  Address address() {
    return members.get(id);
  }
}
