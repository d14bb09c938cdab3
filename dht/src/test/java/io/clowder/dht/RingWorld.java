// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.BiPredicate;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Some nodes and a network; virtual time, one seed, one thread. */
final class RingWorld {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;

  final RingSettings settings;
  final SplittableRandom random;

  /** Who lives, by node; in the order in which they came. */
  final Map<NodeId, Berth> seats = new LinkedHashMap<>();

  final Map<Long, Located> found = new HashMap<>();
  final Map<Long, Failure> failed = new HashMap<>();

  /** When a member was first the predecessor of another. */
  final Map<Member, Long> preceding = new HashMap<>();

  /** What members have shown to others that these do not know yet. */
  final Set<Envelope> shown = new LinkedHashSet<>();

  long now;
  long messages;

  /** Events after which a member had other neighbours than before. */
  long changes;

  /** Least delay of a message, and what chance adds at most. */
  long delayMin = MILLI;

  long delaySpread = 20 * MILLI;

  /** Share of messages that get lost. */
  double loss;

  /** Which messages get lost for certain. */
  BiPredicate<NodeId, NodeId> isCut = (source, target) -> false;

  /** Whether messages cross the network as bytes. */
  boolean isEncoding;

  /** Hears of tickets at once when they are in {@link #found}. */
  @Nullable LongConsumer answered;

  /** Looks at the world after each event. */
  @Nullable Runnable after;

  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Map<Member, Long> wakes = new HashMap<>();
  private long made;
  private long lives;
  private long tickets;

  RingWorld(long seed, RingSettings settings) {
    this.random = new SplittableRandom(seed);
    this.settings = settings;
  }

