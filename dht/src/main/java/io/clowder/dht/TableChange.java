// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
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
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one command makes of a table. What keeps data: a node becomes a holder only by the word of
 * the owner that it has all, or where nobody has anything; the last holder goes only if it has
 * nothing any more, or an operator gives it up, and both are counted; whoever owns is a holder. So
 * a write that all holders have is on whoever owns next.
 */
final class TableChange {
  private final Table before;
  private final long epoch;
  private final SortedMap<NodeId, TableMember> members;
  private final Map<Integer, Assignment> changed = new HashMap<>();
  private boolean isPlacementDue;

  /** How many nodes are to keep each partition, as there are candidates. */
  private int copies;

  private TableChange(Table before) {
    this.before = before;
    epoch = before.epoch() + 1;
    members = new TreeMap<>(before.members());
    isPlacementDue = before.isPlacementDue();
    copies = before.copies();
  }

  /** Either the next table, the same if nothing is another, or why the command is refused. */
  record Outcome(Table table, String refusal) {
    boolean isAccepted() {
      return refusal.isEmpty();
    }
  }

  static Outcome of(Table before, TableCommand command) {
    TableChange change = new TableChange(before);
    String refusal = change.apply(command);
    return refusal == null ? new Outcome(change.table(), "") : new Outcome(before, refusal);
  }

  /** Returns why not; null if it is done. */
  private @Nullable String apply(TableCommand command) {
    if (command instanceof Join it) {
      return join(it);
    } else if (command instanceof Leave it) {
      return leave(it);
    } else if (command instanceof Fail it) {
      return fail(it);
    } else if (command instanceof Place it) {
      return place(it);
    } else if (command instanceof Held it) {
      return hold(it);
    } else if (command instanceof HandOver it) {
      return handOver(it);
    } else if (command instanceof Remove it) {
      return remove(it.node());
    }
    throw new AssertionError("cannot apply " + command.getClass());
  }

  private Table table() {
    removeUnneeded();
    boolean isSame =
        changed.isEmpty()
            && members.equals(before.members())
            && isPlacementDue == before.isPlacementDue();
    return isSame
        ? before
        : new Table(
            epoch,
            before.settings(),
            members,
            changed.isEmpty() ? before.assignments() : before.assignments().with(changed),
            isPlacementDue);
  }

  /** Who leaves or has failed is a member for what it holds, or is to hold. */
  private void removeUnneeded() {
    Set<NodeId> unneeded = new HashSet<>();
    members.values().stream()
        .filter(it -> !it.isCandidate())
        .forEach(it -> unneeded.add(it.node()));
    for (int i = 0; i < partitions() && !unneeded.isEmpty(); i++) {
      Assignment it = at(i);
      it.holders().forEach(unneeded::remove);
      it.targets().forEach(unneeded::remove);
    }
    members.keySet().removeAll(unneeded);
  }

  private int partitions() {
    return before.settings().partitions();
  }

  private Assignment at(int partition) {
    Assignment next = changed.get(partition);
    return next == null ? before.assignment(partition) : next;
  }

  private @Nullable String join(Join it) {
    TableMember known = members.get(it.node());
    if (!it.settings().equals(before.settings())) {
      return "the ring has " + before.settings() + ", not " + it.settings();
    } else if (known == null && members.size() == Table.MEMBERS_MAX) {
      return "the ring has " + Table.MEMBERS_MAX + " members already";
    } else if (known != null && known.life() != it.life() && known.life() != it.former()) {
      // Of two lives nobody can say which is the later one, but that one knew of the other.
      return it.node() + " is a member in a life that this one did not know of";
    }
    TableMember next =
        new TableMember(it.node(), it.life(), it.domain(), it.weight(), State.MEMBER);
    put(next);
    isPlacementDue |= !next.equals(known);
    for (int i = 0; i < partitions() && known != null; i++) {
      if (known.life() != it.life()) {
        takeOut(i, it.node(), true);
      } else if (it.node().equals(at(i).owner())) {
        renew(i);
      }
    }
    return null;
  }

