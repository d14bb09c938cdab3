// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtVersion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Clients of a {@link PeerWorld}, and what they were told. */
final class PeerLoad {
  private static final long DEADLINE = 8 * KeeperWorld.SECOND;

  /**
   * How many keys are written all the time; the others are seldom, so that no write hides a loss.
   */
  private static final int HOT = 10;

  /** Every how manieth key may be removed: of the others, there is always a value. */
  private static final int REMOVABLE = 4;

  /** A write that was acknowledged. */
  record Write(String key, long begun, long ended, DhtVersion version, boolean isRemoval) {}

  private final PeerWorld peers;
  private final KeeperWorld world;
  private final Random random;
  private final int keys;
  private final Map<String, List<Write>> acknowledged = new HashMap<>();
  private final Map<String, DhtVersion> newest = new HashMap<>();
  private final Map<String, Integer> counts = new TreeMap<>();

  /** When keys had all of their copies. */
  private final Map<String, Long> sound = new HashMap<>();

  private long lostAt;
  private long numbers;
  boolean isOver;

  /** How long a client waits at most before it goes on. */
  long pauseNanos = 200 * KeeperWorld.MILLI;

  /** Hears of keys that were written. */
  Consumer<String> written = key -> {};

  /** Whether those who write a key may not hear of each other. */
  boolean isParted;

  /** Whether no read may be stale. */
  boolean isStrict;

  PeerLoad(PeerWorld peers, int keys) {
    this.peers = peers;
    this.world = peers.world;
    this.random = peers.world.random;
    this.keys = keys;
  }

  Map<String, Integer> counts() {
    return counts;
  }

  void count(String what, int by) {
    if (Boolean.getBoolean("dht.trace") && by > 0) {
      System.out.println(world.now() / KeeperWorld.MILLI + " " + what);
    }
    counts.merge(what, by, Integer::sum);
  }

  static Identifier id(String key) {
    return Identifier.hash(Identifier.SHA_1, key.getBytes(UTF_8));
  }

  /** Starts a client, which goes on as long as its node is up, and again when it is. */
  void begin(NodeId at) {
    new Client(at).next();
  }

  /** Writes every key once, from one node after the other. */
  void fill() {
    for (int i = 0; i < keys; i++) {
      List<PeerWorld.Node> nodes = peers.nodes();
      String key = "k" + i;
      PeerWorld.Node node = nodes.get(i % nodes.size());
      world.at(
          random.nextLong(KeeperWorld.SECOND), () -> write(node, Ask.Kind.STORE, key, () -> {}));
    }
  }

  private final class Client {
    private final NodeId at;

    Client(NodeId at) {
      this.at = at;
    }

    void next() {
      if (isOver) {
        return;
      }
      boolean isHot = random.nextInt(10) < 4;
      int number = isHot ? random.nextInt(HOT) : random.nextInt(keys);
      String key = "k" + number;
      if (!(world.computer(at).machine() instanceof PeerWorld.Node node)) {
        later();
        return;
      }
      int what = random.nextInt(10);
      boolean[] isHeard = new boolean[1];
      Runnable then =
          () -> {
            isHeard[0] = true;
            later();
          };
      if (what < 4 || (!isHot && what < 6)) {
        fetch(node, key, reply -> then.run());
      } else {
        boolean isRemoval = what == 9 && number % REMOVABLE == 0;
        write(node, isRemoval ? Ask.Kind.REMOVE : Ask.Kind.STORE, key, then);
      }
      // Whoever waits when the node is killed never hears.
      world.at(
          DEADLINE + KeeperWorld.SECOND,
          () -> {
            if (!isHeard[0]) {
              later();
            }
          });
    }

    private void later() {
      world.at(random.nextLong(pauseNanos), this::next);
    }
  }

  private void write(PeerWorld.Node node, Ask.Kind kind, String key, Runnable then) {
    long begun = world.now();
    byte[] content = kind == Ask.Kind.REMOVE ? null : content();
    node.ask(
        ask(kind, key, content),
        DEADLINE,
        reply -> {
          Answer answer = reply.answer();
          boolean isDone = !reply.isOver() && answer.code() == Answer.Code.DONE;
          count(reply.isOver() ? "in vain" : answer.code().name(), 1);
          if (isDone) {
            acknowledged(
                new Write(key, begun, world.now(), answer.version(), kind == Ask.Kind.REMOVE));
          }
          then.run();
        });
  }

  private byte[] content() {
    return ByteBuffer.allocate(8 + random.nextInt(100)).putLong(++numbers).array();
  }

  private Ask ask(Ask.Kind kind, String key, byte @Nullable [] content) {
    RequestKey request = new RequestKey(7, ++numbers);
    return new Ask(kind, id(key), key.getBytes(UTF_8), content, null, 0, 0, request, false);
  }

