// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockSession;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * In the end, when nobody wants a lock any more, each node must come to see that all are free, that
 * no bundle holds or waits, and that no bundle is listed that has stopped.
 */
final class LockAudit {
  private static final int LIMIT = 1_000;

  private final SortedMap<NodeId, String> left = new TreeMap<>();
  private final Collection<SimulatedNode> nodes;
  private final Contest contest;

  /**
   * An audit that has not begun.
   *
   * @param nodes that are asked, all of them members
   */
  LockAudit(Collection<SimulatedNode> nodes, Contest contest) {
    this.nodes = List.copyOf(nodes);
    this.contest = contest;
  }

  /** Asks each node again and again. */
  void begin() {
    nodes.forEach(
        node -> {
          left.put(node.id(), "no answer");
          look(node);
        });
  }

  /** Whether every node has seen it. */
  boolean isOver() {
    return left.isEmpty();
  }

  /** What is there that should not be, by node. */
  @Override
  public String toString() {
    return left.toString();
  }

  private void look(SimulatedNode node) {
    var calls = new LockCalls(node.process(), contest.judge);
    Runnable again = () -> calls.after(100, "audit", () -> look(node));
    calls.follow(
        node.locks().list("", null, LIMIT),
        Set.of(),
        locks ->
            calls.follow(
                node.locks().sessions(LIMIT),
                Set.of(),
                sessions -> {
                  String found = problems(locks, sessions);
                  if (found.isEmpty()) {
                    left.remove(node.id());
                  } else {
                    left.put(node.id(), found);
                    again.run();
                  }
                },
                reason -> again.run()),
        reason -> again.run());
  }

  private String problems(List<LockInfo> locks, List<LockSession> sessions) {
    List<String> found = new ArrayList<>();
    for (var lock : locks) {
      if (!SimulatedNode.isOwnLock(lock.name())) {
        found.add(lock.toString());
      }
    }
    for (var session : sessions) {
      for (var node : nodes) {
        boolean isOwn = session.bundle().equals(SimulatedNode.BUNDLE);
        if (node.id().equals(session.node()) && !isOwn) {
          boolean hasStopped = !node.bundles().contains(session.bundle());
          if (hasStopped || session.holds() + session.waits() > 0) {
            found.add((hasStopped ? "has stopped: " : "") + session);
          }
        }
      }
    }
    return String.join(", ", found);
  }
}
