// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.dht.KeeperWorld.Computer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link KeeperWorld} of nodes in mode {@code peer}, and what an observer from outside, who sees
 * all of them at once, can say of it.
 */
final class PeerWorld {
  static final int REPLICAS = 3;

  final KeeperWorld world;
  final KeeperSettings settings;
  final RingSettings ring;
  final boolean hasDisk;

  /** Of 1,000 messages between keepers, how many are lost. */
  int lossPerMille;

  /** Which messages are lost for certain. */
  Filter filter = (source, target, message) -> false;

  /** What is wrong with the network. */
  interface Filter {
    /**
     * Whether it loses a message.
     *
     * @param message a {@link RingMessage} or a {@link KeeperMessage}
     */
    boolean loses(NodeId source, NodeId target, Object message);
  }

  /** Who begins the ring; null when it has begun, and who starts joins it. */
  private @Nullable Founders founders;

  PeerWorld(long seed, RingSettings ring, KeeperSettings settings, boolean hasDisk) {
    world = new KeeperWorld(seed);
    this.ring = ring;
    this.settings = settings;
    this.hasDisk = hasDisk;
  }

  /** Begins with so many nodes. */
  void found(int nodes) {
    List<Member> members = new ArrayList<>();
    for (int i = 1; i <= nodes; i++) {
      members.add(new Member(id(node(i)), node(i), newLife()));
    }
    Founders all = new Founders(members);
    founders = all;
    for (int i = 1; i <= nodes; i++) {
      add(node(i)).start();
    }
    founders = null;
  }

  static NodeId node(int number) {
    return new NodeId("n" + number);
  }

  static Identifier id(NodeId node) {
    return Identifier.hash(Identifier.SHA_1, node.value().getBytes(UTF_8));
  }

  /** A computer that is off, and whose clock is a little wrong. */
  Computer add(NodeId node) {
    Computer computer = world.add(node, hasDisk, Node::new);
    computer.skewMillis = world.random.nextLong(41) - 20;
    return computer;
  }

  private long newLife() {
    return (world.random.nextLong() >>> 1) | 1;
  }

  /** All that are up. */
  List<Node> nodes() {
    List<Node> nodes = new ArrayList<>();
    for (Computer computer : world.up()) {
      if (computer.machine() instanceof Node node) {
        nodes.add(node);
      }
    }
    return nodes;
  }

  /** All that are on the ring, by their own word. */
  List<Node> members() {
    List<Node> members = nodes();
    members.removeIf(it -> !it.keeper.ring().isMember());
    return members;
  }

  /** Some of the others find that their connection to a node that was killed is closed. */
  void disconnect(NodeId killed) {
    for (Node node : nodes()) {
      if (world.random.nextBoolean()) {
        node.computer.onIt(
            world.random.nextLong(5 * KeeperWorld.MILLI),
            () -> node.keeper.lost(killed, world.now()));
      }
    }
  }

  // ---- what should be ------------------------------------------------------------------------

  Founders circle() {
    return new Founders(members().stream().map(it -> it.keeper.ring().me()).toList());
  }

  /** Who is to keep a key, of the members that there are. */
  List<Node> keepers(Identifier id) {
    return placing().apply(id);
  }

  /** Who is to keep keys, as long as nothing happens. */
  Function<Identifier, List<Node>> placing() {
    Map<Member, Node> nodes = new HashMap<>();
    members().forEach(it -> nodes.put(it.keeper.ring().me(), it));
    Founders circle = new Founders(nodes.keySet());
    int count = Math.min(REPLICAS, circle.size());
    return id -> circle.from(circle.placeFrom(id), count).stream().map(nodes::get).toList();
  }

  /** What differs from one ring of all that are up; null if nothing does. */
  @Nullable String ringFlaw() {
    if (members().size() < nodes().size()) {
      List<Node> outside = nodes();
      outside.removeAll(members());
      return "not on the ring: " + outside;
    }
    Founders circle = circle();
    for (Node node : members()) {
      RingNode it = node.keeper.ring();
      int place = circle.placeFrom(it.me().id());
      if (!it.predecessor().equals(circle.get(place - 1))) {
        return it.me() + " has before it " + it.predecessor() + ", not " + circle.get(place - 1);
      }
      List<Member> after = circle.from(place + 1, ring.successors());
      if (!it.successors().list().equals(after)) {
        return it.me() + " has after it " + it.successors() + ", not " + after;
      }
    }
    return null;
  }

  /** All keys of which there is anything on any node that is up, with the newest. */
  Map<Identifier, Value> newest() {
    Map<Identifier, Value> newest = new TreeMap<>();
    for (Node node : nodes()) {
      for (Value value : node.shelf.values.all()) {
        newest.merge(value.id(), value, (a, b) -> b.isNewerThan(a) ? b : a);
      }
    }
    return newest;
  }

