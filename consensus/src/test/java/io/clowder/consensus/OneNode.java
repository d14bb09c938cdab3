// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.bytes;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A group on one node whose time, threads, disk and network are the test's. */
final class OneNode implements Node {
  static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final long ELECTION_MILLIS = 400;

  final Workbench.Tasks disk = new Workbench.Tasks();
  final Workbench.Tasks background = new Workbench.Tasks();
  final Workbench.Tasks completions = new Workbench.Tasks();
  final MemoryStorage storage;
  final InstantProtocol protocol = new InstantProtocol();
  final Wire wire = new Wire();
  final Diary diary = new Diary();
  final Group group;
  final ConsensusService service;
  private final SortedMap<NodeId, Address> members = new TreeMap<>();

  long now = 1_000 * MILLIS;
  long wallMillis = 1_700_000_000_000L;

  /** Of the segment, once it was needed. */
  private long incarnation;

  /** A one-node group that serves machine {@code diary}. */
  static OneNode serving() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1);
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    return node;
  }

  /** The group on a directory, without any protocol yet; the first member is this node. */
  OneNode(MemoryStorage storage, String protocolName, NodeId... members) {
    this.storage = storage;
    for (NodeId member : members) {
      this.members.put(member, new Address("127.0.0.1", 1024 + this.members.size()));
    }
    GroupSetting setting =
        new GroupSetting(
            "main",
            protocolName,
            new TreeMap<>(),
            false,
            0,
            new CoreSetting.Timing(50 * MILLIS, ELECTION_MILLIS * MILLIS),
            Lease.of(10_000),
            1 << 20,
            10,
            4_000,
            1 << 20);
    Environment environment =
        new Environment(
            disk,
            background,
            completions,
            () -> now,
            () -> wallMillis,
            new SplittableRandom(++storage.lives),
            () -> {});
    group = new Group(setting, this, storage, wire, environment);
    service = group.addMachine("diary", diary);
  }

  /** The network: what was sent, and a way to deliver. */
  static final class Wire implements Transport {
    final List<String> sent = new ArrayList<>();
    final List<Link> links = new ArrayList<>();
    @Nullable Receiver receiver;

    @Override
    public boolean send(NodeId to, String topic, ByteBuffer payload) {
      byte[] bytes = new byte[payload.remaining()];
      payload.get(bytes);
      WireReader in = new WireReader(bytes);
      GroupMessage.Header.read(in);
      int kind = in.readByte();
      sent.add(
          to + " " + (kind == GroupMessage.PROTOCOL ? "protocol" : GroupMessage.read(kind, in)));
      return true;
    }

    @Override
    public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
      return send(to, topic, payload);
    }

    @Override
    public Registration listen(String topic, Receiver newReceiver) {
      receiver = newReceiver;
      return () -> receiver = null;
    }

    @Override
    public Registration meet(NodeId id, Address address) {
      return () -> {};
    }

    @Override
    public List<Link> links() {
      return links;
    }
  }

  @Override
  public NodeId id() {
    return N1;
  }

  @Override
  public String cluster() {
    return "test";
  }

  @Override
  public long incarnation() {
    return 77;
  }

  @Override
  public SortedMap<NodeId, Address> members() {
    return members;
  }

  /** One round of the loop. */
  void work() {
    group.doWork(now);
  }

  /** Everything that can happen at this time. */
  void settle() {
    boolean more;
    do {
      long next = group.doWork(now);
      more = next <= now;
      more |= disk.runAll();
      more |= background.runAll();
      more |= completions.runAll();
    } while (more);
  }

  /** Lets time pass in ticks. */
  void pass(Duration time) {
    long until = now + time.toNanos();
    while (now < until) {
      now = Math.min(until, now + 20 * MILLIS);
      settle();
    }
  }

  CompletionStage<Committed> submit(String command) {
    return service.submit(bytes(command), DEADLINE);
  }

  CompletionStage<byte[]> query(ReadConsistency consistency) {
    return service.query(bytes("all"), consistency, DEADLINE);
  }

  GroupStatus status() {
    CompletionStage<GroupStatus> status = group.status();
    work();
    return Workbench.done(status);
  }

  private GroupMessage.Header header(long directory) {
    if (incarnation == 0) {
      WireReader in = new WireReader(storage.journal().durable().get(0).bytes());
      if (in.readByte() != JournalWriter.SEGMENT) {
        throw new IllegalStateException("the journal does not begin with its segment");
      }
      incarnation = Segment.read(in).incarnation();
    }
    return new GroupMessage.Header(0, incarnation, directory);
  }

  /** A message of another node's driver comes in. */
  void deliver(NodeId from, long directory, GroupMessage message) {
    WireWriter out = new WireWriter(64);
    header(directory).write(out);
    message.write(out);
    deliver(from, out);
  }

  /** A message of another node's core comes in. */
  void deliver(NodeId from, long directory, Message message) {
    WireWriter out = new WireWriter(64);
    header(directory).write(out);
    out.writeByte(GroupMessage.PROTOCOL);
    protocol.codec().write(message, out);
    deliver(from, out);
  }

  void deliver(NodeId from, WireWriter bytes) {
    Transport.Receiver receiver = wire.receiver;
    if (receiver != null) {
      receiver.receive(from, bytes.toBuffer());
    }
  }
}
