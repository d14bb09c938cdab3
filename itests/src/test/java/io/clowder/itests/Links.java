// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * The links of nodes on this machine: each node reaches each other one by a proxy of their own, as
 * the addresses say that it is told. What a link does not let through waits, as it does in TCP when
 * packets are lost: no connection breaks, and what was sent meanwhile comes late.
 */
final class Links implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final Map<String, Integer> ports = new LinkedHashMap<>();
  private final Map<Way, ServerSocket> proxies = new LinkedHashMap<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Set<Way> cut = new HashSet<>();
  private boolean isClosed;

  private record Way(String from, String to) {}

  /** Links of all with all. */
  Links(List<String> nodes) throws IOException {
    List<Integer> free = Ports.free(nodes.size());
    nodes.forEach(node -> ports.put(node, free.get(ports.size())));
    for (String from : nodes) {
      for (String to : nodes) {
        if (!from.equals(to)) {
          ServerSocket proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
          Way way = new Way(from, to);
          proxies.put(way, proxy);
          daemon("accept-" + from + "-" + to, () -> accept(way, proxy));
        }
      }
    }
  }

  /** All nodes and their addresses, as one of them is to know them. */
  String members(String node) {
    return ports.entrySet().stream()
        .map(
            it -> {
              ServerSocket proxy = proxies.get(new Way(node, it.getKey()));
              int port = proxy == null ? it.getValue() : proxy.getLocalPort();
              return it.getKey() + "=127.0.0.1:" + port;
            })
        .collect(Collectors.joining(","));
  }

  /** From now on nothing comes from one node to another; the other way it does. */
  synchronized void cut(String from, String to) {
    cut.add(new Way(from, to));
  }

  /** All links are whole again. */
  synchronized void heal() {
    cut.clear();
    notifyAll();
  }

  private synchronized void awaitWhole(Way way) throws InterruptedException {
    while (cut.contains(way) && !isClosed) {
      wait();
    }
  }

  private void accept(Way way, ServerSocket proxy) {
    Way back = new Way(way.to, way.from);
    try {
      while (true) {
        Socket near = proxy.accept();
        Socket far = new Socket();
        sockets.add(near);
        sockets.add(far);
        daemon("link-" + way.from + "-" + way.to, () -> connect(way, back, near, far));
      }
    } catch (IOException e) {
      // It is closed.
    }
  }

  /** Who dials hears from nobody, not even that it is refused, before both ways are whole. */
  private void connect(Way way, Way back, Socket near, Socket far) {
    try {
      awaitWhole(way);
      awaitWhole(back);
      far.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), ports.getOrDefault(way.to, 0)));
      daemon("link-" + way.to + "-" + way.from, () -> pump(back, far, near));
      pump(way, near, far);
    } catch (IOException | InterruptedException e) {
      close(near);
      close(far);
    }
  }

  private void pump(Way way, Socket source, Socket target) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try {
      source.setTcpNoDelay(true);
      target.setTcpNoDelay(true);
      InputStream in = source.getInputStream();
      OutputStream out = target.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        awaitWhole(way);
        out.write(buffer, 0, count);
      }
      awaitWhole(way);
    } catch (IOException | InterruptedException e) {
      // An end is gone; so is the other one, then.
    }
    close(source);
    close(target);
  }

  private void close(Socket socket) {
    sockets.remove(socket);
    try {
      socket.close();
    } catch (IOException e) {
      throw new AssertionError("a socket cannot be closed", e);
    }
  }

  private static void daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    for (ServerSocket proxy : proxies.values()) {
      proxy.close();
    }
    synchronized (this) {
      isClosed = true;
      notifyAll();
    }
    sockets.forEach(this::close);
  }
}
