// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who a node is, checked, and how that becomes configuration.
 *
 * @param members the cluster, the node among them
 * @param protocol what the main group starts with; null leaves the node's own configuration alone
 * @param join whether a node without state waits to be added to its groups
 * @param settings by PID and key, from the file of {@code --config}
 */
record NodeSettings(
    NodeId id,
    Address listen,
    SortedMap<NodeId, Address> members,
    String cluster,
    @Nullable String protocol,
    boolean join,
    SortedMap<String, SortedMap<String, String>> settings) {
  /** Reads what settings there are; not asked unless one is given. */
  interface CatalogSource {
    SettingsCatalog read() throws IOException;
  }

  private static final String NODE = "io.clowder.node";
  private static final String TRANSPORT = "io.clowder.transport";
  private static final String GROUPS = "io.clowder.consensus.group~";
  private static final String GROUP = GROUPS + "main";

  /** Reads {@code n1=HOST:PORT,n2=…}; refuses what occurs twice. */
  static SortedMap<NodeId, Address> members(String text) throws CommandFailure {
    SortedMap<NodeId, Address> members = new TreeMap<>();
    for (String member : text.split(",")) {
      int equals = member.indexOf('=');
      if (equals < 1) {
        throw CommandFailure.usage("member '" + member + "': write ID=HOST:PORT");
      }
      try {
        NodeId id = new NodeId(member.substring(0, equals).strip());
        Address address = Address.parse(member.substring(equals + 1).strip());
        if (members.containsValue(address)) {
          throw CommandFailure.usage("--members: address " + address + " occurs twice");
        }
        if (members.put(id, address) != null) {
          throw CommandFailure.usage("--members: id " + id + " occurs twice");
        }
      } catch (IllegalArgumentException e) {
        throw CommandFailure.usage("--members: " + e.getMessage());
      }
    }
    return members;
  }

  /** Reads the words of a command line. */
  static NodeSettings parse(
      String id,
      String listen,
      String members,
      @Nullable String protocol,
      boolean join,
      Properties file,
      CatalogSource source)
      throws CommandFailure, IOException {
    SortedMap<NodeId, Address> all = members(members);
    NodeId own;
    Address address;
    try {
      own = new NodeId(id);
      address = Address.parse(listen);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(e.getMessage());
    }
    if (!all.containsKey(own)) {
      throw CommandFailure.usage(
          "node " + own + " is not among --members; they are " + all.keySet());
    }
    SortedMap<String, SortedMap<String, String>> settings = new TreeMap<>();
    SortedSet<String> names = new TreeSet<>(file.stringPropertyNames());
    names.remove("cluster");
    if (!names.isEmpty()) {
      SettingsCatalog catalog = source.read();
      for (String name : names) {
        List<String> split = catalog.split(name);
        settings
            .computeIfAbsent(split.get(0), pid -> new TreeMap<>())
            .put(split.get(1), file.getProperty(name));
      }
    }
    SortedMap<NodeId, Address> founders = new TreeMap<>(all);
    if (join) {
      founders.remove(own);
      if (founders.isEmpty()) {
        throw CommandFailure.usage("--join: name a member of the cluster in --members, too");
      }
    }
    String cluster = file.getProperty("cluster", nameOf(founders));
    return new NodeSettings(own, address, all, cluster, protocol, join, settings);
  }

  /** Makes the node's configuration files say this. */
  void apply(NodeDirectory directory) throws IOException, CommandFailure {
    SortedMap<String, SortedMap<String, String>> all = new TreeMap<>();
    settings.forEach((pid, values) -> all.put(pid, new TreeMap<>(values)));
    Map<String, String> node = all.computeIfAbsent(NODE, pid -> new TreeMap<>());
    node.put("id", id.value());
    node.put("cluster", cluster);
    node.put("members", text(members));
    node.put("directory", directory.data().toString());
    all.computeIfAbsent(TRANSPORT, pid -> new TreeMap<>()).put("listen", listen.toString());
    if (protocol != null) {
      all.computeIfAbsent(GROUP, pid -> new TreeMap<>()).put("protocol", protocol);
    }
    if (join) {
      all.computeIfAbsent(GROUP, pid -> new TreeMap<>());
      all.forEach(
          (pid, values) -> {
            if (pid.startsWith(GROUPS)) {
              values.put("join", "true");
            }
          });
    }
    ConfigFile transport = file(directory, TRANSPORT);
    Map<String, String> security = new TreeMap<>(transport.read());
    security.putAll(all.get(TRANSPORT));
    if (security.getOrDefault("tls.certificate", "").isBlank()) {
      requireLoopback();
    }
    for (Path file : Distribution.files(directory.etc(), "*.cfg")) {
      String name = file.getFileName().toString();
      // What an earlier start set and this one does not mention is taken back.
      all.computeIfAbsent(
          name.substring(0, name.length() - ".cfg".length()).replaceFirst("-", "~"),
          pid -> new TreeMap<>());
    }
    for (Map.Entry<String, SortedMap<String, String>> pid : all.entrySet()) {
      file(directory, pid.getKey()).set(pid.getValue());
    }
  }

  /** The node whose directory this is, and where it listens; empty if it is none's. */
  static SortedMap<NodeId, Address> read(NodeDirectory directory) throws IOException {
    String id = file(directory, NODE).read().getOrDefault("id", "");
    String listen = file(directory, TRANSPORT).read().getOrDefault("listen", "");
    SortedMap<NodeId, Address> node = new TreeMap<>();
    if (!id.isEmpty() && !listen.isEmpty()) {
      node.put(new NodeId(id), Address.parse(listen));
    }
    return node;
  }

  /** Members as {@code --members} takes them. */
  static String text(SortedMap<NodeId, Address> members) {
    return String.join(
        ",", members.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
  }

  /**
   * The name of a cluster that was not given one: the same for every node that was started with the
   * same members.
   */
  static String nameOf(SortedMap<NodeId, Address> members) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(text(members).getBytes(StandardCharsets.UTF_8));
      return "cluster-" + HexFormat.of().formatHex(digest, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every platform has SHA-256", e);
    }
  }

  private void requireLoopback() throws CommandFailure {
    try {
      if (!InetAddress.getByName(listen.host()).isLoopbackAddress()) {
        throw CommandFailure.usage(
            "--listen "
                + listen
                + " is not a loopback address: other machines need TLS; set "
                + TRANSPORT
                + ".tls.certificate, .tls.key and .tls.trust in the file of --config");
      }
    } catch (UnknownHostException e) {
      throw CommandFailure.usage("--listen " + listen + ": unknown host");
    }
  }

  private static ConfigFile file(NodeDirectory directory, String pid) {
    // File Install separates the name of an instance by a dash.
    return new ConfigFile(directory.etc().resolve(pid.replace('~', '-') + ".cfg"));
  }

  /** Reads the file of {@code --config}; empty without one. */
  static Properties file(@Nullable Path config) throws CommandFailure {
    Properties properties = new Properties();
    if (config != null) {
      try (Reader reader = Files.newBufferedReader(config)) {
        properties.load(reader);
      } catch (IOException e) {
        throw CommandFailure.usage("--config " + FileProblem.sentence(e, config));
      } catch (IllegalArgumentException e) {
        throw CommandFailure.usage("--config " + config + ": " + e.getMessage());
      }
    }
    return properties;
  }
}
