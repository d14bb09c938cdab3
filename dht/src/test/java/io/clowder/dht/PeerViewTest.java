// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a node of a ring tells of it. */
class PeerViewTest {
  private static final int NODES = 12;
  private static final NodeId SELF = PeerWorld.node(1);
  private static final TableSettings SETTINGS =
      new TableSettings(16, PeerWorld.REPLICAS, Identifier.SHA_1);

  private final PeerWorld peers =
      new PeerWorld(1, RingSettings.USUAL.withSuccessors(4), KeeperSettings.USUAL, true);

  private PeerView view() {
    return view(SELF);
  }

  private PeerView view(NodeId at) {
    PeerWorld.Node node = peers.up(at);
    return new PeerView("main", SETTINGS, node.shelf, node.keeper);
  }

  /** What is told in time. */
  private <T> T told(Consumer<Consumer<T>> question) {
    List<T> answers = new ArrayList<>();
    peers.world.computer(SELF).onIt(0, () -> question.accept(answers::add));
    peers.world.run(5 * KeeperWorld.SECOND);
    assertEquals(1, answers.size());
    return answers.get(0);
  }

  private void found() {
    peers.found(NODES);
    peers.world.run(20 * KeeperWorld.SECOND);
    assertEquals(null, peers.ringFlaw());
  }

  @Test
  void whoAsksItsWayRoundMeetsAll() {
    found();
    Set<NodeId> all =
        peers.members().stream().map(it -> it.seat().node()).collect(Collectors.toSet());
    assertEquals(NODES, all.size());
    RingView ring = told(then -> view().all(false, then));
    assertEquals(all, ring.places().stream().map(RingView.Place::node).collect(Collectors.toSet()));
    double shares = ring.places().stream().mapToDouble(RingView.Place::share).sum();
    assertEquals(1, shares, 1e-6);
    List<Seat> seats = told(then -> view().seats(then));
    Set<Seat> present =
        peers.members().stream().map(PeerWorld.Node::seat).collect(Collectors.toSet());
    assertEquals(NODES, seats.size());
    assertEquals(present, new HashSet<>(seats));
    List<Range> ranges = told(then -> view().ranges(then));
    assertEquals(NODES, ranges.size());
    for (Range range : ranges) {
      List<NodeId> keepers = new ArrayList<>(List.of(range.owner()));
      keepers.addAll(range.replicas());
      List<NodeId> right =
          peers.keepers(Identifier.parse(range.upTo())).stream()
              .map(it -> it.seat().node())
              .toList();
      assertEquals(right, keepers);
      assertTrue(range.isWhole());
    }
  }

  @Test
  void whatItKnowsByItself() {
    found();
    RingView known = view().known(true);
    assertTrue(known.isMember());
    assertEquals(4, known.successors().size());
    for (RingView.Place place : known.places()) {
      assertEquals(place.node().equals(SELF) ? "leaving" : "member", place.state());
      assertEquals(place.node().equals(SELF), place.share() >= 0);
    }
    Range owned = view().owned().get(0);
    assertEquals(SELF, owned.owner());
    assertEquals(PeerWorld.id(SELF).toString(), owned.upTo());
    assertTrue(owned.isWhole());
    @Nullable LookupResult result = told(then -> view().lookup(PeerLoad.id("k"), then));
    assertEquals(
        peers.keepers(PeerLoad.id("k")).get(0).seat().node(),
        Objects.requireNonNull(result).owner());
    assertEquals(PeerWorld.REPLICAS - 1, result.replicas().size());
  }

  @Test
  void whoIsOnNoRingKnowsItself() {
    peers.found(NODES);
    NodeId outside = PeerWorld.node(NODES + 1);
    peers.add(outside).start();
    PeerView view = view(outside);
    RingView known = view.known(false);
    assertEquals(List.of(outside), known.places().stream().map(RingView.Place::node).toList());
    assertEquals(-1, known.places().get(0).share());
    assertEquals(List.of(), view.owned());
  }
}
