// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The committed view of a ring in mode {@code consistent}: who its members are, and who keeps which
 * partition. Never changed; the next one shares most of it. How one follows from another is in
 * {@link TableChange}.
 *
 * @param epoch rises with every change
 * @param isPlacementDue whether candidates, or their weights or domains, are others than those of
 *     the last placement
 */
record Table(
    long epoch,
    TableSettings settings,
    SortedMap<NodeId, TableMember> members,
    Assignments assignments,
    boolean isPlacementDue) {
  /** The most members. */
  static final int MEMBERS_MAX = 1_000;

  Table {
    members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    if (assignments.size() != settings.partitions() || members.size() > MEMBERS_MAX) {
      throw new IllegalArgumentException(
          assignments.size() + " assignments, " + members.size() + " members");
    }
  }

  /** Of a ring that nobody has joined yet. */
  static Table empty(TableSettings settings) {
    return new Table(
        0,
        settings,
        new TreeMap<>(),
        Assignments.of(settings.partitions(), Assignment.NONE),
        false);
  }

  /** How the ring is cut. */
  Partitions partitions() {
    return new Partitions(settings.partitions());
  }

  /** The partition of a point. */
  int partitionOf(Identifier point) {
    return partitions().of(point);
  }

  /** The assignment of a partition. */
  Assignment assignment(int partition) {
    return assignments.get(partition);
  }

  @Nullable TableMember member(NodeId node) {
    return members.get(node);
  }

  /** The members that may be given partitions, in order. */
  List<TableMember> candidates() {
    return members.values().stream().filter(TableMember::isCandidate).toList();
  }

  /**
   * What a policy is asked. Where a failure left too few targets, those that have the data all the
   * same count as present, so that it need not move.
   */
  PlacementPolicy.Request placement() {
    List<List<NodeId>> present = new ArrayList<>(assignments.size());
    for (Assignment it : assignments) {
      List<NodeId> nodes = new ArrayList<>(it.targets());
      it.holders().stream()
          .filter(holder -> !nodes.contains(holder))
          .limit(Math.max(0, settings.replicas() - nodes.size()))
          .forEach(nodes::add);
      present.add(nodes);
    }
    return new PlacementPolicy.Request(
        settings.replicas(), candidates().stream().map(TableMember::candidate).toList(), present);
  }

  /** How many nodes are to keep each partition, as there are candidates. */
  int copies() {
    return copies(settings, members);
  }

  static int copies(TableSettings settings, Map<NodeId, TableMember> members) {
    long candidates = members.values().stream().filter(TableMember::isCandidate).count();
    return (int) Math.min(settings.replicas(), candidates);
  }

  void write(WireWriter out) {
    out.writeVarLong(epoch);
    settings.write(out);
    out.writeBoolean(isPlacementDue).writeVarLong(members.size());
    Map<NodeId, Integer> indices = new HashMap<>();
    members
        .values()
        .forEach(
            it -> {
              indices.put(it.node(), indices.size());
              it.write(out);
            });
    assignments.forEach(it -> write(it, indices, out));
  }

  /** Both counts are at most 8: one byte each is enough, with the flags below. */
  private static void write(Assignment it, Map<NodeId, Integer> indices, WireWriter out) {
    boolean isSettled = it.isSettled();
    out.writeByte((it.isReleased() ? 1 : 0) | (isSettled ? 2 : 0) | it.holders().size() << 4);
    write(it.holders(), indices, out);
    if (!isSettled) {
      out.writeByte(it.targets().size());
      write(it.targets(), indices, out);
    }
    out.writeVarLong(it.version()).writeVarLong(it.ownerSince()).writeVarLong(it.lost());
  }

  private static void write(List<NodeId> nodes, Map<NodeId, Integer> indices, WireWriter out) {
    for (NodeId node : nodes) {
      Integer index = indices.get(node);
      if (index == null) {
        throw new AssertionError(node + " is assigned and no member");
      }
      out.writeVarLong(index);
    }
  }

  /** The bytes of this table. */
  byte[] encode() {
    WireWriter out = new WireWriter(256 + 16 * settings.partitions());
    write(out);
    return out.toByteArray();
  }

  /**
   * Reads a table.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static Table read(WireReader in) {
    long epoch = in.readVarLong();
    TableSettings settings = TableSettings.read(in);
    boolean isPlacementDue = in.readBoolean();
    int count = in.readCount();
    if (epoch < 0 || count > MEMBERS_MAX) {
      throw new WireFormatException("epoch " + epoch + ", " + count + " members");
    }
    SortedMap<NodeId, TableMember> members = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      TableMember member = TableMember.read(in);
      if (!members.isEmpty() && members.lastKey().compareTo(member.node()) >= 0) {
        throw new WireFormatException("members out of order");
      }
      members.put(member.node(), member);
    }
    if (in.remaining() < settings.partitions()) {
      throw new WireFormatException("cut short: " + in.remaining() + " bytes of assignments");
    }
    List<NodeId> nodes = List.copyOf(members.keySet());
    Assignment[] assignments = new Assignment[settings.partitions()];
    for (int i = 0; i < assignments.length; i++) {
      assignments[i] = readAssignment(in, nodes, epoch);
    }
    return new Table(epoch, settings, members, Assignments.of(assignments), isPlacementDue);
  }

  private static Assignment readAssignment(WireReader in, List<NodeId> nodes, long epoch) {
    int flags = in.readByte();
    boolean isSettled = (flags & 2) != 0;
    List<NodeId> holders = readNodes(in, nodes, flags >> 4);
    List<NodeId> targets = isSettled ? holders : readNodes(in, nodes, in.readByte());
    long version = in.readVarLong();
    if ((flags & 12) != 0 || version > epoch || (!isSettled && holders.equals(targets))) {
      throw new WireFormatException("assignment " + flags + " of version " + version);
    }
    try {
      return new Assignment(
          version, holders, targets, in.readVarLong(), (flags & 1) != 0, in.readVarLong());
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }

  private static List<NodeId> readNodes(WireReader in, List<NodeId> nodes, int count) {
    if (count > Assignment.HOLDERS_MAX) {
      throw new WireFormatException(count + " nodes of one partition");
    }
    List<NodeId> read = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      read.add(readNode(in, nodes));
    }
    return read;
  }

  private static NodeId readNode(WireReader in, List<NodeId> nodes) {
    long index = in.readVarLong();
    if (index < 0 || index >= nodes.size()) {
      throw new WireFormatException("node " + index + " of " + nodes.size());
    }
    return nodes.get((int) index);
  }
}
