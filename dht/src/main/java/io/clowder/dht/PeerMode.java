// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.dht.Founding.Here;
import io.clowder.dht.KeeperMessage.Tallied;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A node on a ring of mode {@code peer}. */
final class PeerMode implements RingMode {
  /** The first byte of a message. */
  private static final int ENVELOPE = 1;

  private static final int HERE = 2;

  /** How often a node that is on no ring says that it is here; and one that is, to some. */
  private static final long HERE_NANOS = 300_000_000L;

  private static final long REMIND_NANOS = 10_000_000_000L;
  private static final int REMINDED = 3;

  /** How long joining may take. */
  private static final long JOINING_NANOS = 20_000_000_000L;

  private final DhtSetting setting;
  private final Shelf shelf;
  private final Seat me;
  private final NodeRing node;
  private final List<NodeId> founders;
  private final Runnable rebirth;
  private final PeerKeeper keeper;
  private final PeerView view;
  private final RingSettings ring;
  private final Founding founding;

  /** Of the ring that this node has begun; none if it joined. */
  private List<Member> begunWith = List.of();

  private long begunAt;
  private boolean hasBegun;

  /** When it begins anew if it is no member by then: the ring that it joins may be gone. */
  private long reborn = Ring.NEVER;

  /** Who cannot be on one ring with this node, and why. */
  private final SortedMap<NodeId, String> refusals = new TreeMap<>();

  private boolean wantsToLeave;
  private boolean hasLeft;
  private long hereAt;
  private long changes;

  /**
   * A node that is on no ring yet.
   *
   * @param founders who founds the ring, if none of them is on one
   * @param rebirth has this node begin again, in another life
   */
  PeerMode(
      String name,
      DhtSetting setting,
      Shelf shelf,
      NodeRing node,
      List<NodeId> founders,
      Runnable rebirth) {
    this.setting = setting;
    this.shelf = shelf;
    this.me = shelf.me;
    this.node = node;
    this.founders = List.copyOf(founders);
    this.rebirth = rebirth;
    ring = RingSettings.USUAL.withSuccessors(successors(setting));
    Identifier id = place(me.node());
    keeper = new PeerKeeper(shelf, id, ring, new Port());
    view = new PeerView(name, setting.table(), shelf, keeper);
    founding =
        new Founding(
            new Member(id, me.node(), me.life()),
            founders,
            ring.successors(),
            setting.table().hash(),
            shelf.now);
    hereAt = shelf.now;
  }

  /** How long successor lists are; by what is set alone, as it is to be the same on all nodes. */
  static int successors(DhtSetting setting) {
    int least = Math.max(1, setting.keeper().replicas() - 1);
    return setting.successors() == 0 ? least : setting.successors();
  }

  private final class Port implements PeerPort {
    @Override
    public void send(Envelope envelope) {
      NodeId to = envelope.target().node();
      if (to != null) {
        byte[] bytes = envelope.encode();
        WireWriter out = new WireWriter(bytes.length + 1).writeByte(ENVELOPE);
        node.sendRing(to, out.writeRaw(bytes, 0, bytes.length).toByteArray());
      }
    }

    @Override
    public void changed() {
      changes++;
    }
  }

  private Identifier place(NodeId id) {
    return Identifier.hash(setting.table().hash(), id.value().getBytes(UTF_8));
  }

  // ---- to be on a ring -----------------------------------------------------------------------

  private void take(Here here, NodeId from, long now) {
    String why = founding.refusal(from, here);
    if (!why.isEmpty()) {
      refusals.put(from, why);
      // Who is on no ring is to know it, too.
      if (!here.isOnRing() && keeper.ring().isMember() && !hasLeft) {
        tell(from, now);
      }
      return;
    }
    refusals.remove(from);
    if (hasLeft) {
      return;
    } else if (hasBegun) {
      if (here.isOnRing()) {
        keeper.introduce(here.member(), now);
      } else if (keeper.ring().isMember()) {
        tell(from, now);
      }
      return;
    }
    Founding.Step step = founding.heard(from, here, now);
    if (step instanceof Founding.Step.Found it) {
      begin(now);
      begunWith = it.founders();
      begunAt = now;
      keeper.found(new Founders(it.founders()), now);
      founders.forEach(other -> tell(other, now));
    } else if (step instanceof Founding.Step.Join it) {
      begin(now);
      if (node.isStale()) {
        // What was removed meanwhile may be forgotten by the others, and would come back.
        List.copyOf(shelf.values.all()).forEach(value -> shelf.forget(value.id()));
      }
      List<Member> contacts = new ArrayList<>(List.of(it.contact()));
      founders.stream()
          .filter(other -> !other.equals(me.node()) && !other.equals(it.contact().node()))
          .forEach(other -> contacts.add(Member.contact(place(other), other)));
      keeper.join(contacts, now);
    } else if (step instanceof Founding.Step.Reborn) {
      begin(now);
      rebirth.run();
    }
  }

  private void begin(long now) {
    hasBegun = true;
    reborn = now + JOINING_NANOS;
    refusals.clear();
  }

  private void tell(NodeId to, long now) {
    if (to.equals(me.node())) {
      return;
    }
    Here here =
        hasBegun
            ? new Here(
                keeper.ring().me(),
                true,
                ring.successors(),
                setting.table().hash(),
                begunWith,
                (now - begunAt) / 1_000_000)
            : founding.here(now);
    WireWriter out = new WireWriter(256).writeByte(HERE);
    here.write(out);
    node.sendRing(to, out.toByteArray());
  }

