// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What {@link TableMachine} may be asked to change: a byte of kind, a byte of version, the fields.
 * Whatever comes late, or twice, is harmless: it names the life of who asks, and what it has seen.
 */
sealed interface TableCommand {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /**
   * A node takes part, in the ring's first table if there is none. Who left or failed is a member
   * again, with what it has still. With another life, all that the node had is void.
   *
   * @param former the life that the node has in the table that this was made for, 0 if it is no
   *     member there; refused if it has yet another: this may be what is late
   * @param settings of the ring; refused if it has others
   */
  record Join(
      NodeId node, long life, long former, String domain, int weight, TableSettings settings)
      implements TableCommand {
    public Join {
      TableMember.checkDomain(domain);
      TableMember.checkWeight(weight);
    }

    /** The same, made for another table. */
    Join after(long present) {
      return new Join(node, life, present, domain, weight, settings);
    }
  }

  /** A node is to be given nothing more, and is gone when others have what it has. */
  record Leave(NodeId node, long life) implements TableCommand {}

  /**
   * A node, in this life, was silent for too long: it neither has nor gets anything, but for what
   * only it has.
   */
  record Fail(NodeId node, long life, NodeId by) implements TableCommand {}

  /**
   * Who is to hold what from now on.
   *
   * @param epoch of the table that this was made for; refused if there is another
   * @param targets of every partition, the owner first
   */
  record Place(NodeId by, long epoch, List<List<NodeId>> targets) implements TableCommand {
    public Place {
      targets = targets.stream().map(List::copyOf).toList();
    }
  }

  /** The owner, in this life, says which nodes have all data of which partitions now. */
  record Held(NodeId by, long life, List<Copy> copies) implements TableCommand {
    public Held {
      copies = List.copyOf(copies);
    }
  }

  /**
   * The owner, in this life, serves these partitions no more, and will not again unless it sees a
   * later version of them that has it as the owner. It had served them: the time that it may have
   * had to wait for an owner before it was over.
   */
  record HandOver(NodeId by, long life, List<Part> parts) implements TableCommand {
    public HandOver {
      parts = List.copyOf(parts);
    }
  }

  /** An operator gives a failed node up, with what only it has. */
  record Remove(NodeId node) implements TableCommand {}

  /** A partition under the version of its assignment that the owner acts by. */
  record Part(int partition, long version) {}

  /** A node has all data of a partition: what there was, and each write that was made since. */
  record Copy(int partition, long version, NodeId node) {}

  /** The bytes of this command. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Join it) {
      begin(out, 1, it.node).writeLong(it.life).writeLong(it.former);
      out.writeString(it.domain).writeByte(it.weight);
      it.settings.write(out);
    } else if (this instanceof Leave it) {
      begin(out, 2, it.node).writeLong(it.life);
    } else if (this instanceof Fail it) {
      begin(out, 3, it.node).writeLong(it.life).writeString(it.by.value());
    } else if (this instanceof Place it) {
      begin(out, 4, it.by).writeVarLong(it.epoch);
      writeTargets(it.targets, out);
    } else if (this instanceof Held it) {
      begin(out, 5, it.by).writeLong(it.life);
      writeCopies(it.copies, out);
    } else if (this instanceof HandOver it) {
      begin(out, 6, it.by).writeLong(it.life).writeVarLong(it.parts.size());
      it.parts.forEach(part -> out.writeVarLong(part.partition).writeVarLong(part.version));
    } else if (this instanceof Remove it) {
      begin(out, 7, it.node);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  private static WireWriter begin(WireWriter out, int kind, NodeId node) {
    return out.writeByte(kind).writeByte(VERSION).writeString(node.value());
  }

  /** The names once, then the number of each in a list: a name takes up to 65 bytes. */
  private static Map<NodeId, Integer> writeNames(NavigableSet<NodeId> nodes, WireWriter out) {
    Map<NodeId, Integer> indices = new TreeMap<>();
    out.writeVarLong(nodes.size());
    for (NodeId node : nodes) {
      indices.put(node, indices.size());
      out.writeString(node.value());
    }
    return indices;
  }