  /**
   * What is not as it should be with the copies; null if nothing is.
   *
   * @param isExact whether nobody else may have any, either
   */
  @Nullable String copiesFlaw(boolean isExact) {
    Map<Identifier, Value> newest = newest();
    Function<Identifier, List<Node>> placing = placing();
    for (Value value : newest.values()) {
      Set<String> right = new TreeSet<>();
      placing.apply(value.id()).forEach(it -> right.add(it.toString()));
      Set<String> having = new TreeSet<>();
      for (Node node : nodes()) {
        Value there = node.shelf.values.get(value.id());
        boolean isRight = right.contains(node.toString());
        if (there != null && (isExact || (isRight && !value.isNewerThan(there)))) {
          having.add(node + (value.isNewerThan(there) ? " (old)" : ""));
        }
      }
      if (!having.equals(right)) {
        return value + " is at " + having + ", not at " + right;
      }
    }
    return null;
  }

  // ---- nodes ---------------------------------------------------------------------------------

  /** The node of that name, which is up. */
  Node up(NodeId node) {
    if (world.computer(node).machine() instanceof Node it) {
      return it;
    }
    throw new AssertionError(node + " is down");
  }

  /** What runs on a computer in one life. */
  final class Node implements KeeperWorld.Machine {
    private static final byte RING = 1;

    final Computer computer;
    final Shelf shelf;
    final PeerKeeper keeper;
    private final Seat me;
    private final Map<Long, Consumer<Reply>> waiting = new HashMap<>();
    private long tickets;

    Node(Computer computer, long now) {
      this.computer = computer;
      Founders all = founders;
      Identifier id = id(computer.node());
      me = new Seat(computer.node(), all == null ? newLife() : all.get(all.placeFrom(id)).life());
      Port port = new Port();
      shelf = new Shelf(me, settings, computer.values(), port, world.random, now);
      keeper = new PeerKeeper(shelf, id, ring, port);
      if (all == null) {
        keeper.join(contacts(), now);
      } else {
        keeper.found(all, now);
      }
    }

    private List<Member> contacts() {
      List<Member> contacts = new ArrayList<>();
      for (Computer other : world.computers().values()) {
        if (other.isUp() && !other.node().equals(me.node())) {
          contacts.add(Member.contact(id(other.node()), other.node()));
        }
      }
      Collections.shuffle(contacts, world.random);
      return contacts;
    }

    Seat seat() {
      return me;
    }

    void ask(Ask ask, long deadline, Consumer<Reply> then) {
      waiting.put(++tickets, then);
      keeper.ask(tickets, ask, world.now() + deadline, world.now());
    }

    void look(Identifier id, long deadline, Consumer<Reply> then) {
      waiting.put(++tickets, then);
      keeper.look(tickets, id, world.now() + deadline, world.now());
    }

    @Override
    public void received(NodeId from, byte[] message, long now) {
      byte[] rest = Arrays.copyOfRange(message, 1, message.length);
      if (message[0] == RING) {
        keeper.received(Envelope.decode(rest), now);
      } else {
        KeeperWorld.decode(rest, (source, target, it) -> keeper.received(source, target, it, now));
      }
    }

    @Override
    public void durable(long number, long now) {
      keeper.durable(number, now);
    }

    @Override
    public long dueAt() {
      return keeper.dueAt();
    }

    @Override
    public void tick(long now) {
      keeper.tick(now);
    }

    @Override
    public String toString() {
      return me.node().toString();
    }

    private void send(NodeId to, int kind, byte[] message) {
      if (kind != RING && world.random.nextInt(1_000) < lossPerMille) {
        return;
      }
      byte[] bytes = new byte[message.length + 1];
      bytes[0] = (byte) kind;
      System.arraycopy(message, 0, bytes, 1, message.length);
      computer.send(to, bytes);
    }

    private final class Port implements KeeperPort, PeerPort {
      @Override
      public void send(Envelope envelope) {
        NodeId node = envelope.target().node();
        if (node == null) {
          throw new AssertionError("to nobody: " + envelope);
        }
        if (!filter.loses(me.node(), node, envelope.message())) {
          Node.this.send(node, RING, envelope.encode());
        }
      }

      @Override
      public boolean send(Seat to, KeeperMessage message) {
        if (!filter.loses(me.node(), to.node(), message)) {
          Node.this.send(to.node(), 0, KeeperWorld.encode(me, to, message));
        }
        return computer.reaches(to.node());
      }

      @Override
      public void changed() {
        // Nobody wants to know.
      }

      @Override
      public long append(Value value) {
        return computer.append(value);
      }

      @Override
      public long forget(Identifier id) {
        return computer.forget(id);
      }

      @Override
      public void answered(long ticket, Reply reply) {
        Consumer<Reply> then = waiting.remove(ticket);
        if (then == null) {
          throw new AssertionError("answered twice: " + reply);
        }
        then.accept(reply);
      }

      @Override
      public long wallMillis() {
        return computer.wallMillis();
      }
    }
  }
}
