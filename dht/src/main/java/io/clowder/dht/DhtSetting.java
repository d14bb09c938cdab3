// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/**
 * What can be set about a ring on a node.
 *
 * @param table in mode {@code consistent}, what the ring is founded with
 * @param founders in mode {@code peer}, who founds the ring; empty for all members of the cluster
 */
record DhtSetting(
    Mode mode,
    TableSettings table,
    KeeperSettings keeper,
    boolean isDurable,
    String domain,
    int weight,
    Duration timeout,
    Duration leaving,
    int successors,
    List<NodeId> founders) {
  /** Where it is configured; what comes after {@code ~} is the ring's name. */
  static final String PID = "io.clowder.dht";

  private static final int MEBIBYTE = 1 << 20;
  private static final long SECOND = 1_000_000_000L;

  /** The configuration of one ring on this node; a change of any key restarts this node's part. */
  @ObjectClassDefinition(
      name = "Clowder DHT",
      description =
          "A ring of nodes that keep values by their keys, by the name after ~ in the name of this"
              + " configuration; on each node that is a member")
  @interface Config {
    /** How members agree on who owns what. */
    @AttributeDefinition(
        name = "Mode",
        description =
            "How members agree on who owns what: consistent (by views that consensus commits) or"
                + " peer (among themselves, as in Chord). The same on all nodes",
        options = {
          @Option(value = "consistent", label = "consistent"),
          @Option(value = "peer", label = "peer")
        })
    String mode() default "consistent";

    /** Into how many parts the ring is cut. */
    @AttributeDefinition(
        name = "Partitions",
        description =
            "Mode consistent: into how many equal parts the ring is cut, a power of two, 16 to"
                + " 65536; about 64 for each node. Counts when the ring is founded; the same on all"
                + " nodes",
        min = "16",
        max = "65536")
    int partitions() default 1_024;

    /** How many nodes keep a value. */
    @AttributeDefinition(
        name = "Replicas",
        description = "How many nodes keep a value, 1 to 7. The same on all nodes",
        min = "1",
        max = "7")
    int replicas() default 3;

    /** On how many nodes a value must be. */
    @AttributeDefinition(
        name = "Write quorum",
        description =
            "On how many nodes a value must be before it is acknowledged, 1 to replicas. In mode"
                + " consistent it must be on all that keep it, and these must be so many",
        min = "1",
        max = "7")
    int write_quorum() default 2;

    /** The function that places keys. */
    @AttributeDefinition(
        name = "Hash function",
        description =
            "The function that places keys and nodes on the ring, of 160 bits or more, such as SHA-1"
                + " or SHA-256. The same on all nodes")
    String hash() default Identifier.SHA_1;

    /** Whether values are on disk. */
    @AttributeDefinition(
        name = "Durable",
        description =
            "Whether this node writes values to disk, synced before it acknowledges them; if not, it"
                + " has nothing after a restart, and the others' copies count")
    boolean durable() default true;

    /** What fails together with this node. */
    @AttributeDefinition(
        name = "Failure domain",
        description =
            "Mode consistent: what fails together with this node, such as a rack, in at most 64 bytes;"
                + " copies are in different ones. Empty: nothing but itself")
    String domain() default "";

    /** How much this node is to keep against others. */
    @AttributeDefinition(
        name = "Weight",
        description = "Mode consistent: how much this node is to keep against others, 1 to 100",
        min = "1",
        max = "100")
    int weight() default 1;

    /** How long a call may take, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description = "How long a call may take, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;

    /** How long leaving may take, in seconds. */
    @AttributeDefinition(
        name = "Leaving",
        description = "How long dht:leave waits at most, in seconds, 1 to 86400",
        min = "1",
        max = "86400")
    int leave_seconds() default 300;

    /** How much may be sent to bring copies in order, in mebibytes per second. */
    @AttributeDefinition(
        name = "Transfer",
        description =
            "How much a second this node sends at most to bring copies in order, in MiB, 1 to 65536",
        min = "1",
        max = "65536")
    int transfer_mebibytes() default 64;

    /** How often copies are compared, in seconds. */
    @AttributeDefinition(
        name = "Anti-entropy",
        description =
            "How often copies are compared by hash trees and mended, in seconds, 1 to 86400",
        min = "1",
        max = "86400")
    int anti_entropy_seconds() default 60;

    /** How long removals are remembered, in hours. */
    @AttributeDefinition(
        name = "Tombstones",
        description =
            "How long removals are remembered, in hours, 1 to 8760: in mode peer, a node that was away"
                + " for longer begins with nothing",
        min = "1",
        max = "8760")
    int tombstone_hours() default 24;

    /** How long successor lists are. */
    @AttributeDefinition(
        name = "Successors",
        description =
            "Mode peer: how many members after it a member knows, replicas - 1 to 64, or 0 for replicas"
                + " - 1; for many nodes, twice the logarithm of their number. One more must found the"
                + " ring. The same on all nodes",
        min = "0",
        max = "64")
    int successors() default 0;

    /** Who founds the ring. */
    @AttributeDefinition(
        name = "Founders",
        description =
            "Mode peer: the ids of the nodes that found the ring together, separated by commas, one"
                + " more than successors at least; all others join. Empty: all members of the"
                + " cluster. The same on all nodes")
    String founders() default "";
  }

  /**
   * What a configuration says; refuses values that make no sense with {@link
   * IllegalArgumentException}, by the key.
   */
  static DhtSetting of(String ring, Config config) {
    int replicas = checked(ring, "replicas", config.replicas(), 1, TableSettings.REPLICAS_MAX);
    int quorum = checked(ring, "write.quorum", config.write_quorum(), 1, replicas);
    Mode mode =
        switch (config.mode().toLowerCase(Locale.ROOT)) {
          case "consistent" -> Mode.CONSISTENT;
          case "peer" -> Mode.PEER;
          default -> throw refused(ring, "mode", "'" + config.mode() + "': use consistent or peer");
        };
    int partitions = config.partitions();
    if (partitions < TableSettings.PARTITIONS_MIN
        || partitions > TableSettings.PARTITIONS_MAX
        || Integer.bitCount(partitions) != 1) {
      throw refused(ring, "partitions", partitions + ": use a power of two, 16 to 65536");
    }
    try {
      Identifier.hash(config.hash(), new byte[0]);
    } catch (IllegalArgumentException e) {
      throw refused(ring, "hash", e.getMessage() + ": use SHA-1, SHA-256 or another of Java's");
    }
    try {
      TableMember.checkDomain(config.domain());
    } catch (IllegalArgumentException e) {
      throw refused(ring, "domain", e.getMessage() + ": use 64 at most");
    }
    int successors = checked(ring, "successors", config.successors(), 0, Successors.MAX);
    if (successors != 0 && successors < replicas - 1) {
      throw refused(ring, "successors", successors + ": use at least " + (replicas - 1) + ", or 0");
    }
    TableSettings table;
    try {
      table = new TableSettings(partitions, replicas, config.hash());
    } catch (IllegalArgumentException e) {
      throw refused(ring, "partitions", e.getMessage());
    }
    KeeperSettings usual = KeeperSettings.USUAL;
    KeeperSettings keeper =
        new KeeperSettings(
            replicas,
            quorum,
            usual.attemptNanos(),
            usual.resendNanos(),
            usual.operationsMax(),
            usual.operationBytesMax(),
            (long) MEBIBYTE
                * checked(ring, "transfer.mebibytes", config.transfer_mebibytes(), 1, 65_536),
            3_600_000L * checked(ring, "tombstone.hours", config.tombstone_hours(), 1, 8_760),
            SECOND
                * checked(ring, "anti.entropy.seconds", config.anti_entropy_seconds(), 1, 86_400));
    return new DhtSetting(
        mode,
        table,
        keeper,
        config.durable(),
        config.domain(),
        checked(ring, "weight", config.weight(), 1, TableMember.WEIGHT_MAX),
        Duration.ofMillis(checked(ring, "timeout.millis", config.timeout_millis(), 1, 600_000)),
        Duration.ofSeconds(checked(ring, "leave.seconds", config.leave_seconds(), 1, 86_400)),
        successors,
        founders(ring, config.founders()));
  }

  private static List<NodeId> founders(String ring, String names) {
    List<NodeId> founders = new ArrayList<>();
    for (String name : names.split(",", -1)) {
      if (!name.isBlank()) {
        try {
          NodeId founder = new NodeId(name.strip());
          if (!founders.contains(founder)) {
            founders.add(founder);
          }
        } catch (IllegalArgumentException e) {
          throw refused(ring, "founders", e.getMessage());
        }
      }
    }
    return List.copyOf(founders);
  }

  private static int checked(String ring, String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw refused(ring, key, value + ": use " + min + " to " + max);
    }
    return value;
  }

  private static IllegalArgumentException refused(String ring, String key, String why) {
    return new IllegalArgumentException("%s~%s: %s is %s".formatted(PID, ring, key, why));
  }
}