  private record Event(long nanos, long number, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return nanos != other.nanos
          ? Long.compare(nanos, other.nanos)
          : Long.compare(number, other.number);
    }
  }

  // ---- time ----------------------------------------------------------------------------------

  void after(long nanos, Runnable action) {
    events.add(new Event(now + nanos, ++made, action));
  }

  RingWorld runFor(long nanos) {
    return runUntil(now + nanos);
  }

  RingWorld runUntil(long time) {
    for (Event next = events.peek(); next != null && next.nanos <= time; next = events.peek()) {
      events.remove();
      now = next.nanos;
      next.action.run();
      if (after != null) {
        after.run();
      }
    }
    now = time;
    return this;
  }

  /** Has a node tick when it wants to. */
  private void appoint(Berth seat) {
    long due = seat.dueAt();
    Long appointed = wakes.get(seat.me());
    if (due == Ring.NEVER || (appointed != null && appointed <= due)) {
      return;
    }
    wakes.put(seat.me(), due);
    after(
        Math.max(0, due - now),
        () -> {
          if (wakes.remove(seat.me(), due) && lives(seat)) {
            seat.tick(now);
            appoint(seat);
          }
        });
  }

  // ---- who lives -----------------------------------------------------------------------------

  /** The next life of a node. */
  Member member(int node) {
    NodeId id = new NodeId("n" + node);
    byte[] name = id.value().getBytes(StandardCharsets.UTF_8);
    return new Member(Identifier.hash(Identifier.SHA_1, name), id, lives += 16);
  }

  boolean lives(Berth seat) {
    return seats.get(Objects.requireNonNull(seat.me().node())) == seat;
  }

  boolean lives(Member member) {
    Berth seat = seats.get(member.node());
    return seat != null && seat.me().equals(member);
  }

  /** A node that does nothing yet. */
  RingNode begin(Member me) {
    Wire wire = new Wire();
    RingNode node = new RingNode(me, settings, random.split(), wire, now);
    wire.node = node;
    settle(new Berth.Ours(node));
    return node;
  }

  /** Has somebody live here, from now on. */
  void settle(Berth seat) {
    seats.put(Objects.requireNonNull(seat.me().node()), seat);
    appoint(seat);
  }

  /** Ends a life without a word. */
  void kill(Berth seat) {
    seats.remove(seat.me().node());
    wakes.remove(seat.me());
  }

  /** What was done to a node from outside may have moved its next appointment. */
  void touched(NodeId node) {
    Berth seat = seats.get(node);
    if (seat != null) {
      appoint(seat);
    }
  }

  RingNode node(Member member) {
    return ((Berth.Ours) Objects.requireNonNull(seats.get(member.node()))).node();
  }

  List<Berth> members() {
    List<Berth> members = new ArrayList<>();
    for (Berth seat : seats.values()) {
      if (seat.isMember()) {
        members.add(seat);
      }
    }
    return members;
  }

  /** A ring of nodes 0 to {@code count - 1}, ideal from the beginning. */
  RingWorld found(int count) {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(member(i));
    }
    Founders founders = new Founders(members);
    for (Member member : members) {
      begin(member).found(founders, now);
      touched(Objects.requireNonNull(member.node()));
    }
    return this;
  }

  /** How many seconds it takes until nothing is flawed; fails if it is more than so many. */
  int secondsUntilIdeal(int max) {
    for (int seconds = 0; seconds <= max; seconds++) {
      if (flaw() == null) {
        return seconds;
      }
      runFor(SECOND);
    }
    throw new AssertionError("after " + max + " s: " + flaw());
  }

  /** Has a node join by these contacts. */
  RingNode join(Member me, List<Member> contacts) {
    RingNode node = begin(me);
    node.join(contacts.stream().map(it -> contact(it)).toList(), now);
    touched(Objects.requireNonNull(me.node()));
    return node;
  }

  private static Member contact(Member member) {
    return Member.contact(member.id(), Objects.requireNonNull(member.node()));
  }

  /** Begins a lookup and gives its ticket, for {@link #found} and {@link #failed}. */
  long lookup(Member from, Identifier key, boolean isForPredecessor) {
    long ticket = ++tickets;
    node(from).seek(ticket, key, isForPredecessor, now);
    touched(Objects.requireNonNull(from.node()));
    return ticket;
  }

  /** Any point, all alike. */
  Identifier point() {
    byte[] bytes = new byte[Identifier.BYTES];
    random.nextBytes(bytes);
    return Identifier.of(bytes);
  }

  <T> T any(List<T> things) {
    return things.get(random.nextInt(things.size()));
  }

  // ---- the network ---------------------------------------------------------------------------

  void send(Envelope envelope) {
    messages++;
    NodeId source = Objects.requireNonNull(envelope.source().node());
    NodeId target = Objects.requireNonNull(envelope.target().node());
    if (isCut.test(source, target) || (loss > 0 && random.nextDouble() < loss)) {
      return;
    }
    boolean isState = envelope.message() instanceof RingMessage.State;
    if (isState) {
      shown.add(envelope);
      changes++;
    }
    Envelope arriving = isEncoding ? Envelope.decode(envelope.encode()) : envelope;
    after(
        delayMin + random.nextLong(delaySpread + 1),
        () -> {
          if (isState) {
            shown.remove(envelope);
          }
          Berth seat = seats.get(target);
          if (seat != null && !isCut.test(source, target)) {
            seat.received(arriving, now);
            appoint(seat);
          }
        });
  }

  /** What a node does in this world. */
  private final class Wire implements Outlet {
    private @Nullable RingNode node;

    @Override
    public void send(Envelope envelope) {
      RingWorld.this.send(envelope);
    }

    @Override
    public void found(long ticket, Located answer) {
      found.put(ticket, answer);
      if (answered != null) {
        answered.accept(ticket);
      }
    }

    @Override
    public void failed(long ticket, Failure failure) {
      failed.put(ticket, failure);
    }

    @Override
    public void changed() {
      changes++;
      if (node != null) {
        preceding.putIfAbsent(node.predecessor(), now);
      }
    }
  }

  // ---- what should be ------------------------------------------------------------------------

  /** What differs from a ring that is as it should be; null if nothing does. */
  @Nullable String flaw() {
    return flaw(members());
  }

  /** As {@link #flaw()}, if these are all that there should be. */
  @Nullable String flaw(List<Berth> members) {
    Founders circle = new Founders(members.stream().map(Berth::me).toList());
    for (Berth seat : members) {
      int place = circle.placeFrom(seat.me().id());
      if (!seat.predecessor().equals(circle.get(place - 1))) {
        return seat.me()
            + " has before it "
            + seat.predecessor()
            + ", not "
            + circle.get(place - 1);
      }
      List<Member> after = circle.from(place + 1, settings.successors());
      if (!seat.successors().equals(after)) {
        return seat.me() + " has after it " + seat.successors() + ", not " + after;
      }
    }
    return null;
  }
}
