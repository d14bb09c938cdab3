// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people are told of a group on this node: the one answer to "why is it stuck?". */
final class Health {
  private static final Logger log = LoggerFactory.getLogger(Health.class);
  private static final long SECOND = 1_000_000_000L;
  private static final int MIB = 1 << 20;

  private final GroupSetting setting;
  private final Node node;
  private final Transport transport;

  /** Why the replica will not come back by itself; empty if it may. */
  String broken = "";

  /** Why the replica could not be opened last time. */
  String opening = "";

  /** Why the last snapshot was not made. */
  String snapshot = "";

  /** Why the leader takes nothing, in its words. */
  String leader = "";

  /** Whether the others know this node by another directory. */
  boolean stranger;

  /** Why this node does without a stand-by; empty if it does not. */
  String standBy = "";

  /** What the others said of this node's membership; empty if nothing. */
  String removed = "";

  /** Free bytes of the disk if they are too few, else -1. */
  long freeBytes = -1;

  private long malformedAt;

  Health(GroupSetting setting, Node node, Transport transport) {
    this.setting = setting;
    this.node = node;
    this.transport = transport;
  }

  boolean isDiskLow() {
    return freeBytes >= 0;
  }

  String diskMessage() {
    return "disk: %d MiB free on %s, new work is refused under %d MiB"
        .formatted(freeBytes / MIB, node.id(), setting.reserveBytes() / MIB);
  }

  /** Logs a message that makes no sense, now and then. */
  void malformed(NodeId from, WireFormatException failure, long now) {
    if (now - malformedAt > SECOND) {
      malformedAt = now;
      log.warn("group {}: message of {} ignored: {}", setting.name(), from, failure.getMessage());
    }
  }

  /**
   * What holds progress up, a sentence each.
   *
   * @param open the current segment, null while it is not open
   * @param serves whether any segment is open
   * @param provided the protocols that providers are there for
   */
  List<String> problems(
      long now,
      ReplicatedState state,
      @Nullable OpenSegment open,
      boolean serves,
      Set<String> provided) {
    List<String> problems = new ArrayList<>();
    Segment current = state.current();
    if (!broken.isEmpty()) {
      problems.add(broken);
    } else if (role(state, provided).equals("removed")) {
      problems.add(
          "membership: "
              + (removed.isEmpty() ? node.id() + " is not a member any more" : removed)
              + (serves
                  ? "; it serves until the others have all that it holds: do not stop it yet"
                  : "; stop it, or wipe it and add it again"));
    } else if (open == null && !opening.isEmpty()) {
      problems.add(opening);
    } else if (current == null && setting.joining()) {
      problems.add(
          "membership: "
              + node.id()
              + " waits to be added; on a member: clowder:add "
              + node.id()
              + "="
              + node.members().get(node.id()));
    } else if (current != null && open == null && !provided.contains(current.protocol())) {
      problems.add(
          "bundle: no provider of protocol '"
              + current.protocol()
              + "' is active on "
              + node.id()
              + "; this node takes no part until there is one");
    }
    if (!standBy.isEmpty()) {
      problems.add(standBy);
    }
    if (stranger) {
      problems.add(
          "identity: the cluster knows "
              + node.id()
              + " by another data directory; bring that back, or give this node another name");
    }
    if (isDiskLow()) {
      problems.add(diskMessage());
    }
    if (!leader.isEmpty()) {
      problems.add(leader);
    }
    if (!snapshot.isEmpty()) {
      problems.add(snapshot);
    }
    if (open != null) {
      ofReplica(problems, now, open.replica());
      for (String name : state.absent()) {
        problems.add("bundle: machine '" + name + "' is away; no snapshot can be made");
      }
    }
    for (Transport.Link link : transport.links()) {
      if (!link.up()) {
        String reason = link.problem().isEmpty() ? "" : ": " + link.problem();
        problems.add("peer: " + link.peer() + " is not connected" + reason);
      }
    }
    return problems;
  }

  /** What this node is while the current segment is not open. */
  String role(ReplicatedState state, Set<String> provided) {
    Segment pending = state.pending();
    boolean joins = pending != null && pending.has(node.id());
    Segment current = state.current();
    joins &= current == null || !current.has(node.id());
    if (!joins && (!removed.isEmpty() || (current != null && !current.has(node.id())))) {
      return "removed";
    }
    boolean waits = state.current() == null && setting.joining() && broken.isEmpty();
    if (waits || joins) {
      return "joining";
    }
    boolean opens =
        current != null
            && provided.contains(current.protocol())
            && broken.isEmpty()
            && opening.isEmpty();
    return opens ? "opening" : "down";
  }

  private static void ofReplica(List<String> problems, long now, Replica replica) {
    String waiting = replica.core().view().waiting();
    if (!waiting.isEmpty()) {
      problems.add("quorum: " + waiting);
    }
    long since = replica.journal().writingSince();
    if (since != 0 && now - since > SECOND) {
      problems.add("disk: a sync has not returned for " + (now - since) / SECOND + " s");
    }
  }
}
