// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/** Loopback ports that nobody listens on. */
final class Ports {
  private Ports() {}

  static int free() throws IOException {
    return free(1).get(0);
  }

  /** So many, all different. */
  static List<Integer> free(int count) throws IOException {
    List<Integer> ports = new ArrayList<>();
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        sockets.add(socket);
        ports.add(socket.getLocalPort());
      }
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
    return ports;
  }

  /** Members {@code n1} to {@code nCOUNT} on free ports, as the configuration has them. */
  static String members(int count) throws IOException {
    List<Integer> ports = free(count);
    List<String> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add("n" + (i + 1) + "=127.0.0.1:" + ports.get(i));
    }
    return String.join(",", members);
  }
}