  private void remind(long now) {
    if (!hasBegun) {
      hereAt = now + HERE_NANOS;
      founders.forEach(it -> tell(it, now));
    } else {
      hereAt = now + REMIND_NANOS;
      // Two rings that have forgotten each other meet by this.
      for (int i = 0; i < REMINDED && keeper.ring().isMember(); i++) {
        tell(founders.get(shelf.random.nextInt(founders.size())), now);
      }
    }
  }

  @Override
  public void received(NodeId from, byte[] message, long now) {
    WireReader in = new WireReader(message);
    int kind = in.readByte();
    if (kind == ENVELOPE) {
      Envelope envelope = Envelope.decode(in.readRest());
      if (!from.equals(envelope.source().node())) {
        throw new WireFormatException("it says that it is of " + envelope.source());
      }
      keeper.received(envelope, now);
    } else if (kind == HERE) {
      Here here = Here.read(in);
      if (!from.equals(here.member().node())) {
        throw new WireFormatException("it says that it is of " + here.member());
      }
      shelf.now = now;
      take(here, from, now);
    } else {
      throw new WireFormatException("message of unknown kind " + kind);
    }
  }

  // ---- values --------------------------------------------------------------------------------

  @Override
  public void ask(long ticket, Ask ask, long deadline, long now) {
    keeper.ask(ticket, ask, deadline, now);
  }

  @Override
  public void look(long ticket, Identifier id, long deadline, long now) {
    keeper.look(ticket, id, deadline, now);
  }

  @Override
  public void tally(Seat seat, BiConsumer<Seat, Tallied> then, long now) {
    keeper.tally(seat, then, now);
  }

  @Override
  public void received(Seat source, Seat target, KeeperMessage message, long now) {
    keeper.received(source, target, message, now);
  }

  @Override
  public void durable(long number, long now) {
    keeper.durable(number, now);
  }

  @Override
  public void lost(NodeId other, long now) {
    keeper.lost(other, now);
  }

  @Override
  public void endCalls(long now) {
    keeper.close(now);
  }

  // ---- the ring ------------------------------------------------------------------------------

  @Override
  public void lookup(Identifier id, Consumer<@Nullable LookupResult> then) {
    view.lookup(id, then);
  }

  @Override
  public long revision() {
    return changes << 1 | (keeper.ring().isMember() ? 1 : 0);
  }

  @Override
  public RingView view() {
    return view.known(wantsToLeave);
  }

  @Override
  public void ring(Consumer<RingView> then) {
    view.all(wantsToLeave, then);
  }

  @Override
  public List<Range> owned() {
    return view.owned();
  }

  @Override
  public void ranges(Consumer<List<Range>> then) {
    view.ranges(then);
  }

  @Override
  public void seats(Consumer<List<Seat>> then) {
    view.seats(then);
  }

  @Override
  public List<String> problems() {
    if (!refusals.isEmpty() && !keeper.ring().isMember()) {
      return refusals.values().stream().map(it -> "this node cannot join: " + it).toList();
    } else if (hasLeft) {
      return List.of("this node has left the ring (dht:join)");
    } else if (hasBegun) {
      return keeper.problems();
    }
    List<NodeId> missing = founding.missing(shelf.now);
    return List.of(
        missing.isEmpty()
            ? "the ring is being founded"
            : "this node is on no ring: it waits for %s, to found one with %d nodes at least"
                .formatted(missing, founding.least()));
  }

  @Override
  public List<String> reasonsToStay(NodeId other) {
    if (!keeper.ring().isMember()) {
      return problems();
    }
    List<String> reasons = new ArrayList<>();
    long others =
        keeper.placement().successors().stream()
            .map(Seat::node)
            .filter(it -> !it.equals(other))
            .distinct()
            .count();
    long left = others + (other.equals(me.node()) ? 0 : 1);
    int quorum = setting.keeper().writeQuorum();
    if (left < quorum) {
      reasons.add(
          "writes would need %d nodes, and %d would be left, as write.quorum is %d"
              .formatted(quorum, left, quorum));
    }
    if (!keeper.placement().isWhole(keeper.placement().range())) {
      reasons.add(
          "not all copies of what %s owns are in order: wait, or have it done (dht:repair)"
              .formatted(me.node()));
    }
    return reasons;
  }

  @Override
  public void leave() {
    long now = System.nanoTime();
    if (!keeper.ring().isMember()) {
      wantsToLeave = true;
      hasLeft = true;
      keeper.goodbye(now);
    }
    if (wantsToLeave) {
      return;
    }
    wantsToLeave = true;
    keeper.leave(
        now + setting.leaving().toNanos(),
        why -> {
          hasLeft = why == null;
          wantsToLeave = hasLeft;
        },
        now);
  }

  @Override
  public void join() {
    if (hasLeft) {
      rebirth.run();
    }
  }

  @Override
  public boolean hasLeft() {
    return hasLeft;
  }

  @Override
  public void abandon(NodeId other, Consumer<String> then) {
    then.accept("in mode peer nobody waits for a node that has failed");
  }

  @Override
  public void repair(LongConsumer then) {
    keeper.repair(then, System.nanoTime());
  }

  @Override
  public long dueAt() {
    return Math.min(keeper.dueAt(), hasLeft ? Ring.NEVER : Math.min(hereAt, rebornAt()));
  }

  private long rebornAt() {
    return keeper.ring().isMember() ? Ring.NEVER : reborn;
  }

  @Override
  public void tick(long now) {
    shelf.now = now;
    if (rebornAt() <= now && !hasLeft) {
      reborn = Ring.NEVER;
      rebirth.run();
    }
    if (hereAt <= now && !hasLeft) {
      remind(now);
    }
    keeper.tick(now);
  }

  /** The others find out by themselves, as from any that is gone. */
  @Override
  public void close(Runnable then) {
    keeper.goodbye(System.nanoTime());
    then.run();
  }
}
