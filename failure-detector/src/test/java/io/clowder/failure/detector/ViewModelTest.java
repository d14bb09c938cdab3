// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.failure.ClusterView;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Random entries, and after each of them what must hold. */
class ViewModelTest {
  private static final int SEEDS = 300;
  private static final int ENTRIES = 200;

  @Test
  void everyEntryKeepsTheRules() throws IOException {
    for (int seed = 0; seed < SEEDS; seed++) {
      Run run = new Run(seed);
      for (int i = 0; i < ENTRIES; i++) {
        run.step();
      }
    }
  }

  /** What was said, kept in the plainest way. */
  private static final class Run {
    final String name;
    final Random random;
    final int size;
    final List<ClusterView> told = new ArrayList<>();
    final ViewMachine machine = new ViewMachine(told::add);
    long position;
    int segment = -1;
    SortedSet<NodeId> members = new TreeSet<>();
    final Map<NodeId, Set<NodeId>> words = new HashMap<>();
    final Map<NodeId, Long> lives = new HashMap<>();

    Run(int seed) {
      name = "seed " + seed;
      random = new Random(seed);
      size = 1 + random.nextInt(8);
    }

    void step() throws IOException {
      ClusterView before = machine.state().view();
      position += 1 + random.nextInt(3);
      Entry entry = entry();
      byte[] copy = bytes(machine);
      final Map<NodeId, Integer> accused = new HashMap<>();
      members.forEach(node -> accused.put(node, accusers(node)));
      final byte[] result = machine.apply(entry);
      ClusterView after = machine.state().view();
      silence(after, accused);

      boolean isSame =
          after.members().equals(before.members()) && after.removed().equals(before.removed());
      assertEquals(before.number() + (isSame ? 0 : 1), after.number(), name);
      assertEquals(isSame ? before.position() : position, after.position(), name);
      assertEquals(after.number(), told.size(), name);
      assertEquals(0, result.length, name);
      isWhole(after);
      isJustified(before, after, accused);
      isStable(after);
      agrees(copy, entry, result);
    }

    private Entry entry() {
      int chance = random.nextInt(20);
      if (chance == 0 || members.isEmpty()) {
        return roster();
      } else if (chance == 1) {
        NodeId node = any();
        words.remove(node);
        return new Entry(Entry.Kind.SESSION_ENDED, position, 0, session(node), new byte[0]);
      }
      return opinion();
    }

    private Entry roster() {
      int next = segment + random.nextInt(3) - 1;
      SortedSet<NodeId> nodes = new TreeSet<>();
      while (nodes.isEmpty()) {
        for (int i = 0; i < size; i++) {
          if (random.nextInt(4) > 0) {
            nodes.add(node(i));
          }
        }
      }
      if (Math.max(0, next) > segment) {
        segment = Math.max(0, next);
        members = nodes;
        words.keySet().retainAll(nodes);
        lives.keySet().retainAll(nodes);
        words.values().forEach(said -> said.retainAll(nodes));
      }
      return command(1, new ViewRequest.Roster(Math.max(0, next), nodes));
    }

    private Entry opinion() {
      NodeId observer = any();
      long life = 1 + random.nextInt(4) + position / 100;
      SortedMap<NodeId, Long> suspects = new TreeMap<>();
      int density = 1 + random.nextInt(4);
      for (int i = 0; i < size; i++) {
        if (random.nextInt(density + 1) == 0) {
          suspects.put(node(i), (long) random.nextInt(3));
        }
      }
      if (members.contains(observer) && life >= lives.getOrDefault(observer, 0L)) {
        lives.put(observer, life);
        Set<NodeId> said = new HashSet<>(suspects.keySet());
        said.retainAll(members);
        said.remove(observer);
        if (machine.state().removed().contains(observer)) {
          said.clear();
        }
        words.put(observer, said);
      }
      return command(session(observer), new ViewRequest.Opinion(observer, life, suspects));
    }

    /** Those that are out have nothing said, nor those that were for a moment. */
    private void silence(ClusterView after, Map<NodeId, Integer> accused) {
      after.removed().forEach(words::remove);
      for (NodeId node : members) {
        ViewState.Stance stance = machine.state().stances().get(node);
        Set<NodeId> heard = stance == null ? Set.of() : stance.suspects().keySet();
        Set<NodeId> said = words.getOrDefault(node, Set.of());
        if (heard.isEmpty() && !said.isEmpty()) {
          assertTrue(accused.get(node) >= 2, name);
          words.remove(node);
        } else {
          assertEquals(said, heard, name);
        }
      }
    }

    private void isWhole(ClusterView view) {
      SortedSet<NodeId> all = new TreeSet<>(view.members());
      all.addAll(view.removed());
      assertEquals(members, all, name);
      assertEquals(members.size(), view.members().size() + view.removed().size(), name);
      assertTrue(members.isEmpty() || 2 * view.members().size() > members.size(), name);
    }

    /** Who left was suspected by two, and somebody in the view keeps it out still. */
    private void isJustified(ClusterView before, ClusterView after, Map<NodeId, Integer> accused) {
      for (NodeId node : after.removed()) {
        assertTrue(accusers(node) > 0, name);
        assertTrue(before.removed().contains(node) || accused.get(node) >= 2, name);
      }
    }

    /** Nobody is left who should have gone, had there been room. */
    private void isStable(ClusterView view) {
      boolean isFull = view.removed().size() == (members.size() - 1) / 2;
      for (NodeId node : view.members()) {
        assertTrue(isFull || accusers(node) < 2, name);
      }
    }

    private int accusers(NodeId node) {
      return (int) words.values().stream().filter(said -> said.contains(node)).count();
    }

    /** Another replica that is given the state before the entry comes to the same. */
    private void agrees(byte[] before, Entry entry, byte[] result) throws IOException {
      ViewMachine other = new ViewMachine(view -> {});
      other.restore(new ByteArrayInputStream(before));
      assertArrayEquals(result, other.apply(entry), name);
      assertEquals(machine.state(), other.state(), name);
      assertArrayEquals(bytes(machine), bytes(other), name);
    }

    private Entry command(long session, ViewRequest request) {
      return new Entry(Entry.Kind.COMMAND, position, 0, session, request.encode());
    }

    private NodeId any() {
      return node(random.nextInt(size));
    }

    private static NodeId node(int index) {
      return new NodeId("n" + index);
    }

    private static long session(NodeId node) {
      return node.hashCode();
    }

    private static byte[] bytes(ViewMachine machine) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      machine.snapshot().writeTo(out);
      return out.toByteArray();
    }
  }
}
