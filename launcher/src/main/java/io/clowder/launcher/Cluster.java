// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * A cluster on this machine, which is a directory: {@code cluster.properties} says who is in it,
 * {@code node.properties} how each node is set up, and each node has a directory of its own.
 */
final class Cluster {
  /** More nodes than a machine makes sense for. */
  static final int NODES_MAX = 31;

  private static final String FORMAT = "1";
  private static final String FILE = "cluster.properties";
  private static final String SETTINGS = "node.properties";

  /** Below the ports that systems give to outgoing connections, which could take a node's. */
  private static final int PORT_MIN = 20_000;

  private static final int PORT_MAX = 32_000;

  private final Path dir;
  private final SortedMap<NodeId, Address> members;
  private final String protocol;
  private final boolean oneNode;

  private Cluster(Path dir, SortedMap<NodeId, Address> members, String protocol, boolean oneNode) {
    this.dir = dir;
    this.members = members;
    this.protocol = protocol;
    this.oneNode = oneNode;
  }

  /** Whether there is a cluster in the directory. */
  static boolean exists(Path dir) {
    return Files.exists(dir.resolve(FILE));
  }

  /**
   * The cluster in the directory; of a node that was started by itself, what is here of its
   * cluster: that node.
   */
  static Cluster open(Path path) throws IOException, CommandFailure {
    Path dir = path.toAbsolutePath().normalize();
    if (!exists(dir)) {
      SortedMap<NodeId, Address> own = NodeSettings.read(new NodeDirectory(dir));
      if (!own.isEmpty()) {
        return new Cluster(dir, own, "", true);
      }
      throw CommandFailure.usage("there is no cluster in " + path + "; make one with: clowder up");
    }
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(dir.resolve(FILE))) {
      properties.load(reader);
    } catch (IOException e) {
      throw CommandFailure.usage(FileProblem.sentence(e, dir.resolve(FILE)));
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(dir.resolve(FILE) + ": " + e.getMessage());
    }
    String format = properties.getProperty("format", "");
    if (!format.equals(FORMAT)) {
      throw CommandFailure.usage(
          dir.resolve(FILE) + ": format " + format + ", this version knows " + FORMAT);
    }
    SortedMap<NodeId, Address> members =
        NodeSettings.members(properties.getProperty("members", ""));
    if (members.keySet().stream().anyMatch(id -> id.value().matches("[.]+"))) {
      // Each id is a folder, which a wipe removes.
      throw CommandFailure.usage(dir.resolve(FILE) + ": a node's id cannot be made of dots alone");
    }
    return new Cluster(dir, members, properties.getProperty("protocol", ""), false);
  }

  /** Makes a cluster without settings. */
  static Cluster create(Path path, int nodes, String protocol) throws IOException, CommandFailure {
    return create(path, nodes, protocol, new Properties());
  }

  /**
   * Makes a cluster with free loopback ports; the directory must be empty or not there.
   *
   * @param settings for every node, by PID and key
   */
  static Cluster create(Path path, int nodes, String protocol, Properties settings)
      throws IOException, CommandFailure {
    Path dir = path.toAbsolutePath().normalize();
    if (nodes < 1 || nodes > NODES_MAX) {
      throw CommandFailure.usage("--nodes " + nodes + ": use 1 to " + NODES_MAX);
    }
    requireNew(path);
    SecureRandom random = new SecureRandom();
    SortedMap<NodeId, Address> members = new TreeMap<>();
    List<Integer> ports = freePorts(nodes, random);
    for (int i = 0; i < nodes; i++) {
      members.put(new NodeId("n" + (i + 1)), new Address("127.0.0.1", ports.get(i)));
    }
    byte[] name = new byte[4];
    random.nextBytes(name);
    makePrivate(dir);
    try {
      settings.putIfAbsent("cluster", "local-" + HexFormat.of().formatHex(name));
      return write(dir, members, protocol, settings);
    } catch (IOException e) {
      for (String file : List.of(SETTINGS, FILE + ".new", FILE)) {
        Files.deleteIfExists(dir.resolve(file));
      }
      throw CommandFailure.usage(FileProblem.sentence(e, path));
    }
  }

  /** Refuses a directory that a cluster cannot be made in, before anything is written there. */
  static void requireNew(Path path) throws IOException, CommandFailure {
    Path dir = path.toAbsolutePath().normalize();
    NodeDirectory.requireUsable(dir);
    if (Files.exists(dir)) {
      if (!Files.isDirectory(dir)) {
        throw CommandFailure.usage(path + " is not a directory");
      }
      try (Stream<Path> entries = Files.list(dir)) {
        if (entries.anyMatch(entry -> !entry.endsWith("lock"))) {
          throw CommandFailure.usage(path + " holds other files; choose a new directory");
        }
      }
    }
  }

  private static Cluster write(
      Path dir, SortedMap<NodeId, Address> members, String protocol, Properties settings)
      throws IOException {
    try (Writer out = Files.newBufferedWriter(dir.resolve(SETTINGS))) {
      settings.store(
          out,
          " For every node, at its next start: settings by PID and key. Keep the cluster's name.");
    }
    Path draft = dir.resolve(FILE + ".new");
    Files.writeString(
        draft,
        "format=%s\nprotocol=%s\nmembers=%s\n"
            .formatted(FORMAT, protocol, NodeSettings.text(members)));
    Files.move(draft, dir.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    return new Cluster(dir, members, protocol, false);
  }

  /**
   * Keeps other commands from starting or removing nodes at the same time; close it when done.
   *
   * @throws CommandFailure if another command is at work
   */
  static FileChannel lock(Path path) throws IOException, CommandFailure {
    makePrivate(path);
    FileChannel channel =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (channel.tryLock() == null) {
      channel.close();
      throw CommandFailure.failed(
          "another clowder command is at work on " + path + "; try again when it has ended");
    }
    return channel;
  }

  Path dir() {
    return dir;
  }

  /** Settings for every node, at its next start. */
  Path settings() {
    return dir.resolve(SETTINGS);
  }

  String protocol() {
    return protocol;
  }

  /** Whether the directory is that of one node, which {@code clowder node} was started with. */
  boolean isOneNode() {
    return oneNode;
  }

  SortedMap<NodeId, Address> members() {
    return members;
  }

  List<LocalNode> nodes() {
    return members.keySet().stream().sorted(Cluster::byNumber).map(this::node).toList();
  }

  /** A node by its name. */
  LocalNode node(String name) throws CommandFailure {
    for (NodeId id : members.keySet()) {
      if (id.value().equals(name)) {
        return node(id);
      }
    }
    throw CommandFailure.usage("unknown node '" + name + "'; the nodes are " + members.keySet());
  }

  /**
   * Removes what belongs to the cluster; nothing may run.
   *
   * @return whether the directory is gone, too: not if it holds other files
   */
  boolean wipe() throws IOException {
    for (LocalNode node : nodes()) {
      NodeDirectory.clear(node.directory().root());
    }
    for (String name : List.of(SETTINGS, "history", FILE, "lock")) {
      Files.deleteIfExists(dir.resolve(name));
    }
    try (Stream<Path> rest = Files.list(dir)) {
      if (rest.findAny().isPresent()) {
        return false;
      }
    }
    Files.delete(dir);
    return true;
  }

  private LocalNode node(NodeId id) {
    return new LocalNode(id, this, new NodeDirectory(oneNode ? dir : dir.resolve(id.value())));
  }

  /** n2 before n10. */
  private static int byNumber(NodeId one, NodeId other) {
    int lengths = Integer.compare(one.value().length(), other.value().length());
    return lengths != 0 ? lengths : one.compareTo(other);
  }

  private static void makePrivate(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      if (dir.getParent() != null) {
        Files.createDirectories(dir.getParent());
      }
      Files.createDirectory(
          dir, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private static List<Integer> freePorts(int count, RandomGenerator random) throws IOException {
    List<Integer> ports = new ArrayList<>();
    for (int tries = 0; ports.size() < count && tries < 10_000; tries++) {
      int port = random.nextInt(PORT_MIN, PORT_MAX);
      if (!ports.contains(port) && isFree(port)) {
        ports.add(port);
      }
    }
    if (ports.size() < count) {
      throw new IOException("no " + count + " free ports from " + PORT_MIN + " to " + PORT_MAX);
    }
    return ports;
  }

  private static boolean isFree(int port) {
    try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return probe.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
