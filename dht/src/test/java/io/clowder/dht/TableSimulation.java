// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.simulator.History;
import io.clowder.simulator.Linearizability;
import io.clowder.simulator.Operation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One schedule of a ring in mode {@code consistent}: nodes are killed, wiped, paused, cut off,
 * suspected without reason, leave and join, while clients read and write; at the end all is well
 * again, every partition has its copies, and the history is linearizable. At most one less than
 * there are copies loses what it has between two repairs.
 */
final class TableSimulation {
  private static final int KEYS = 12;
  private static final int REPLICAS = 3;
  private static final long DEADLINE = 5 * KeeperWorld.SECOND;
  private static final long ROUND = 200 * KeeperWorld.MILLI;

  private final KeeperWorld world;
  private final Random random;
  private final ToyConsensus consensus;
  private final History history = new History();
  private final boolean hasDisk;
  private final KeeperSettings settings;
  private final PlacementPolicy policy;
  private final TableSettings ring = new TableSettings(16, REPLICAS, Identifier.SHA_1);
  private final Map<NodeId, Map<NodeId, Long>> silentSince = new HashMap<>();
  private final List<Client> clients = new ArrayList<>();
  private final Map<String, Integer> counts = new TreeMap<>();
  private long written;

  /** Who had what since all had their copies; and whether any of them lost its own by it. */
  private final Set<NodeId> troubled = new HashSet<>();

  private boolean isAnyLost;
  private long troubledAt;
  private boolean isCalm;

  TableSimulation(long seed) {
    world = new KeeperWorld(seed);
    random = world.random;
    consensus = new ToyConsensus(world, this::mayComeLate);
    hasDisk = random.nextBoolean();
    policy = random.nextBoolean() ? TableSimulation::place : new BoundedLoads();
    settings =
        new KeeperSettings(
            REPLICAS,
            2,
            KeeperWorld.SECOND,
            200 * KeeperWorld.MILLI,
            1_000,
            1 << 20,
            1 << 20,
            60_000,
            60 * KeeperWorld.SECOND);
    int nodes = 3 + random.nextInt(4);
    for (int i = 1; i <= nodes; i++) {
      NodeId node = new NodeId("n" + i);
      world.add(node, hasDisk, Member::new).start();
      clients.add(new Client(i, node));
      if (random.nextBoolean()) {
        clients.add(new Client(10 + i, node));
      }
    }
  }

  /** What happened, for people. */
  Map<String, Integer> counts() {
    return counts;
  }

  private void count(String what, int by) {
    if (Boolean.getBoolean("dht.trace") && Character.isLowerCase(what.charAt(0))) {
      System.out.println(world.now() / 1_000_000 + " " + what);
    }
    counts.merge(what, by, Integer::sum);
  }

  void run() {
    world.run(3 * KeeperWorld.SECOND);
    watch();
    clients.forEach(Client::next);
    int misfortunes = 5 + random.nextInt(15);
    for (int i = 0; i < misfortunes; i++) {
      world.run(random.nextLong(3 * KeeperWorld.SECOND));
      misfortune();
    }
    isCalm = true;
    world.heal();
    world.computers().values().stream().filter(it -> !it.isUp()).forEach(it -> it.start());
    each(it -> it.keeper.steering().join());
    world.run(40 * KeeperWorld.SECOND);
    checkRepaired();
    readAll();
    world.run(6 * KeeperWorld.SECOND);
    count("operations", history.completed());
    count("epochs", (int) table().epoch());
    count("commands", consensus.commands());
    Linearizability.check(history);
  }

  private Table table() {
    Table table = consensus.table();
    if (table == null) {
      throw new AssertionError("no table");
    }
    return table;
  }

  private void each(Consumer<Member> what) {
    for (KeeperWorld.Computer computer : world.computers().values()) {
      if (computer.machine() instanceof Member member) {
        computer.onIt(0, () -> what.accept(member));
      }
    }
  }

  // ---- misfortunes ---------------------------------------------------------------------------

