// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.Successor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Somebody at a shell who has the group go to next segments: other protocols, other members, the
 * same again; and who stops bundles of protocols and starts them again. Asks any node, at any time,
 * and does not wait for one swap to end before asking for the next.
 */
final class Operator {
  private static final long MILLIS = 1_000_000;

  private final World world;
  private final SortedMap<NodeId, SimulatedNode> nodes;
  private final SortedMap<NodeId, Address> addresses;
  private final List<String> protocols;
  private final Judge judge;
  private final long meanNanos;
  private final boolean changesMembers;
  private final boolean stopsBundles;
  private final RandomGenerator random;
  private boolean over;

  /**
   * An operator who has not begun.
   *
   * @param nodes those that are up, kept current by others
   * @param addresses of every computer there is
   * @param setting says how often, and what
   */
  Operator(
      World world,
      SortedMap<NodeId, SimulatedNode> nodes,
      SortedMap<NodeId, Address> addresses,
      List<String> protocols,
      Judge judge,
      ClusterSetting setting) {
    this.world = world;
    this.nodes = nodes;
    this.addresses = addresses;
    this.protocols = List.copyOf(protocols);
    this.judge = judge;
    this.meanNanos = setting.swapMillis() * MILLIS;
    this.changesMembers = setting.spares() > 0;
    this.stopsBundles = setting.stopsBundles();
    this.random = world.random("operator");
  }

  /** Begins, if this cluster is to see swaps at all. */
  void begin() {
    if (meanNanos > 0) {
      next();
    }
  }

  /** Asks for nothing more. */
  void end() {
    over = true;
  }

  private void next() {
    long wait = (long) (-Math.log(1 - random.nextDouble()) * meanNanos);
    world.after(
        wait,
        "operator",
        () -> {
          if (!over) {
            act();
            next();
          }
        });
  }

  private void act() {
    var all = new ArrayList<>(nodes.values());
    all.removeIf(node -> !node.isUp());
    if (all.isEmpty()) {
      return;
    }
    var node = all.get(random.nextInt(all.size()));
    if (stopsBundles && random.nextInt(4) == 0) {
      stopBundle(node);
    } else {
      swap(node);
    }
  }

  private void stopBundle(SimulatedNode node) {
    var protocol = protocols.get(random.nextInt(protocols.size()));
    world.sighted("bundle stopped");
    node.provide(protocol, false);
    node.process()
        .after(
            random.nextLong(1, 3_000) * MILLIS, "start bundle", () -> node.provide(protocol, true));
  }

  private void swap(SimulatedNode node) {
    var successor = draw(node.status());
    if (successor == null) {
      return;
    }
    var deadline = Duration.ofMillis(random.nextLong(50, 8_000));
    var unused =
        node.swap(successor, deadline)
            .whenComplete(
                (swap, failure) -> {
                  if (!node.isUp()) {
                    return;
                  }
                  if (swap != null) {
                    judge.swapped(swap);
                    world.sighted("swap to " + swap.protocol());
                  } else {
                    failed(failure);
                  }
                });
  }

  private void failed(Throwable failure) {
    var cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof CoordinationException refusal) {
      boolean unknown = refusal.outcome() == Outcome.MAY_HAVE_HAPPENED;
      world.sighted("swap failed: " + refusal.reason() + (unknown ? ", outcome unknown" : ""));
    } else {
      judge.fail(failure);
    }
  }

  private @Nullable Successor draw(@Nullable GroupStatus status) {
    if (status == null || !changesMembers || random.nextInt(2) == 0) {
      return random.nextInt(5) == 0
          ? Successor.same()
          : Successor.of(protocols.get(random.nextInt(protocols.size())), new TreeMap<>());
    }
    var absent = new TreeMap<>(addresses);
    absent.keySet().removeAll(status.members().keySet());
    int count = status.members().size();
    if (!absent.isEmpty() && (count < 3 || random.nextBoolean())) {
      var joining = List.copyOf(absent.keySet()).get(random.nextInt(absent.size()));
      return Successor.adding(joining, addresses.get(joining));
    }
    return count < 2
        ? null
        : Successor.removing(List.copyOf(status.members().keySet()).get(random.nextInt(count)));
  }
}
