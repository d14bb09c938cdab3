// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.dht.TableCommand.Copy;
import io.clowder.dht.TableCommand.Fail;
import io.clowder.dht.TableCommand.HandOver;
import io.clowder.dht.TableCommand.Held;
import io.clowder.dht.TableCommand.Join;
import io.clowder.dht.TableCommand.Leave;
import io.clowder.dht.TableCommand.Part;
import io.clowder.dht.TableCommand.Place;
import io.clowder.dht.TableCommand.Remove;
import io.clowder.dht.TableMember.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Random commands, some late and some twice, against a model of the data: each holder has each
 * write that was acknowledged, whatever happens.
 */
class TableSafetyTest {
  private static final int PARTITIONS = 16;

  private final List<NodeId> nodes =
      IntStream.range(0, 6).mapToObj(it -> new NodeId("n" + it)).toList();
  private final BoundedLoads policy = new BoundedLoads();

  /** What each node has of each partition in its present life, and what was acknowledged. */
  private final Map<NodeId, List<Set<Integer>>> data = new HashMap<>();

  private final List<Set<Integer>> acknowledged = new ArrayList<>();

  /** The copies under way: writes go there, too, as long as the version is the same. */
  private final Set<Copy> underWay = new HashSet<>();

  private final Map<NodeId, Long> lives = new HashMap<>();
  private final List<TableCommand> late = new ArrayList<>();
  private TableSettings settings = new TableSettings(PARTITIONS, 1, "SHA-1");
  private Table table = Table.empty(settings);
  private SplittableRandom random = new SplittableRandom(0);
  private int writes;
  private int losses;

  private void begin(long seed) {
    random = new SplittableRandom(seed);
    settings = new TableSettings(PARTITIONS, 1 + random.nextInt(3), "SHA-1");
    table = Table.empty(settings);
    late.clear();
    underWay.clear();
    acknowledged.clear();
    for (int i = 0; i < PARTITIONS; i++) {
      acknowledged.add(new HashSet<>());
    }
    nodes.forEach(it -> restart(it));
  }

  /** Another life, with nothing. */
  private void restart(NodeId node) {
    lives.merge(node, 1L, Long::sum);
    data.put(node, new ArrayList<>());
    for (int i = 0; i < PARTITIONS; i++) {
      data.get(node).add(new HashSet<>());
    }
    underWay.removeIf(it -> it.node().equals(node));
  }

  private NodeId any() {
    return nodes.get(random.nextInt(nodes.size()));
  }

  private Join join(NodeId node) {
    return new Join(
        node,
        lives.get(node),
        tableLife(node),
        "r" + random.nextInt(4),
        1 + random.nextInt(3),
        settings);
  }

  private long tableLife(NodeId node) {
    TableMember member = table.member(node);
    return member == null ? 0 : member.life();
  }

  /** Whether a node runs as the table knows it. */
  private boolean isAsKnown(NodeId node) {
    return lives.get(node) == tableLife(node);
  }

  private void write(int partition) {
    Assignment it = table.assignment(partition);
    if (it.owner() == null || !it.holders().stream().allMatch(this::isAsKnown)) {
      return;
    }
    int write = ++writes;
    it.holders().forEach(holder -> data.get(holder).get(partition).add(write));
    underWay.stream()
        .filter(copy -> copy.partition() == partition && copy.version() == it.version())
        .forEach(copy -> data.get(copy.node()).get(partition).add(write));
    acknowledged.get(partition).add(write);
  }

  /** The owner copies what it has, and says so later. */
  private List<TableCommand> copy(NodeId owner) {
    List<Copy> copies = new ArrayList<>();
    if (isAsKnown(owner)) {
      for (int i = 0; i < PARTITIONS; i++) {
        Assignment it = table.assignment(i);
        for (NodeId joiner : owner.equals(it.owner()) ? it.joining() : List.<NodeId>of()) {
          if (isAsKnown(joiner) && random.nextInt(3) > 0) {
            Set<Integer> copy = new HashSet<>(data.get(owner).get(i));
            data.get(joiner).set(i, copy);
            Copy done = new Copy(i, it.version(), joiner);
            underWay.add(done);
            copies.add(done);
          }
        }
      }
    }
    return copies.isEmpty() ? List.of() : List.of(new Held(owner, lives.get(owner), copies));
  }