  private void misfortune() {
    List<KeeperWorld.Computer> all = List.copyOf(world.computers().values());
    KeeperWorld.Computer one = all.get(random.nextInt(all.size()));
    int what = random.nextInt(10);
    if (what < 3) {
      crash(one);
    } else if (what == 3 && mayTrouble(one.node(), false)) {
      one.pause(random.nextLong(5 * KeeperWorld.SECOND));
      count("pauses", 1);
    } else if (what == 4) {
      part(all);
    } else if (what == 5) {
      world.lose(random.nextInt(100));
      count("lossy", 1);
    } else if (what == 6) {
      world.heal();
    } else if (what == 7
        && mayTrouble(one.node(), false)
        && one.machine() instanceof Member member) {
      one.onIt(0, () -> member.keeper.steering().leave());
      one.onIt(KeeperWorld.SECOND * random.nextInt(10), () -> member.keeper.steering().join());
      count("leaves", 1);
    } else if (what == 8 && one.machine() instanceof Member member) {
      NodeId other = all.get(random.nextInt(all.size())).node();
      if (mayTrouble(other, false)) {
        one.onIt(0, () -> member.keeper.suspects(Set.of(other), world.now()));
      }
      count("false suspicions", 1);
    } else if (what == 9) {
      all.forEach(this::crash);
      count("power losses", 1);
    }
  }

  /**
   * Whether so much may happen to a node that it is taken out: with a loss among what happens
   * between two repairs, at most to one less than there are copies.
   */
  private boolean mayTrouble(NodeId node, boolean isLoss) {
    if (world.now() - troubledAt > 8 * KeeperWorld.SECOND && isRepaired()) {
      troubled.clear();
      isAnyLost = false;
    }
    int count = troubled.size() + (troubled.contains(node) ? 0 : 1);
    if ((isAnyLost || isLoss) && count >= REPLICAS) {
      return false;
    }
    troubled.add(node);
    isAnyLost |= isLoss;
    troubledAt = world.now();
    return true;
  }

  /** Who was cut off fails others by what it says late: that is one more that is taken out. */
  private boolean mayComeLate(TableCommand command) {
    return !(command instanceof TableCommand.Fail fail) || mayTrouble(fail.node(), false);
  }

  private void crash(KeeperWorld.Computer one) {
    boolean isLoss = !hasDisk || random.nextInt(4) == 0;
    if (!one.isUp() || !mayTrouble(one.node(), isLoss)) {
      return;
    } else if (isLoss) {
      one.wipe();
      count("disks lost", 1);
    } else {
      one.kill();
      count("kills", 1);
    }
    long away = random.nextLong(8 * KeeperWorld.SECOND);
    world.at(
        away,
        () -> {
          if (!one.isUp()) {
            one.start();
          }
        });
  }

  private void part(List<KeeperWorld.Computer> all) {
    Map<NodeId, Integer> sides = new HashMap<>();
    for (int i = 0; i < (all.size() - 1) / 2; i++) {
      NodeId node = all.get(random.nextInt(all.size())).node();
      if (mayTrouble(node, false)) {
        sides.put(node, 1);
      }
    }
    world.part(sides);
    count("partitions", 1);
  }

  /** What a failure detector does, and nothing of what makes one good. */
  private void watch() {
    for (KeeperWorld.Computer computer : world.up()) {
      Map<NodeId, Long> since = silentSince.computeIfAbsent(computer.node(), it -> new HashMap<>());
      Set<NodeId> silent = world.silentTo(computer.node());
      since.keySet().retainAll(silent);
      silent.forEach(it -> since.putIfAbsent(it, world.now()));
      silent.removeIf(it -> world.now() - since.getOrDefault(it, 0L) < 2 * KeeperWorld.SECOND);
      if (computer.machine() instanceof Member member && (isCalm || random.nextInt(5) > 0)) {
        computer.onIt(0, () -> member.keeper.suspects(silent, world.now()));
      }
    }
    if (!Boolean.getBoolean("dht.nocatch")) consensus.catchUp();
    world.at(ROUND, this::watch);
  }

  // ---- how it is -----------------------------------------------------------------------------

  private boolean isRepaired() {
    return whatIsAmiss() == null;
  }

