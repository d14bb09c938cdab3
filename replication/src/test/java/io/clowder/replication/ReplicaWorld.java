// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.simulator.World;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/** Some nodes with a replica each, a network, and consensus; virtual time, one seed. */
final class ReplicaWorld {
  static final long MICRO = 1_000;
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;

  record Way(NodeId source, NodeId target) {}

  final SplittableRandom random;
  final List<Box> boxes = new ArrayList<>();
  final ConfigService consensus;
  final Set<Way> blocked = new HashSet<>();
  Timing timing = Timing.USUAL;
  private final World world;

  /** What is committed, the same everywhere. */
  private final List<byte[]> committed = new ArrayList<>();

  /** When each of that was first taken for committed. */
  private final List<Long> committedAt = new ArrayList<>();

  /** After which record each key has had which version. */
  private final Map<String, TreeMap<Long, Long>> versions = new HashMap<>();

  private long lives;
  private long tickets;

  /** Share of messages that get lost, or come twice. */
  double loss;

  /** Share of what consensus is asked, and of what it tells, that takes very long. */
  double lateness;

  /** Least delay of a message, and mean of what comes on top. */
  long delay = MILLI / 5;

  long jitter = MILLI / 2;

  /** How long a sync takes, and mean of what comes on top. */
  long sync = MILLI / 2;

  long syncJitter = MILLI;

  /** How long a node works on a message, a read or a write, one after the other. */
  long service;

  long messages;

  /** Bytes of messages to each node. */
  final Map<NodeId, Long> bytes = new HashMap<>();

  /** A node makes a snapshot in one of so many ticks, about, and forgets what is over so much. */
  int snapshotEvery = Integer.MAX_VALUE;

  long logBytes = Long.MAX_VALUE;

  long fetched;

  /** Snapshots that were offered, and damaged. */
  long refused;

  /** Copies that were given up, as some of them was damaged. */
  long givenUp;

  /** Whether several events may come together before a node sends what they made it say. */
  boolean isBatching;

  ReplicaWorld(long seed, int count, int minInsync, boolean isDrifting) {
    random = new SplittableRandom(seed);
    world = new World(seed);
    SortedSet<ReplicaId> members = new TreeSet<>();
    for (int i = 1; i <= count; i++) {
      double rate = isDrifting ? 0.99 + random.nextInt(3) * 0.01 : 1;
      boxes.add(new Box(this, new NodeId("n" + i), rate));
      members.add(new ReplicaId(new NodeId("n" + i), 1));
    }
    consensus = new ConfigService(this, minInsync, members);
  }

  ReplicaWorld startAll() {
    boxes.forEach(Box::start);
    return this;
  }

  long now() {
    return world.now();
  }

  long nextLife() {
    return ++lives;
  }

  long nextTicket() {
    return ++tickets;
  }

  Box box(NodeId id) {
    return boxes.stream().filter(it -> it.node.equals(id)).findFirst().orElseThrow();
  }

  ReplicaWorld runFor(long nanos) {
    world.runUntil(world.now() + nanos);
    return this;
  }

  void after(long nanos, Runnable action) {
    world.after(nanos, "event", action);
  }

  /** A random time with this mean. */
  long around(long mean) {
    return (long) (-Math.log(1 - random.nextDouble()) * mean);
  }

  /** How long something takes on the way. */
  long travel() {
    return delay + around(jitter);
  }

  /** How long a message of consensus takes, which may wait in many queues. */
  long travelLate(long most) {
    return random.nextDouble() < lateness ? random.nextLong(most) : travel();
  }

  boolean isBlocked(NodeId source, NodeId target) {
    return blocked.contains(new Way(source, target));
  }

  void send(Box source, ReplicaId to, ReplicaMessage message) {
    byte[] encoded = message.encode();
    messages++;
    bytes.merge(to.node(), (long) encoded.length, Long::sum);
    int copies = random.nextDouble() < loss ? random.nextInt(2) * 2 : 1;
    Box target = box(to.node());
    ReplicaId from = source.id();
    for (int i = 0; i < copies; i++) {
      if (isBlocked(from.node(), to.node())) {
        continue;
      }
      after(
          travel(),
          () -> {
            if (target.id().equals(to) && !isBlocked(from.node(), to.node())) {
              target.serve(it -> it.received(from, ReplicaMessage.decode(encoded), target.time()));
            }
          });
    }
  }

  /** What a snapshot shows is what the records made. */
  void check(Image image) {
    Contents contents = new Contents();
    for (int seq = 1; seq <= image.seq(); seq++) {
      contents.apply(record(seq));
    }
    if (!Arrays.equals(
        BoxDisk.write(image), BoxDisk.write(contents.image(image.seq(), image.epoch())))) {
      throw new AssertionError("a snapshot of " + image.seq() + " is something else");
    }
  }

  /** A replica took a record for committed. */
  void committed(Box box, LogRecord record) {
    byte[] bytes = Encoded.bytes(record);
    if (record.seq() == committed.size() + 1L) {
      committed.add(bytes);
      committedAt.add(now());
      for (LogRecord.Effect effect : record.effects()) {
        versions
            .computeIfAbsent(effect.key(), it -> new TreeMap<>())
            .put(record.seq(), effect.value() == null ? 0 : record.seq());
      }
    } else if (!Arrays.equals(bytes, committed.get((int) record.seq() - 1))) {
      throw new AssertionError(
          box.node + " commits another record: " + record + ", not " + record((int) record.seq()));
    }
  }

  /** How much was committed before some time. */
  long committedBefore(long time) {
    int count = committedAt.size();
    while (count > 0 && committedAt.get(count - 1) >= time) {
      count--;
    }
    return count;
  }

  /** The version of a key after a record. */
  long version(String key, long seq) {
    Map.Entry<Long, Long> last = versions.getOrDefault(key, new TreeMap<>()).floorEntry(seq);
    return last == null ? 0 : last.getValue();
  }

  LogRecord record(int seq) {
    return Encoded.record(committed.get(seq - 1));
  }

  int committed() {
    return committed.size();
  }
}