  /** What an owner that comes back gives is newer than all that it gave before, known or not. */
  private void renew(int partition) {
    Assignment now = at(partition);
    changed.put(
        partition,
        new Assignment(epoch, now.holders(), now.targets(), epoch, now.isReleased(), now.lost()));
  }

  private @Nullable String leave(Leave it) {
    TableMember known = members.get(it.node());
    if (known == null || known.life() != it.life()) {
      return it.node() + " is no member in this life";
    }
    put(known.with(State.LEAVING));
    isPlacementDue |= known.isCandidate();
    return null;
  }

  private @Nullable String fail(Fail it) {
    TableMember known = members.get(it.node());
    if (known == null || known.life() != it.life()) {
      return it.node() + " is no member in this life";
    } else if (!isTrusted(it.by())) {
      return it.by() + " cannot say so";
    }
    put(known.with(State.FAILED));
    isPlacementDue |= known.isCandidate();
    for (int i = 0; i < partitions(); i++) {
      takeOut(i, it.node(), false);
    }
    return null;
  }

  private @Nullable String remove(NodeId node) {
    TableMember known = members.get(node);
    if (known == null || known.state() != State.FAILED) {
      return node + " is no member that failed";
    }
    members.remove(node);
    for (int i = 0; i < partitions(); i++) {
      takeOut(i, node, true);
    }
    return null;
  }

  private void put(TableMember member) {
    members.put(member.node(), member);
    copies = Table.copies(before.settings(), members);
  }

  private boolean isTrusted(NodeId node) {
    TableMember member = members.get(node);
    return member != null && member.state() != State.FAILED;
  }

  /** Whether a node may speak as an owner, in this life. */
  private boolean isTrusted(NodeId node, long life) {
    TableMember member = members.get(node);
    return member != null && member.state() != State.FAILED && member.life() == life;
  }

  /**
   * A node neither has a partition nor gets it.
   *
   * @param isVoid whether what it has is gone. If not, it stays the holder if it is the last: only
   *     it has what was acknowledged
   */
  private void takeOut(int partition, NodeId node, boolean isVoid) {
    Assignment it = at(partition);
    if (!it.concerns(node)) {
      return;
    }
    List<NodeId> targets = without(it.targets(), node);
    boolean isLast = it.holders().size() == 1 && it.holders().contains(node);
    if (isLast && isVoid) {
      put(partition, targets, targets, epoch, false);
    } else if (isLast) {
      put(partition, it.holders(), targets, it.lost(), false);
    } else {
      List<NodeId> holders = without(it.holders(), node);
      boolean isOwner = node.equals(it.owner());
      put(partition, isOwner ? heirs(holders, targets) : holders, targets, it.lost(), false);
    }
  }

  private static List<NodeId> without(List<NodeId> nodes, NodeId node) {
    return nodes.stream().filter(it -> !it.equals(node)).toList();
  }

  /** All of them have all, so who is to own it anyway comes first. */
  private static List<NodeId> heirs(List<NodeId> holders, List<NodeId> targets) {
    List<NodeId> heirs = new ArrayList<>(targets);
    heirs.retainAll(holders);
    holders.stream().filter(it -> !targets.contains(it)).forEach(heirs::add);
    return heirs;
  }

  private @Nullable String place(Place it) {
    if (!isTrusted(it.by())) {
      return it.by() + " is no member that may place";
    } else if (it.epoch() != before.epoch()) {
      return "the placement is of epoch " + it.epoch() + ", not of " + before.epoch();
    } else if (it.targets().size() != partitions()) {
      return it.targets().size() + " partitions are placed, not " + partitions();
    }
    for (int i = 0; i < partitions(); i++) {
      List<NodeId> targets = it.targets().get(i);
      if (targets.size() != copies || new HashSet<>(targets).size() != copies) {
        return "partition " + i + " is not placed on " + copies + " nodes: " + targets;
      }
      for (NodeId target : targets) {
        if (!isCandidate(target)) {
          return "partition " + i + " is placed on " + target + ", which is no candidate";
        }
      }
    }
    isPlacementDue = false;
    for (int i = 0; i < partitions(); i++) {
      Assignment now = at(i);
      List<NodeId> targets = it.targets().get(i).stream().map(this::known).toList();
      boolean isEmpty = now.holders().isEmpty();
      put(i, isEmpty ? targets : now.holders(), targets, now.lost(), now.isReleased());
    }
    return null;
  }