  private void checkRepaired() {
    String amiss = whatIsAmiss();
    if (amiss != null) {
      throw new AssertionError("not repaired: " + amiss);
    }
    Table table = table();
    for (int i = 0; i < table.settings().partitions(); i++) {
      Assignment it = table.assignment(i);
      if (it.lost() > 0) {
        throw new AssertionError("partition " + i + " was lost: " + it);
      }
      Interval interval = Steering.interval(table, i);
      Set<List<KeeperMessage.Item>> copies = new HashSet<>();
      for (NodeId holder : it.holders()) {
        if (world.computer(holder).machine() instanceof Member member) {
          List<Value> values = member.shelf.values.in(interval);
          long wall = world.computer(holder).wallMillis();
          values.removeIf(value -> value.isOver(wall, settings.tombstoneMillis()));
          copies.add(values.stream().map(KeeperMessage.Item::of).toList());
        }
      }
      if (copies.size() != 1) {
        throw new AssertionError("copies of partition " + i + " differ: " + copies + " " + it);
      }
    }
  }

  private @Nullable String whatIsAmiss() {
    Table table = consensus.table();
    if (table == null) {
      return "no table";
    }
    int copies = Math.min(REPLICAS, world.computers().size());
    for (int i = 0; i < table.settings().partitions(); i++) {
      Assignment it = table.assignment(i);
      if (!it.isSettled() || it.holders().size() < copies) {
        return "partition " + i + " " + it + " in " + table.members();
      }
      for (NodeId holder : it.holders()) {
        KeeperWorld.Computer computer = world.computer(holder);
        TableMember member = table.member(holder);
        if (!computer.isUp() || member == null || member.life() != computer.life()) {
          return holder + " is not there";
        }
      }
    }
    return null;
  }

  /** Without any memory, so that much is moved. */
  private static List<List<NodeId>> place(PlacementPolicy.Request request) {
    List<List<NodeId>> placed = new ArrayList<>();
    List<PlacementPolicy.Candidate> candidates = request.candidates();
    int copies = Math.min(request.replicas(), candidates.size());
    for (int i = 0; i < request.present().size(); i++) {
      List<NodeId> nodes = new ArrayList<>();
      for (int copy = 0; copy < copies; copy++) {
        nodes.add(candidates.get((i + copy) % candidates.size()).node());
      }
      placed.add(nodes);
    }
    return placed;
  }

  // ---- nodes ---------------------------------------------------------------------------------

  /** What runs on one. */
  private final class Member implements KeeperWorld.Machine, ToyConsensus.TableMachineOn {
    private final TableKeeper keeper;
    private final Shelf shelf;
    private final Seat me;
    private final Map<Long, Consumer<Reply>> waiting = new HashMap<>();
    private long tickets;

    Member(KeeperWorld.Computer computer, long now) {
      me = new Seat(computer.node(), computer.life());
      KeeperPort port =
          new KeeperPort() {
            @Override
            public boolean send(Seat to, KeeperMessage message) {
              computer.send(to.node(), KeeperWorld.encode(me, to, message));
              return computer.reaches(to.node());
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
          };
      shelf = new Shelf(me, settings, computer.values(), port, random, now);
      keeper =
          new TableKeeper(
              shelf,
              consensus.of(computer, this::committed),
              new TableCommand.Join(me.node(), me.life(), 0, "", 1, ring),
              () -> policy);
    }

    void ask(Ask ask, Consumer<Reply> then) {
      waiting.put(++tickets, then);
      keeper.keeper().ask(tickets, ask, world.now() + DEADLINE, world.now());
    }

    @Override
    public void committed(Table table) {
      keeper.committed(table, world.now());
    }

    @Override
    public void received(NodeId from, byte[] message, long now) {
      KeeperWorld.decode(
          message, (source, target, it) -> keeper.keeper().received(source, target, it, now));
    }

    @Override
    public void durable(long number, long now) {
      keeper.keeper().durable(number, now);
    }

    @Override
    public long dueAt() {
      return keeper.dueAt();
    }

    @Override
    public void tick(long now) {
      keeper.tick(now);
    }
  }

  // ---- clients -------------------------------------------------------------------------------

  private static long number(DhtVersion version) {
    if (version.minor() >= 1 << 20) {
      throw new AssertionError("too many versions: " + version);
    }
    return version.major() << 20 | version.minor();
  }

  private static DhtVersion version(long number) {
    return new DhtVersion(number >> 20, number & ((1 << 20) - 1));
  }

  private void readAll() {
    Client reader = new Client(100, world.up().get(0).node());
    for (int i = 0; i < KEYS; i++) {
      reader.get("k" + i);
    }
  }

  /** One thing after the other. */
  private final class Client {
    private final int number;
    private final NodeId at;
    private final Map<String, Long> known = new HashMap<>();

