// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.dht.KeeperMessage.Tallied;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A ring as its operators see it. */
final class OpenDhtAdmin implements DhtAdmin {
  /** How long members have to say what they have. */
  private static final Duration TALLY = Duration.ofSeconds(2);

  private static final Duration ABANDON = Duration.ofSeconds(6);

  /** How long a node may take to be a member again. */
  private static final Duration JOIN = Duration.ofSeconds(30);

  private static final long POLL_MILLIS = 50;

  /** How long to compare all copies may take. */
  private static final Duration REPAIR = Duration.ofMinutes(9);

  private final String name;
  private final DhtSetting setting;
  private final Supplier<@Nullable NodeRing> ring;
  private final OpenDht dht;

  OpenDhtAdmin(String name, DhtSetting setting, Supplier<@Nullable NodeRing> ring, OpenDht dht) {
    this.name = name;
    this.setting = setting;
    this.ring = ring;
    this.dht = dht;
  }

  @Override
  public CompletionStage<RingView> ring() {
    return dht.with((here, future) -> here.mode().ring(it -> here.node().complete(future, it)));
  }

  @Override
  public CompletionStage<List<Range>> ranges() {
    return dht.with((here, future) -> here.mode().ranges(it -> here.node().complete(future, it)));
  }

  /** What all members say that do so in time; null of the others. */
  private CompletionStage<SortedMap<NodeId, @Nullable Tallied>> tally() {
    return dht.<SortedMap<NodeId, @Nullable Tallied>>with(
        (here, future) -> here.mode().seats(seats -> tally(here, seats, future)),
        setting.timeout().plus(TALLY));
  }

  private static void tally(
      OpenDht.Here here,
      List<Seat> seats,
      CompletableFuture<SortedMap<NodeId, @Nullable Tallied>> future) {
    SortedMap<NodeId, @Nullable Tallied> said = new TreeMap<>();
    seats.forEach(it -> said.put(it.node(), null));
    Runnable end = () -> here.node().complete(future, new TreeMap<>(said));
    if (seats.isEmpty()) {
      end.run();
      return;
    }
    // Whoever has not answered by then is told without.
    var unused =
        new CompletableFuture<Boolean>()
            .completeOnTimeout(true, TALLY.toMillis(), TimeUnit.MILLISECONDS)
            .thenRun(() -> here.node().execute(end));
    for (Seat seat : seats) {
      here.mode()
          .tally(
              seat,
              (from, tallied) -> {
                said.put(from.node(), tallied);
                if (!said.containsValue(null)) {
                  end.run();
                }
              },
              System.nanoTime());
    }
  }

  @Override
  public CompletionStage<List<Load>> balance() {
    return ring()
        .thenCombine(
            tally(),
            (view, tallies) -> {
              Map<NodeId, Double> shares =
                  view.places().stream()
                      .collect(
                          Collectors.toMap(
                              RingView.Place::node, RingView.Place::share, Double::sum));
              List<Load> loads = new ArrayList<>();
              tallies.forEach(
                  (node, it) -> {
                    if (it != null) {
                      loads.add(
                          new Load(
                              node,
                              shares.getOrDefault(node, -1.0),
                              it.keys(),
                              it.bytes(),
                              it.owned(),
                              it.moving()));
                    }
                  });
              return loads;
            });
  }

  @Override
  public CompletionStage<List<String>> check() {
    return tally()
        .thenApply(
            tallies -> {
              List<String> problems = new ArrayList<>();
              NodeId self = dht.view().self();
              if (!tallies.containsKey(self)) {
                // Nobody else knows why this node is no member.
                dht.glanceProblems().forEach(problem -> problems.add(self + ": " + problem));
              }
              tallies.forEach(
                  (node, it) -> {
                    if (it == null) {
                      problems.add(node + " does not answer");
                    } else {
                      it.problems().forEach(problem -> problems.add(node + ": " + problem));
                    }
                  });
              return problems;
            });
  }

  @Override
  public CompletionStage<Void> leave() {
    NodeRing present = ring.get();
    CompletableFuture<Boolean> left =
        present == null ? null : present.leave(setting.leaving().toNanos());
    if (left == null) {
      return CompletableFuture.failedStage(
          refused(Reason.UNAVAILABLE, "ring " + name + " does not run on this node"));
    }
    return left.thenApply(
        isDone -> {
          if (!isDone) {
            throw refused(
                Reason.UNAVAILABLE,
                "ring %s: this node has not left within %d s, and goes on to (dht:check)"
                    .formatted(name, setting.leaving().toSeconds()));
          }
          return null;
        });
  }

  @Override
  public CompletionStage<Void> join() {
    long deadline = System.nanoTime() + JOIN.toNanos();
    return dht.<Boolean>with(
            (here, future) -> {
              here.mode().join();
              here.node().complete(future, true);
            })
        .thenCompose(it -> untilMember(deadline));
  }

  /** It may be another life that is. */
  private CompletionStage<Void> untilMember(long deadline) {
    NodeRing present = ring.get();
    if (present != null && present.glance().view().isMember()) {
      return CompletableFuture.completedStage(null);
    } else if (System.nanoTime() > deadline) {
      return CompletableFuture.failedStage(
          refused(
              Reason.TIMEOUT,
              "ring %s: this node is no member after %d s, and goes on to join (dht:check)"
                  .formatted(name, JOIN.toSeconds())));
    }
    return CompletableFuture.runAsync(
            () -> {}, CompletableFuture.delayedExecutor(POLL_MILLIS, TimeUnit.MILLISECONDS))
        .thenCompose(it -> untilMember(deadline));
  }

  @Override
  public CompletionStage<Void> abandon(NodeId node) {
    return dht.<String>with(
            (here, future) ->
                here.mode()
                    .abandon(
                        node, why -> here.node().execute(() -> here.node().complete(future, why))),
            ABANDON)
        .thenApply(
            why -> {
              if (!why.isEmpty()) {
                throw refused(Reason.CONFLICT, "ring %s: %s".formatted(name, why));
              }
              return null;
            });
  }

  @Override
  public CompletionStage<Long> repair() {
    return dht.with(
        (here, future) -> here.mode().repair(it -> here.node().complete(future, it)), REPAIR);
  }
}
