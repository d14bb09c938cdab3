// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Network namespaces, one for each node, and one more with a bridge that joins them; nothing
 * outside of them is touched.
 *
 * <pre>
 *   n1's: eth0 ── n1 ┐
 *   n2's: eth0 ── n2 ┤ bridge
 *   n3's: eth0 ── n3 ┘
 * </pre>
 *
 * <p>What a link carries is dropped at the bridge's end, in either direction: a sender's own kernel
 * is not told, and sends again and again, as it does when a switch far away fails.
 */
final class Network implements AutoCloseable {
  private static final int PORT = 7400;

  private final List<String> nodes;
  private final String prefix = "clowder-" + ProcessHandle.current().pid() + "-";
  private final String middle = prefix + "middle";
  private final Deque<String> made = new ArrayDeque<>();

  private Network(List<String> nodes) {
    this.nodes = nodes;
  }

  /** All of these hear each other. */
  static Network join(List<String> nodes) throws IOException, InterruptedException {
    Network network = new Network(nodes);
    // A process that is told to end leaves nothing either.
    Runtime.getRuntime().addShutdownHook(new Thread(network::close, "network"));
    try {
      network.make();
      return network;
    } catch (IOException | InterruptedException | AssertionError e) {
      network.close();
      throw e;
    }
  }

  private void make() throws IOException, InterruptedException {
    add(middle);
    run("ip -n " + middle + " link add name bridge type bridge");
    run("ip -n " + middle + " link set bridge up");
    for (String node : nodes) {
      String own = add(prefix + node);
      run("ip -n " + middle + " link add name " + node + " type veth peer name eth0 netns " + own);
      run("ip -n " + middle + " link set " + node + " master bridge up");
      run("tc -n " + middle + " qdisc add dev " + node + " clsact");
      run("ip -n " + own + " address add " + host(node) + "/24 dev eth0");
      run("ip -n " + own + " link set eth0 up");
      run("ip -n " + own + " link set lo up");
    }
  }

  private String add(String namespace) throws IOException, InterruptedException {
    run("ip netns add " + namespace);
    made.push(namespace);
    return namespace;
  }

  private String host(String node) {
    return "192.0.2." + (nodes.indexOf(node) + 1);
  }

  /** Where a node listens. */
  String address(String node) {
    return host(node) + ":" + PORT;
  }

  /** The words before a command that is to run where a node is. */
  List<String> at(String node) {
    return List.of("ip", "netns", "exec", prefix + node);
  }

  /** Nothing that a node sends arrives. */
  void muffle(String node) throws IOException, InterruptedException {
    drop(node, "ingress");
  }

  /** Nothing that is sent to a node arrives. */
  void deafen(String node) throws IOException, InterruptedException {
    drop(node, "egress");
  }

  private void drop(String node, String direction) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("tc", "-n", middle, "filter", "add", "dev", node, direction));
    // One instruction, which returns TC_ACT_SHOT. What would be easier to read, netem's loss of
    // 100 % or the action drop, not all kernels have.
    command.addAll(List.of("bpf", "direct-action", "bytecode", "1,6 0 0 2"));
    Tool.run(command.toArray(String[]::new));
  }

  /** A node sends and hears again. */
  void heal(String node) throws IOException, InterruptedException {
    // Removes the filters of both directions.
    run("tc -n " + middle + " qdisc del dev " + node + " clsact");
    run("tc -n " + middle + " qdisc add dev " + node + " clsact");
  }

  /** Ends what runs in the namespaces, which would keep them, and removes them all. */
  @Override
  public synchronized void close() {
    List<Throwable> failed = new ArrayList<>();
    while (!made.isEmpty()) {
      String namespace = made.pop();
      try {
        try {
          run("ip netns pids " + namespace).lines().forEach(Network::kill);
        } finally {
          run("ip netns del " + namespace);
        }
      } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
        failed.add(e);
      }
    }
    if (!failed.isEmpty()) {
      throw new AssertionError("not removed: " + failed, failed.get(0));
    }
  }

  private static void kill(String pid) {
    ProcessHandle.of(Long.parseLong(pid))
        .ifPresent(
            process -> {
              process.destroyForcibly();
              process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
            });
  }

  /** Runs a command whose words have no blanks. */
  private static String run(String line) throws IOException, InterruptedException {
    return Tool.run(line.split(" "));
  }
}