    Client(int number, NodeId at) {
      this.number = number;
      this.at = at;
    }

    void next() {
      if (isCalm && random.nextInt(3) > 0) {
        return;
      }
      String key = "k" + random.nextInt(KEYS);
      int what = random.nextInt(10);
      if (!(world.computer(at).machine() instanceof Member) || world.computer(at).isPaused()) {
        later();
      } else if (what < 4) {
        get(key);
      } else if (what < 7) {
        store(key, null);
      } else if (what < 9) {
        store(key, known.getOrDefault(key, 0L));
      } else {
        remove(key);
      }
    }

    private void later() {
      world.at(random.nextLong(100 * KeeperWorld.MILLI), this::next);
    }

    private void ask(
        Ask.Kind kind,
        String key,
        byte @Nullable [] content,
        @Nullable DhtVersion condition,
        Consumer<Reply> then) {
      KeeperWorld.Computer computer = world.computer(at);
      if (!(computer.machine() instanceof Member member)) {
        throw new AssertionError(at + " is down");
      }
      byte[] bytes = key.getBytes(UTF_8);
      RequestKey request = new RequestKey(number, ++written);
      Identifier id = Identifier.hash(Identifier.SHA_1, bytes);
      Ask ask = new Ask(kind, id, bytes, content, condition, 0, 0, request, false);
      member.ask(
          ask,
          reply -> {
            if (Boolean.getBoolean("dht.trace"))
              System.out.println(
                  world.now() / 1000000 + " reply to " + ask + ": " + reply + " at " + at);
            then.accept(reply);
            later();
          });
      // Whoever waits when the node is killed never hears, and goes on after that.
      world.at(
          DEADLINE + KeeperWorld.SECOND,
          () -> {
            if (computer.machine() != member) {
              resume(member);
            }
          });
    }

    private @Nullable Member resumed;

    private void resume(Member died) {
      if (resumed != died && number < 100) {
        resumed = died;
        later();
      }
    }

    void get(String key) {
      int operation = history.begin(number, key, Operation.Kind.GET, 0, 0);
      ask(
          Ask.Kind.FETCH,
          key,
          null,
          null,
          reply -> {
            if (isDone(reply)) {
              Value value = reply.answer().value();
              long version = value == null ? 0 : number(value.version());
              known.put(key, version);
              history.done(operation, value == null ? 0 : content(value), version);
            } else {
              history.didNotHappen(operation);
            }
          });
    }

    void store(String key, @Nullable Long expected) {
      long value = ++written;
      Operation.Kind kind = expected == null ? Operation.Kind.PUT : Operation.Kind.CAS;
      int operation = history.begin(number, key, kind, value, expected == null ? 0 : expected);
      ask(
          Ask.Kind.STORE,
          key,
          ByteBuffer.allocate(8).putLong(value).array(),
          expected == null ? null : version(expected),
          reply -> {
            if (isDone(reply)) {
              long version = number(reply.answer().version());
              known.put(key, version);
              history.done(operation, value, version);
            } else if (reply.answer().code() == Answer.Code.CONFLICT && !reply.isOver()) {
              known.put(key, number(reply.answer().version()));
              history.conflict(operation);
            } else if (!reply.mayHaveHappened()) {
              history.didNotHappen(operation);
            }
          });
    }

    void remove(String key) {
      int operation = history.begin(number, key, Operation.Kind.DELETE, ++written, 0);
      ask(
          Ask.Kind.REMOVE,
          key,
          null,
          null,
          reply -> {
            if (isDone(reply)) {
              history.done(operation, 1, 0);
            } else if (reply.answer().code() == Answer.Code.ABSENT && !reply.isOver()) {
              history.done(operation, 0, 0);
            } else if (!reply.mayHaveHappened()) {
              history.didNotHappen(operation);
            }
          });
    }

    private boolean isDone(Reply reply) {
      count(reply.isOver() ? "in vain" : reply.answer().code().name(), 1);
      return !reply.isOver() && reply.answer().code() == Answer.Code.DONE;
    }
  }

  private static long content(Value value) {
    byte[] content = value.content();
    if (content == null) {
      throw new AssertionError("a tombstone was read: " + value);
    }
    return ByteBuffer.wrap(content).getLong();
  }
}