  private static List<NodeId> readNames(WireReader in) {
    int count = in.readCount();
    if (count > Table.MEMBERS_MAX) {
      throw new WireFormatException(count + " names");
    }
    List<NodeId> names = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      names.add(in.readNode());
    }
    return names;
  }

  private static NodeId readName(WireReader in, List<NodeId> names) {
    long index = in.readVarLong();
    if (index < 0 || index >= names.size()) {
      throw new WireFormatException("name " + index + " of " + names.size());
    }
    return names.get((int) index);
  }

  private static void writeTargets(List<List<NodeId>> targets, WireWriter out) {
    NavigableSet<NodeId> nodes = new TreeSet<>();
    targets.forEach(nodes::addAll);
    Map<NodeId, Integer> indices = writeNames(nodes, out);
    out.writeVarLong(targets.size());
    for (List<NodeId> list : targets) {
      out.writeByte(list.size());
      list.forEach(node -> out.writeVarLong(indices.get(node)));
    }
  }

  private static List<List<NodeId>> readTargets(WireReader in) {
    List<NodeId> names = readNames(in);
    int count = readCount(in);
    List<List<NodeId>> targets = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int size = in.readByte();
      if (size > TableSettings.REPLICAS_MAX) {
        throw new WireFormatException(size + " targets of one partition");
      }
      List<NodeId> list = new ArrayList<>(size);
      for (int j = 0; j < size; j++) {
        list.add(readName(in, names));
      }
      targets.add(list);
    }
    return targets;
  }

  private static void writeCopies(List<Copy> copies, WireWriter out) {
    NavigableSet<NodeId> nodes = new TreeSet<>();
    copies.forEach(copy -> nodes.add(copy.node));
    Map<NodeId, Integer> indices = writeNames(nodes, out);
    out.writeVarLong(copies.size());
    copies.forEach(
        copy ->
            out.writeVarLong(copy.partition)
                .writeVarLong(copy.version)
                .writeVarLong(indices.get(copy.node)));
  }

  private static List<Copy> readCopies(WireReader in) {
    List<NodeId> names = readNames(in);
    int count = readCount(in);
    List<Copy> copies = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      copies.add(new Copy(readPartition(in), in.readVarLong(), readName(in, names)));
    }
    return copies;
  }

  private static List<Part> readParts(WireReader in) {
    int count = readCount(in);
    List<Part> parts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      parts.add(new Part(readPartition(in), in.readVarLong()));
    }
    return parts;
  }

  private static int readCount(WireReader in) {
    int count = in.readCount();
    if (count > TableSettings.PARTITIONS_MAX) {
      throw new WireFormatException(count + " partitions");
    }
    return count;
  }

  private static int readPartition(WireReader in) {
    long partition = in.readVarLong();
    if (partition < 0 || partition >= TableSettings.PARTITIONS_MAX) {
      throw new WireFormatException("partition " + partition);
    }
    return (int) partition;
  }

  /**
   * Reads a command.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static TableCommand decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("command of kind " + kind + " in version " + version);
    }
    TableCommand command;
    try {
      command = read(kind, in.readNode(), in);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
    in.expectEnd();
    return command;
  }

  private static TableCommand read(int kind, NodeId node, WireReader in) {
    return switch (kind) {
      case 1 ->
          new Join(
              node,
              in.readLong(),
              in.readLong(),
              in.readString(TableMember.DOMAIN_BYTES),
              in.readByte(),
              TableSettings.read(in));
      case 2 -> new Leave(node, in.readLong());
      case 3 -> new Fail(node, in.readLong(), in.readNode());
      case 4 -> new Place(node, in.readVarLong(), readTargets(in));
      case 5 -> new Held(node, in.readLong(), readCopies(in));
      case 6 -> new HandOver(node, in.readLong(), readParts(in));
      case 7 -> new Remove(node);
      default -> throw new WireFormatException("command of unknown kind " + kind);
    };
  }
}