  /** Versions do not go back between writes of which one came after the other. */
  private void acknowledged(Write write) {
    List<Write> before = acknowledged.computeIfAbsent(write.key(), it -> new ArrayList<>());
    for (Write other : before) {
      if (!isParted
          && other.ended() < write.begun()
          && other.version().compareTo(write.version()) >= 0) {
        throw new AssertionError(write + " came after " + other);
      }
    }
    // What is far back in time cannot come back in another order.
    before.removeIf(it -> it.ended() < world.now() - 60 * KeeperWorld.SECOND && before.size() > 50);
    before.add(write);
    newest.merge(write.key(), write.version(), (a, b) -> a.compareTo(b) < 0 ? b : a);
    count("writes", 1);
    written.accept(write.key());
  }

  /** The newest version of a key that somebody was told. */
  DhtVersion known(String key) {
    return newest.getOrDefault(key, DhtVersion.NONE);
  }

  private void fetch(PeerWorld.Node node, String key, Consumer<Reply> then) {
    DhtVersion known = known(key);
    node.ask(
        ask(Ask.Kind.FETCH, key, null),
        DEADLINE,
        reply -> {
          boolean isDone = !reply.isOver() && reply.answer().code() == Answer.Code.DONE;
          count(reply.isOver() ? "reads in vain" : "reads", 1);
          Value value = reply.answer().value();
          boolean isStale =
              value == null
                  ? !known.equals(DhtVersion.NONE) && !isRemovable(key)
                  : value.version().compareTo(known) < 0;
          if (isDone && isStale) {
            stale(node + " reads " + value + " of " + key + " after " + known);
          }
          then.accept(reply);
        });
  }

  private static boolean isRemovable(String key) {
    return Integer.parseInt(key.substring(1)) % REMOVABLE == 0;
  }

  private void stale(String what) {
    count("stale reads", 1);
    if (isStrict) {
      throw new AssertionError(world.now() / KeeperWorld.MILLI + ": " + what);
    }
  }

  // ---- whether a node may lose what it has ---------------------------------------------------

  /** A node is lost with what it has. */
  void lost() {
    lostAt = world.now();
  }

  /** Notes which keys have all of their copies. */
  void look() {
    Function<Identifier, List<PeerWorld.Node>> placing = peers.placing();
    for (String key : acknowledged.keySet()) {
      Identifier id = id(key);
      DhtVersion known = known(key);
      boolean isRepaired = true;
      for (PeerWorld.Node node : placing.apply(id)) {
        Value value = node.shelf.values.get(id);
        isRepaired &= value != null && value.version().compareTo(known) >= 0;
      }
      if (isRepaired) {
        sound.put(key, world.now());
      }
    }
  }

  /**
   * Whether, since a node was lost, every key was on all of its keepers, or was written anew: so
   * one less than a write waits for may get lost again.
   */
  boolean isSound() {
    look();
    for (Map.Entry<String, List<Write>> it : acknowledged.entrySet()) {
      long written = it.getValue().get(0).begun();
      DhtVersion known = known(it.getKey());
      for (Write write : it.getValue()) {
        written = write.version().equals(known) ? write.begun() : written;
      }
      if (Math.max(written, sound.getOrDefault(it.getKey(), 0L)) <= lostAt) {
        return false;
      }
    }
    return true;
  }

  // ---- at the end ----------------------------------------------------------------------------

  /** Which write that was acknowledged is not on any node that is up; null if all are. */
  @Nullable String loss() {
    Map<Identifier, Value> there = peers.newest();
    for (String key : acknowledged.keySet()) {
      Value value = there.get(id(key));
      if (value == null || value.version().compareTo(known(key)) < 0) {
        return key + " has " + value + ", not " + known(key);
      }
    }
    return null;
  }

  /** Reads every key through every node, and complains of what is not the newest. */
  void checkReads() {
    Map<Identifier, Value> expected = peers.newest();
    int[] left = new int[1];
    for (PeerWorld.Node node : peers.nodes()) {
      for (int i = 0; i < keys; i++) {
        String key = "k" + i;
        Value value = expected.get(id(key));
        left[0]++;
        world.at(
            random.nextLong(5 * KeeperWorld.SECOND),
            () ->
                fetch(
                    node,
                    key,
                    reply -> {
                      left[0]--;
                      check(node + " reads " + key, value, reply);
                    }));
        // What a former owner said to be its replicas' holds for a while after a partition.
        if (i % 10 == 0 && !isParted) {
          left[0]++;
          node.look(
              id(key),
              DEADLINE,
              reply -> {
                left[0]--;
                check(node + " looks at " + key, value, reply);
              });
        }
      }
    }
    world.run(5 * KeeperWorld.SECOND + DEADLINE + KeeperWorld.SECOND);
    if (left[0] > 0) {
      throw new AssertionError(left[0] + " reads were not answered");
    }
  }

  private void check(String what, @Nullable Value expected, Reply reply) {
    Value value = reply.answer().value();
    boolean isThere =
        expected != null && expected.isThere(world.computer(PeerWorld.node(1)).wallMillis());
    boolean isRight =
        !reply.isOver()
            && reply.answer().code() == Answer.Code.DONE
            && (isThere
                ? value != null && value.version().equals(expected.version())
                : value == null);
    if (!isRight) {
      throw new AssertionError(what + ": " + reply + ", not " + expected);
    }
  }
}