  private boolean isCandidate(NodeId node) {
    TableMember member = members.get(node);
    return member != null && member.isCandidate();
  }

  /** One object for each name, in 65,536 lists. */
  private NodeId known(NodeId node) {
    TableMember member = members.get(node);
    return member == null ? node : member.node();
  }

  /** Several copies of one partition may come under the same version: it is the one before. */
  private @Nullable String hold(Held it) {
    if (!isTrusted(it.by(), it.life())) {
      return it.by() + " is no member in this life";
    }
    boolean isAny = false;
    for (Copy copy : it.copies()) {
      if (isActedBy(it.by(), copy.partition(), copy.version()) && isJoining(copy)) {
        hold(copy.partition(), known(copy.node()));
        isAny = true;
      }
    }
    return isAny ? null : "nothing of it is of the present versions";
  }

  private boolean isActedBy(NodeId node, int partition, long version) {
    return partition < partitions()
        && before.assignment(partition).version() == version
        && node.equals(before.assignment(partition).owner());
  }

  private boolean isJoining(Copy copy) {
    Assignment now = at(copy.partition());
    return isCandidate(copy.node())
        && now.targets().contains(copy.node())
        && !now.holders().contains(copy.node());
  }

  /** Whoever is not to hold it makes room, so that there are no more than one too many. */
  private void hold(int partition, NodeId node) {
    Assignment now = at(partition);
    List<NodeId> holders = new ArrayList<>(now.holders());
    holders.add(node);
    for (int i = holders.size() - 1; i > 0 && holders.size() > before.settings().replicas(); i--) {
      if (!now.targets().contains(holders.get(i))) {
        holders.remove(i);
      }
    }
    put(partition, holders, now.targets(), now.lost(), now.isReleased());
  }

  private @Nullable String handOver(HandOver it) {
    if (!isTrusted(it.by(), it.life())) {
      return it.by() + " is no member in this life";
    }
    boolean isAny = false;
    for (Part part : it.parts()) {
      if (isActedBy(it.by(), part.partition(), part.version())) {
        Assignment now = at(part.partition());
        if (!now.isSettled() && isComplete(now.holders(), now.targets())) {
          put(part.partition(), now.targets(), now.targets(), now.lost(), true);
          isAny = true;
        }
      }
    }
    return isAny ? null : "nothing of it is of the present versions, or all there";
  }

  /** Fewer targets than there may be are what a failure left: a copy too few is not given up. */
  private boolean isComplete(List<NodeId> holders, List<NodeId> targets) {
    return !targets.isEmpty() && targets.size() >= copies && holders.containsAll(targets);
  }

  /**
   * Assigns a partition; those that are not to hold it go as soon as all are there that are, if the
   * owner stays.
   *
   * @param isReleased if it gets another owner
   */
  private void put(
      int partition, List<NodeId> holders, List<NodeId> targets, long lost, boolean isReleased) {
    Assignment was = before.assignment(partition);
    boolean isOver = isComplete(holders, targets) && holders.get(0).equals(targets.get(0));
    List<NodeId> next = isOver ? targets : holders;
    boolean isSameOwner =
        lost == was.lost() && Objects.equals(next.isEmpty() ? null : next.get(0), was.owner());
    Assignment assignment =
        new Assignment(
            epoch,
            next,
            targets,
            isSameOwner ? was.ownerSince() : epoch,
            isSameOwner ? was.isReleased() : isReleased,
            lost);
    if (!next.equals(was.holders()) || !targets.equals(was.targets()) || lost != was.lost()) {
      changed.put(partition, assignment);
    }
  }
}