  private List<TableCommand> handOver(NodeId owner) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      if (owner.equals(table.assignment(i).owner())) {
        parts.add(new Part(i, table.assignment(i).version()));
      }
    }
    return parts.isEmpty() ? List.of() : List.of(new HandOver(owner, lives.get(owner), parts));
  }

  private List<TableCommand> next() {
    NodeId node = any();
    int what = random.nextInt(100);
    if (what < 12) {
      return List.of(join(node));
    } else if (what < 16) {
      return List.of(new Leave(node, lives.get(node)));
    } else if (what < 22) {
      return List.of(new Fail(node, tableLife(node), any()));
    } else if (what < 40) {
      return List.of(new Place(node, table.epoch(), policy.place(table.placement())));
    } else if (what < 65) {
      return copy(node);
    } else if (what < 80) {
      return handOver(node);
    } else if (what < 81) {
      return List.of(new Remove(node));
    } else if (what < 83) {
      restart(node);
      return List.of(join(node));
    }
    IntStream.range(0, PARTITIONS).forEach(this::write);
    return List.of();
  }

  private void step() {
    List<TableCommand> commands = new ArrayList<>(next());
    if (!late.isEmpty() && random.nextInt(3) == 0) {
      commands.add(late.remove(random.nextInt(late.size())));
    }
    for (TableCommand command : commands) {
      if (random.nextInt(4) == 0) {
        late.add(command);
        continue;
      }
      apply(command);
      if (random.nextInt(10) == 0) {
        late.add(command);
      }
    }
  }

  private void apply(TableCommand command) {
    assertEquals(command, TableCommand.decode(command.encode()));
    Table before = table;
    TableChange.Outcome outcome = TableChange.of(before, command);
    table = outcome.table();
    if (!outcome.isAccepted()) {
      assertEquals(before, table);
      return;
    }
    boolean isSame = before.epoch() == table.epoch();
    assertEquals(isSame ? before.epoch() : before.epoch() + 1, table.epoch());
    for (int i = 0; i < PARTITIONS; i++) {
      Assignment was = before.assignment(i);
      Assignment is = table.assignment(i);
      if (is.lost() > was.lost()) {
        assertEquals(table.epoch(), is.lost());
        assertEquals(1, was.holders().size(), "lost with more than one holder");
        losses++;
        acknowledged.get(i).clear();
        int partition = i;
        is.holders().forEach(it -> data.get(it).get(partition).clear());
      }
      assertFollows(was, is, command);
      assertSound(i, is);
    }
  }

  private void assertFollows(Assignment was, Assignment is, TableCommand command) {
    if (is.version() == was.version()) {
      assertEquals(was, is);
      return;
    }
    assertEquals(table.epoch(), is.version());
    boolean isLost = is.lost() > was.lost();
    boolean isBack = command instanceof Join join && join.node().equals(is.owner());
    boolean isOtherOwner = isLost || isBack || !Objects.equals(was.owner(), is.owner());
    assertEquals(isOtherOwner ? table.epoch() : was.ownerSince(), is.ownerSince());
    if (isOtherOwner && is.isReleased()) {
      assertTrue(
          command instanceof HandOver || isBack || was.holders().isEmpty(),
          "released by " + command);
    }
    if (command instanceof Held || command instanceof HandOver || command instanceof Place) {
      int least = Math.min(was.holders().size(), table.copies());
      assertTrue(is.holders().size() >= least, command + ": " + was + " to " + is);
    }
    if (!was.holders().isEmpty() && !isLost) {
      assertTrue(!is.holders().isEmpty(), "no holder and not lost");
    }
  }

  private void assertSound(int partition, Assignment it) {
    assertTrue(it.holders().size() <= settings.replicas() + 1, it.toString());
    assertTrue(it.targets().size() <= settings.replicas(), it.toString());
    for (NodeId target : it.targets()) {
      TableMember member = table.member(target);
      assertTrue(member != null && member.state() != State.FAILED, target + " of " + it);
    }
    for (NodeId holder : it.holders()) {
      TableMember member = table.member(holder);
      assertTrue(member != null, holder + " of " + it);
      assertTrue(member.state() != State.FAILED || it.holders().size() == 1, it.toString());
      if (isAsKnown(holder)) {
        assertTrue(
            data.get(holder).get(partition).containsAll(acknowledged.get(partition)),
            () -> holder + " lacks a write of partition " + partition + ": " + it);
      }
    }
  }

  /** When all are back and the owners do their part, everything comes to where it is to be. */
  private void settle() {
    nodes.forEach(it -> apply(join(it)));
    apply(new Place(nodes.get(0), table.epoch(), policy.place(table.placement())));
    for (int round = 0; round < 40; round++) {
      nodes.forEach(it -> copy(it).forEach(this::apply));
      IntStream.range(0, PARTITIONS).forEach(this::write);
      nodes.forEach(it -> handOver(it).forEach(this::apply));
    }
    for (Assignment it : table.assignments()) {
      assertTrue(it.isSettled(), it.toString());
      assertEquals(settings.replicas(), it.holders().size());
    }
  }

  @Test
  void noAcknowledgedWriteIsLostUncounted() {
    for (long seed = 1; seed <= 40; seed++) {
      try {
        begin(seed);
        apply(join(any()));
        for (int i = 0; i < 500; i++) {
          step();
        }
        assertEquals(table, Table.read(new WireReader(table.encode())));
        settle();
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(writes > 10_000, "writes: " + writes);
    assertTrue(losses > 50, "losses that were counted: " + losses);
  }
}
