// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A ring of mode {@code peer} as one node sees it: what it knows by itself, and what it finds out
 * by asking its way round.
 */
final class PeerView {
  /** How many members a walk round the ring meets at most. */
  private static final int WALK_MAX = 5_000;

  private final String name;
  private final TableSettings settings;
  private final Shelf shelf;
  private final PeerKeeper keeper;
  private final RingNode ring;
  private final NodeId self;

  PeerView(String name, TableSettings settings, Shelf shelf, PeerKeeper keeper) {
    this.name = name;
    this.settings = settings;
    this.shelf = shelf;
    this.keeper = keeper;
    this.ring = keeper.ring();
    this.self = shelf.me.node();
  }

  // ---- what it knows -------------------------------------------------------------------------

  /** The members that this node knows. */
  RingView known(boolean isLeaving) {
    SortedMap<Identifier, Member> known = new TreeMap<>();
    known.put(ring.me().id(), ring.me());
    if (ring.isMember()) {
      add(known, List.of(ring.predecessor()));
      add(known, ring.successors().list());
      ring.fingers().forEach(it -> add(known, it));
    }
    return view(known, false, isLeaving);
  }

  private static void add(SortedMap<Identifier, Member> known, List<Member> members) {
    for (Member member : members) {
      if (!member.isArtificial()) {
        known.put(member.id(), member);
      }
    }
  }

  private RingView view(SortedMap<Identifier, Member> known, boolean isAll, boolean isLeaving) {
    List<RingView.Place> places = new ArrayList<>();
    Identifier before = known.lastKey();
    for (Member member : known.values()) {
      boolean isHere = self.equals(member.node());
      Identifier from = isAll || !isHere ? before : keeper.placement().range().after();
      boolean isShareKnown = ring.isMember() && (isAll || isHere);
      places.add(
          new RingView.Place(
              node(member),
              member.id().toString(),
              "",
              isShareKnown ? share(from, member.id()) : -1,
              isHere && isLeaving ? "leaving" : "member"));
      before = member.id();
    }
    List<NodeId> successors = new ArrayList<>();
    NodeId predecessor = null;
    if (ring.isMember()) {
      keeper.placement().successors().forEach(it -> successors.add(it.node()));
      NodeId previous = ring.predecessor().node();
      predecessor = self.equals(previous) ? null : previous;
    }
    return new RingView(
        name,
        Dht.Mode.PEER,
        0,
        settings.hash(),
        settings.replicas(),
        self,
        ring.isMember(),
        predecessor,
        successors.stream().distinct().toList(),
        places);
  }

  private static NodeId node(Member member) {
    return RingPlacement.seat(member).node();
  }

  /** How much of the ring lies between two points. */
  private static double share(Identifier after, Identifier upTo) {
    return after.equals(upTo) ? 1 : after.distanceTo(upTo).top(31) / (double) (1L << 31);
  }

  /** What this node owns. */
  List<Range> owned() {
    if (!ring.isMember()) {
      return List.of();
    }
    Interval range = keeper.placement().range();
    List<NodeId> replicas = new ArrayList<>();
    keeper.placement().replicas().forEach(it -> replicas.add(it.node()));
    String after = range.after().toString();
    return List.of(new Range(after, range.upTo().toString(), self, replicas, 0, keeper.isWhole()));
  }

  // ---- what it finds out ---------------------------------------------------------------------

  /** As {@link RingMode#lookup}. */
  void lookup(Identifier id, Consumer<@Nullable LookupResult> then) {
    keeper.lookup(id, found -> then.accept(found == null ? null : result(id, found)), shelf.now);
  }

  private LookupResult result(Identifier id, Located found) {
    List<Member> others = found.replicas();
    int copies = Math.min(others.size(), settings.replicas() - 1);
    return new LookupResult(
        id.toString(),
        node(found.owner()),
        nodes(others.subList(0, copies)),
        nodes(found.path()),
        found.timeouts(),
        found.retries(),
        0);
  }

  private static List<NodeId> nodes(List<Member> members) {
    return members.stream().map(Member::node).filter(Objects::nonNull).toList();
  }

  /** All members, as far as they are found. */
  private void walk(Consumer<SortedMap<Identifier, Member>> then) {
    SortedMap<Identifier, Member> found = new TreeMap<>();
    found.put(ring.me().id(), ring.me());
    if (ring.isMember()) {
      walk(found, ring.me().id(), () -> then.accept(found));
    } else {
      then.accept(found);
    }
  }

  /** Asks for the owner of the point after each member that was found, until it is round. */
  private void walk(SortedMap<Identifier, Member> found, Identifier last, Runnable then) {
    keeper.lookup(
        last.next(),
        it -> {
          int before = found.size();
          Identifier next = last;
          if (it != null) {
            List<Member> members = new ArrayList<>(List.of(it.owner()));
            members.addAll(it.replicas());
            for (Member member : members) {
              if (found.containsKey(member.id())) {
                break;
              }
              add(found, List.of(member));
              next = member.id();
            }
          }
          if (found.size() == before || found.size() > WALK_MAX) {
            then.run();
          } else {
            walk(found, next, then);
          }
        },
        shelf.now);
  }

  /** The view of all members. */
  void all(boolean isLeaving, Consumer<RingView> then) {
    walk(found -> then.accept(view(found, true, isLeaving)));
  }

  /** Who may be asked what it has. */
  void seats(Consumer<List<Seat>> then) {
    walk(
        found ->
            then.accept(
                ring.isMember()
                    ? found.values().stream().map(RingPlacement::seat).toList()
                    : List.of()));
  }

  /** What each member owns. */
  void ranges(Consumer<List<Range>> then) {
    walk(found -> then.accept(ring.isMember() ? ranges(List.copyOf(found.values())) : List.of()));
  }

  private List<Range> ranges(List<Member> members) {
    List<Range> ranges = new ArrayList<>();
    int copies = Math.min(members.size(), settings.replicas());
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      Member before = members.get(Math.floorMod(i - 1, members.size()));
      List<NodeId> replicas = new ArrayList<>();
      for (int next = 1; next < copies; next++) {
        replicas.add(node(members.get((i + next) % members.size())));
      }
      boolean isWhole = copies == settings.replicas();
      String after = before.id().toString();
      ranges.add(new Range(after, member.id().toString(), node(member), replicas, 0, isWhole));
    }
    return ranges;
  }
}
