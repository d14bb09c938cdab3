// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A consensus group on this node: the driver. One thread calls {@link #doWork}; the methods that
 * say so may be called from any thread and leave their work in an inbox.
 */
public final class Group implements Transport.Receiver {
  /** What callers are told that come too late. */
  static final String STOPPED = "this node's consensus service was stopped";

  private static final Logger log = LoggerFactory.getLogger(Group.class);

  /** Events of one round; more wait for the next, so that records are synced and messages sent. */
  private static final int ROUND_EVENTS = 4096;

  private static final long INBOX_BYTES_MAX = 128L << 20;
  private static final long TICK_NANOS = 20_000_000L;
  private static final long IDLE_TICK_NANOS = 100_000_000L;
  private static final long SPACE_NANOS = 2_000_000_000L;
  private static final long RETRY_NANOS = 1_000_000_000L;

  /** A leader that refuses, because it is handing over, is asked again after this. */
  private static final long HOLD_NANOS = 10_000_000L;

  /** A leader that takes nothing is asked again after this. */
  private static final long BUSY_NANOS = 100_000_000L;

  private static final long BUSY_SNAPSHOT_NANOS = 1_000_000_000L;
  private static final long FAILED_SNAPSHOT_NANOS = 10_000_000_000L;
  private static final long RESIGNATION_NANOS = 30_000_000_000L;

  private final GroupSetting setting;
  private final Node node;
  private final Storage storage;
  private final Transport transport;
  private final Environment environment;
  private final String topic;
  private final Transport.Registration registration;

  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final AtomicLong inboxBytes = new AtomicLong();

  private final Wiring wiring = new Wiring();
  private final ReplicatedState state = new ReplicatedState(wiring);
  private final Completions completions;
  private final Requests requests;
  private final Reads reads;
  private final SessionClock sessionClock = new SessionClock();
  private final Health health;
  private final TreeMap<String, ConsensusProtocol> providers = new TreeMap<>();

  private @Nullable SnapshotTransfer transfer;
  private @Nullable Replica replica;
  private @Nullable ConsensusProtocol protocol;
  private volatile GroupMessage.@Nullable Header header;
  private volatile String protocolName;
  private boolean journalOpen;
  private @Nullable Closing closing;
  private volatile boolean closed;

  private long now;
  private long nextTick;
  private long nextSpaceLook;
  private long retryOpenAt;
  private long holdUntil;
  private boolean leads;
  private @Nullable NodeId leader;
  private long term;
  private long lastTicket;
  private long undecidedBytes;

  /** What is to be proposed besides this node's own commands. */
  private List<byte[]> forwarded = new ArrayList<>();

  private boolean snapshotUnderWay;
  private long snapshotPosition;
  private long snapshotSize;

  private long nextSnapshotAt;
  private long nextResignation;
  private long nextRenewal;
  private long highestApplied;

  /** A replica on its way out: it hands its leadership over, but not for ever. */
  private record Closing(long deadline, List<CompletableFuture<Void>> waiting) {}

  /** A group that has no protocol and no machines yet. Listens to its topic at once. */
  public Group(
      GroupSetting setting,
      Node node,
      Storage storage,
      Transport transport,
      Environment environment) {
    this.setting = setting;
    this.node = node;
    this.storage = storage;
    this.transport = transport;
    this.environment = environment;
    this.protocolName = setting.protocol();
    this.topic = "consensus/" + setting.name();
    this.health = new Health(setting, node, transport);
    this.completions = new Completions(environment.completions());
    this.requests = new Requests(wiring, completions);
    this.reads = new Reads(wiring, requests, completions);
    this.now = environment.nanoClock().getAsLong();
    this.nextTick = now;
    this.nextSpaceLook = now;
    this.retryOpenAt = now;
    this.holdUntil = now;
    this.nextSnapshotAt = now;
    this.nextResignation = now;
    this.nextRenewal = now;
    // Answers to an earlier life of this node must not be taken for answers to this one.
    this.lastTicket = environment.random().nextLong() >>> 16;
    this.registration = transport.listen(topic, this);
  }

  // --- from any thread --------------------------------------------------------------------------

  /** A provider of a protocol is there. Any thread. */
  public void addProtocol(String name, ConsensusProtocol provider) {
    enqueue(() -> providers.put(name, provider));
  }

  /**
   * A provider is about to go. Any thread; completes when the group does not use it any more,
   * having handed its leadership over if it could.
   */
  public CompletionStage<Void> removeProtocol(String name, ConsensusProtocol provider) {
    CompletableFuture<Void> left = new CompletableFuture<>();
    if (closed) {
      left.complete(null);
      return left;
    }
    enqueue(
        () -> {
          providers.remove(name, provider);
          if (protocol == provider) {
            retire(left);
          } else {
            left.complete(null);
          }
        });
    return left;
  }

  /** A machine is there; it catches up, then takes part. Any thread. */
  public ConsensusService addMachine(String name, StateMachine machine) {
    enqueue(
        () -> {
          SnapshotTransfer source = transfer;
          boolean loading = replica != null && source != null;
          state.attach(name, machine, loading);
          if (loading && source != null) {
            load(source, name, machine);
          }
        });
    return new GroupService(this, name, requests, environment);
  }

  /** A machine is about to go; completes when it will not be called any more. Any thread. */
  public CompletionStage<Void> removeMachine(String name, StateMachine machine) {
    CompletableFuture<Void> left = new CompletableFuture<>();
    if (closed) {
      left.complete(null);
      return left;
    }
    enqueue(
        () -> {
          if (state.detach(name, machine)) {
            String message = "the bundle of machine '" + name + "' was stopped on this node";
            requests.failAll(name, message);
            reads.failAll(name, message);
          }
          // Its snapshot may be on its way to the disk.
          environment.background().execute(() -> left.complete(null));
        });
    return left;
  }

  boolean isClosed() {
    return closed;
  }

  /** The protocol of the current segment. Any thread. */
  public String protocol() {
    return protocolName;
  }

  /**
   * Hands leadership over, then stops; {@link #doWork} must go on being called until the stage
   * completes. Any thread.
   */
  public CompletionStage<Void> close() {
    CompletableFuture<Void> left = new CompletableFuture<>();
    enqueue(
        () -> {
          closed = true;
          providers.clear();
          retire(left);
        });
    return left;
  }

  /**
   * What this node knows of the group, as of now. Any thread; waits up to a second for the loop.
   */
  public CompletionStage<GroupStatus> status() {
    CompletableFuture<GroupStatus> result = new CompletableFuture<>();
    enqueue(() -> result.complete(statusNow()));
    return result;
  }

  @Override
  public void receive(NodeId from, ByteBuffer payload) {
    int size = payload.remaining();
    if (inboxBytes.addAndGet(size) > INBOX_BYTES_MAX) {
      // The loop does not keep up; every sender repeats what matters.
      inboxBytes.addAndGet(-size);
      return;
    }
    enqueue(
        () -> {
          inboxBytes.addAndGet(-size);
          receiveNow(from, payload);
        });
  }

  void enqueue(Runnable task) {
    inbox.add(task);
    environment.wakeup().run();
  }

  /** A command; {@link Requests#admit} was called for it. */
  void submit(Requests.Pending pending) {
    enqueue(
        () -> {
          if (closed) {
            requests.add(pending);
            requests.failAll(null, STOPPED);
          } else if (health.isDiskLow()) {
            requests.leave(pending.payload.length);
            completions.fail(
                pending.result,
                CoordinationException.refused(Reason.UNAVAILABLE, health.diskMessage()));
          } else {
            requests.add(pending);
          }
        });
  }

  /** A query; {@link Requests#admit} was called for it. */
  void query(Reads.Query query, ReadConsistency consistency) {
    enqueue(
        () -> {
          if (closed) {
            reads.add(query);
            reads.failAll(null, STOPPED);
          } else if (consistency == ReadConsistency.LINEARIZABLE) {
            reads.add(query);
          } else {
            // A replica that was opened again may not have come back yet to where it was.
            reads.addAt(consistency == ReadConsistency.SEQUENTIAL ? highestApplied : 0, query);
          }
        });
  }

  // --- the loop ---------------------------------------------------------------------------------

  /**
   * One round: takes what came in, lets the core act on it, hands records to the disk and messages
   * to the transport. Never waits, but for opening a journal.
   *
   * @param time of the environment's nano clock
   * @return when to call again if nothing comes in before; not after {@code time} if there is more
   *     to do
   */
  public long doWork(long time) {
    now = time;
    try {
      step(new Event.Clock(now));
      Runnable task;
      for (int i = 0; i < ROUND_EVENTS && (task = inbox.poll()) != null; i++) {
        task.run();
      }
      open();
      tick();
      settle();
      takeSnapshot();
    } catch (AssertionError | RuntimeException | LinkageError | VirtualMachineError e) {
      log.error("group {}: the replica stops", setting.name(), e);
      health.broken = "invariant: " + e;
      abandon();
    }
    completions.flush();
    if (!inbox.isEmpty()) {
      return now;
    }
    Replica current = replica;
    return current == null ? nextTick : Math.min(nextTick, current.wakeAt());
  }

  private void step(Event event) {
    Replica current = replica;
    if (current != null) {
      current.step(event);
    }
  }

  /** Goes on until nothing is left that could happen now, then syncs what has gathered. */
  private void settle() {
    boolean more;
    do {
      Replica current = replica;
      more = current != null && current.drain();
      more |= route();
      more |= reads.run();
    } while (more);
    Replica current = replica;
    if (current != null) {
      current.journal().flush(now);
    }
  }

  /** Brings commands and reads to whoever leads. */
  private boolean route() {
    if (replica == null || now - holdUntil < 0) {
      return false;
    }
    boolean commands = leads ? propose() : forward();
    boolean barrier = reads.start(now);
    return commands || barrier;
  }

  private boolean propose() {
    List<byte[]> batch = forwarded;
    forwarded = new ArrayList<>();
    batch.addAll(requests.take(now, Limits.UNDECIDED_BYTES - undecidedBytes));
    if (batch.isEmpty()) {
      return false;
    }
    long time = environment.wallMillis().getAsLong();
    for (byte[] envelope : batch) {
      Envelope.stamp(envelope, time);
      undecidedBytes += envelope.length;
    }
    step(new Event.Propose(++lastTicket, batch));
    return true;
  }

  private boolean forward() {
    NodeId to = leader;
    if (to == null) {
      return false;
    }
    List<byte[]> batch = requests.take(now, Limits.BATCH_BYTES);
    if (batch.isEmpty()) {
      return false;
    }
    wiring.send(to, new GroupMessage.Forward(batch));
    return true;
  }

  private void tick() {
    if (now - nextTick < 0) {
      return;
    }
    boolean idle = requests.isEmpty() && reads.isEmpty() && closing == null;
    nextTick = now + (idle ? IDLE_TICK_NANOS : TICK_NANOS);
    requests.expire(now, this::because);
    reads.expire(now, this::because);
    if (leads) {
      sessionClock.due(now).forEach(id -> forwarded.add(new Envelope.Expire(id).encode()));
    } else {
      requests.retry(now);
    }
    reads.retry(now);
    renew();
    lookAtSpace();
    Closing leaving = closing;
    if (leaving != null && (!leads || now - leaving.deadline >= 0)) {
      abandon();
    }
  }

  /** For the message of a time-out: why nothing moves, as far as this node knows. */
  private String because() {
    List<String> problems = problems();
    return problems.isEmpty() ? "" : ": " + String.join("; ", problems);
  }

  private List<String> problems() {
    return health.problems(
        now, replica, protocolName, providers.containsKey(protocolName), state.absent());
  }

  private GroupStatus statusNow() {
    Replica current = replica;
    ProtocolCore.View view = current == null ? null : current.core().view();
    Segment segment = current == null ? null : current.segment();
    return new GroupStatus(
        setting.name(),
        node.id(),
        protocolName,
        segment == null ? 0 : segment.number(),
        view == null ? "down" : view.role(),
        leader,
        view == null ? term : view.term(),
        view == null ? state.applied() : view.decided(),
        state.applied(),
        snapshotPosition,
        current == null ? 0 : current.journal().syncs(),
        segment == null ? List.copyOf(node.members().keySet()) : segment.members(),
        problems());
  }

  // --- opening and closing a replica ------------------------------------------------------------

  private void open() {
    if (replica != null
        || journalOpen
        || snapshotUnderWay
        || closed
        || !health.broken.isEmpty()
        || now - retryOpenAt < 0) {
      return;
    }
    ConsensusProtocol provider = providers.get(protocolName);
    if (provider == null) {
      return;
    }
    try {
      open(provider);
      health.opening = "";
    } catch (IOException e) {
      retryOpenAt = now + RETRY_NANOS;
      if (e instanceof Storage.CorruptionException) {
        health.broken = "disk: " + e.getMessage();
      } else {
        health.opening = "disk: " + e.getMessage();
      }
      log.error("group {} cannot be opened: {}", setting.name(), e.getMessage());
    }
  }

  private void open(ConsensusProtocol provider) throws IOException {
    if (transfer == null) {
      Snapshots snapshots = storage.openSnapshots(setting.name());
      transfer = new SnapshotTransfer(snapshots, environment.background(), wiring);
    }
    Snapshots.Snapshot latest = transfer.latest();
    byte[] anchor = new byte[0];
    Segment segment = null;
    if (latest != null) {
      anchor = restore(latest);
      segment = state.chain().get(state.chain().size() - 1);
    }
    String name = setting.name() + "/" + (segment == null ? 0 : segment.number());
    Recovery recovery = Recovery.read(storage, name, protocolName, provider);
    journalOpen = true;
    state.remember(recovery.directories());
    boolean opened = false;
    try {
      Segment found = recovery.segment();
      if (segment != null && found != null && !segment.equals(found)) {
        throw new IllegalStateException(
            "the snapshot is of " + segment + ", the journal of " + found);
      }
      if (segment == null) {
        segment = found == null ? firstSegment() : found;
      }
      if (latest == null) {
        state.begin(segment);
      }
      if (!segment.protocol().equals(protocolName)) {
        log.info("group {}: protocol {}, as its journal says", setting.name(), segment.protocol());
        protocolName = segment.protocol();
        return;
      }
      start(provider, recovery, segment, anchor, found == null);
      opened = true;
    } finally {
      if (!opened) {
        journalOpen = false;
        recovery.journal().close();
      }
    }
  }

  private Segment firstSegment() {
    // The same on every node without a word between them, and another one in every cluster.
    long incarnation = 0xCBF29CE484222325L;
    for (char c : (node.cluster() + "/" + setting.name()).toCharArray()) {
      incarnation = (incarnation ^ c) * 0x100000001B3L;
    }
    return new Segment(0, incarnation, protocolName, 1, List.copyOf(node.members().keySet()));
  }

  private void start(
      ConsensusProtocol provider,
      Recovery recovery,
      Segment segment,
      byte[] anchor,
      boolean describe) {
    CoreSetting core =
        new CoreSetting(
            node.id(),
            segment.members(),
            segment.firstPosition(),
            state.applied(),
            anchor,
            setting.timing(),
            environment.random());
    ProtocolCore opened = provider.open(core, recovery.records());
    JournalWriter journal =
        new JournalWriter(
            recovery.journal(), provider.codec(), environment.disk(), new DiskOutcome());
    if (describe) {
      wiring.describe(journal, segment);
    }
    protocol = provider;
    header = new GroupMessage.Header(segment.number(), segment.incarnation(), node.incarnation());
    replica = new Replica(segment, node.id(), opened, journal, wiring);
    step(new Event.Clock(now));
    log.info("group {}: {} opened at position {}", setting.name(), protocolName, state.applied());
  }

  /** Lets the replica go, after it has handed over its leadership. */
  private void retire(CompletableFuture<Void> left) {
    if (replica == null) {
      finish(List.of(left));
      return;
    }
    Closing leaving = closing;
    if (leaving == null) {
      leaving = new Closing(now + 2 * setting.timing().electionNanos(), new ArrayList<>());
      closing = leaving;
      nextTick = now;
      step(new Event.Resign());
    }
    leaving.waiting.add(left);
  }

  /** Lets the replica go at once. */
  private void abandon() {
    Replica current = replica;
    Closing leaving = closing;
    closing = null;
    replica = null;
    protocol = null;
    header = null;
    wiring.follow(null, term);
    sessionClock.stop();
    List<CompletableFuture<Void>> waiting = leaving == null ? List.of() : leaving.waiting;
    if (current == null) {
      finish(waiting);
      return;
    }
    current
        .journal()
        .close(
            () -> {
              journalOpen = false;
              finish(waiting);
            });
  }

  private void finish(List<CompletableFuture<Void>> waiting) {
    if (closed) {
      registration.close();
      requests.failAll(null, STOPPED);
      reads.failAll(null, STOPPED);
    }
    completions.then(() -> waiting.forEach(left -> left.complete(null)));
  }

  // --- snapshots and machines -------------------------------------------------------------------

  /** Replaces the state by a snapshot; returns its anchor. */
  private byte[] restore(Snapshots.Snapshot snapshot) throws IOException {
    try (InputStream content = snapshot.open()) {
      SnapshotFormat.Head head = state.restore(content);
      if (head.position() != snapshot.position()) {
        throw new Storage.CorruptionException(
            "the snapshot at " + snapshot.position() + " says it is at " + head.position());
      }
      snapshotPosition = snapshot.position();
      snapshotSize = snapshot.size();
      requests.reconcile(state.sessions(), snapshotPosition);
      return head.anchor();
    }
  }

  private void load(SnapshotTransfer source, String name, StateMachine machine) {
    long none = state.chain().get(0).firstPosition() - 1;
    source.load(
        name,
        machine,
        none,
        position -> {
          if (state.catchUp(name, machine, position)) {
            requests.collect(state.sessions());
          } else {
            load(source, name, machine);
          }
        });
  }

  private void takeSnapshot() {
    Replica current = replica;
    SnapshotTransfer target = transfer;
    if (current == null || target == null || snapshotUnderWay || !isSnapshotDue()) {
      return;
    }
    if (state.absent().isEmpty()) {
      snapshotUnderWay = true;
      target.make(state.capture(current.core().anchor(state.applied())));
    } else if (state.historyBytes() > setting.historyBytesMax()) {
      throw new IllegalStateException(
          "the log since the last snapshot takes "
              + state.historyBytes()
              + " bytes, because these machines are away: "
              + state.absent());
    }
  }

  private boolean isSnapshotDue() {
    boolean grown =
        state.historyBytes() > Math.max(setting.snapshotBytes(), snapshotSize)
            || state.historySize() > setting.snapshotEntries();
    boolean inTime = now - nextSnapshotAt >= 0 || state.historyBytes() > setting.historyBytesMax();
    return grown && inTime;
  }

  // --- sessions ---------------------------------------------------------------------------------

  private void renew() {
    long session = requests.session().id();
    if (session == 0 || now - nextRenewal < 0) {
      return;
    }
    nextRenewal = now + setting.sessionTtlMillis() * 1_000_000L / 10;
    GroupMessage.Renew renewal = new GroupMessage.Renew(session, now);
    NodeId to = leader;
    if (leads) {
      confirm(node.id(), renewal);
    } else if (to != null) {
      wiring.send(to, renewal);
    }
  }

  /**
   * Confirms a session, as the leader. Only after a barrier that started after the renewal came in:
   * a leader that was deposed meanwhile confirms nothing, and its successor gives every session its
   * full time after that.
   */
  private void confirm(NodeId owner, GroupMessage.Renew renewal) {
    long received = now;
    reads.whenLeading(
        position -> {
          Sessions.Session session = state.sessions().get(renewal.session());
          boolean alive = session != null && !sessionClock.isEnding(renewal.session());
          if (alive && session != null) {
            sessionClock.renew(session, received);
          }
          GroupMessage.Renewed answer =
              new GroupMessage.Renewed(renewal.session(), renewal.id(), alive);
          if (owner.equals(node.id())) {
            renewed(answer);
          } else {
            wiring.send(owner, answer);
          }
        });
  }

  private void renewed(GroupMessage.Renewed answer) {
    if (answer.alive()) {
      requests.renewed(answer.session(), answer.id(), setting.sessionTtlMillis());
    }
  }

  private void lookAtSpace() {
    if (now - nextSpaceLook < 0) {
      return;
    }
    nextSpaceLook = now + SPACE_NANOS;
    environment
        .background()
        .execute(
            () -> {
              try {
                long free = storage.freeBytes();
                enqueue(() -> spaceIs(free));
              } catch (IOException e) {
                log.warn("cannot tell the free space of the disk: {}", e.toString());
              }
            });
  }

  private void spaceIs(long free) {
    boolean low = free < setting.reserveBytes();
    health.freeBytes = low ? free : -1;
    if (low && leads && now - nextResignation >= 0) {
      // Somebody with room should lead. Not over and over: perhaps nobody has any.
      nextResignation = now + RESIGNATION_NANOS;
      step(new Event.Resign());
    }
  }

  // --- messages ---------------------------------------------------------------------------------

  private void receiveNow(NodeId from, ByteBuffer payload) {
    Replica current = replica;
    ConsensusProtocol provider = protocol;
    if (current == null || provider == null || !current.segment().members().contains(from)) {
      return;
    }
    try {
      WireReader in =
          new WireReader(
              payload.array(), payload.arrayOffset() + payload.position(), payload.remaining());
      GroupMessage.Header its = GroupMessage.Header.read(in);
      int kind = in.readByte();
      Long directory = state.incarnation(from);
      if (directory != null && directory != its.directory()) {
        if (kind == GroupMessage.PROTOCOL) {
          wiring.send(from, new GroupMessage.Stranger(directory));
        }
        return;
      }
      if (its.segment() != current.segment().number()
          || its.incarnation() != current.segment().incarnation()) {
        return;
      }
      if (kind == GroupMessage.PROTOCOL) {
        Message message = provider.codec().read(in);
        in.expectEnd();
        current.step(new Event.Receive(from, message));
      } else {
        receive(from, GroupMessage.read(kind, in));
      }
    } catch (WireFormatException e) {
      health.malformed(from, e, now);
    }
  }

  private void receive(NodeId from, GroupMessage message) {
    SnapshotTransfer files = transfer;
    if (message instanceof GroupMessage.Forward m) {
      if (leads) {
        take(from, m);
      }
    } else if (message instanceof GroupMessage.Busy m) {
      health.leader = from + " leads and takes nothing new, " + m.reason();
      holdUntil = now + BUSY_NANOS;
    } else if (message instanceof GroupMessage.ReadAt m) {
      if (leads) {
        reads.whenLeading(
            position -> wiring.send(from, new GroupMessage.ReadFrom(m.id(), position)));
      }
    } else if (message instanceof GroupMessage.ReadFrom m) {
      reads.ready(m.id(), m.position());
    } else if (message instanceof GroupMessage.Renew m) {
      if (leads) {
        confirm(from, m);
      }
    } else if (message instanceof GroupMessage.Renewed m) {
      renewed(m);
    } else if (message instanceof GroupMessage.Stranger m) {
      health.stranger = m.expected() != node.incarnation();
    } else if (files == null) {
      return;
    } else if (message instanceof GroupMessage.Offer m) {
      if (m.position() > state.applied()) {
        files.accept(from, m);
      }
    } else if (message instanceof GroupMessage.Want m) {
      // A newer snapshot would make the laggard begin again.
      nextSnapshotAt = now + BUSY_SNAPSHOT_NANOS;
      files.give(from, m);
    } else if (message instanceof GroupMessage.Chunk m) {
      files.take(from, m);
    } else {
      throw new AssertionError(message);
    }
  }

  private void take(NodeId from, GroupMessage.Forward message) {
    if (health.isDiskLow()) {
      wiring.send(from, new GroupMessage.Busy(health.diskMessage()));
    } else if (undecidedBytes >= Limits.UNDECIDED_BYTES) {
      wiring.send(from, new GroupMessage.Busy("overloaded: too much is proposed and not decided"));
    } else {
      message.envelopes().stream().filter(Envelope::isProposable).forEach(forwarded::add);
    }
  }

  /** What became of writes to the journal of one replica. */
  private final class DiskOutcome implements JournalWriter.Outcome {
    private boolean over;

    @Override
    public void enqueue(Runnable task) {
      Group.this.enqueue(task);
    }

    @Override
    public void failed(IOException failure) {
      if (over) {
        return;
      }
      over = true;
      log.error("group {}: the journal failed, the replica stops", setting.name(), failure);
      String message = String.valueOf(failure.getMessage());
      if (failure instanceof Storage.DiskFullException) {
        // Nothing was torn; the replica comes back from its disk when there is room.
        health.opening = "disk: " + message;
        retryOpenAt = now + RETRY_NANOS;
      } else {
        // Law 6: what is on the disk is unknown. Only a restart of the node reads it back.
        health.broken = "disk: " + message + "; restart the node once the disk is well";
      }
      abandon();
    }
  }

  /** What the parts of the group tell each other. All on the group's thread, unless noted. */
  private final class Wiring
      implements Replica.Outlet,
          Reads.Road,
          Requests.Identity,
          SnapshotTransfer.Peers,
          ReplicatedState.Outcomes {

    @Override
    public void enqueue(Runnable task) {
      Group.this.enqueue(task);
    }

    @Override
    public void send(NodeId to, Message message) {
      ConsensusProtocol provider = protocol;
      GroupMessage.Header ours = header;
      if (provider != null && ours != null) {
        WireWriter out = new WireWriter(256);
        ours.write(out);
        out.writeByte(GroupMessage.PROTOCOL);
        provider.codec().write(message, out);
        transport.send(to, topic, out.toBuffer());
      }
    }

    /** Any thread. */
    @Override
    public void send(NodeId to, GroupMessage message) {
      GroupMessage.Header ours = header;
      if (ours != null) {
        WireWriter out = new WireWriter(256);
        ours.write(out);
        message.write(out);
        transport.send(to, topic, out.toBuffer());
      }
    }

    @Override
    public void decide(Action.Decide decided) {
      long position = decided.firstSlot();
      for (byte[] command : decided.commands()) {
        if (position > state.applied()) {
          state.apply(position, command);
        }
        undecidedBytes = Math.max(0, undecidedBytes - command.length);
        position++;
      }
      highestApplied = Math.max(highestApplied, state.applied());
    }

    @Override
    public void ready(Action.Ready ready) {
      reads.ready(ready.ticket(), ready.slot());
    }

    @Override
    public void refuse(Action.Refuse refusal) {
      holdUntil = now + HOLD_NANOS;
      nextTick = Math.min(nextTick, holdUntil);
      if (!reads.refused(refusal.ticket())) {
        requests.resend();
      }
    }

    @Override
    public void lead(long newTerm) {
      log.info("group {}: leads in term {}", setting.name(), newTerm);
      leads = true;
      health.leader = "";
      leader = node.id();
      term = newTerm;
      undecidedBytes = 0;
      holdUntil = now;
      sessionClock.start(state.sessions(), now);
      requests.resend();
      reads.restart();
    }

    @Override
    public void follow(@Nullable NodeId newLeader, long newTerm) {
      boolean changed = leads || newTerm != term || !Objects.equals(leader, newLeader);
      leads = false;
      health.leader = "";
      leader = newLeader;
      term = newTerm;
      holdUntil = now;
      forwarded.clear();
      sessionClock.stop();
      if (changed) {
        requests.resend();
        reads.restart();
      }
    }

    @Override
    public void needSnapshot(NodeId peer) {
      if (transfer != null) {
        transfer.offer(peer);
      }
    }

    @Override
    public boolean leads() {
      return leads;
    }

    @Override
    public @Nullable NodeId leader() {
      return leads ? null : leader;
    }

    @Override
    public void barrier(long ticket) {
      step(new Event.Barrier(ticket));
    }

    @Override
    public long applied() {
      return state.applied();
    }

    @Override
    public @Nullable StateMachine machine(String name) {
      return state.machine(name);
    }

    @Override
    public boolean isComing(String name) {
      return state.isComing(name);
    }

    @Override
    public long ticket() {
      return ++lastTicket;
    }

    @Override
    public void describe(JournalWriter journal) {
      Replica current = replica;
      if (current != null) {
        describe(journal, current.segment());
      }
    }

    private void describe(JournalWriter journal, Segment segment) {
      journal.append(segment);
      state.directories().forEach(journal::append);
    }

    @Override
    public void met(NodeId who, long incarnation) {
      Replica current = replica;
      if (current != null) {
        current.journal().append(who, incarnation);
      }
    }

    @Override
    public Envelope.Open open(long nonce) {
      return new Envelope.Open(node.id(), node.incarnation(), nonce, setting.sessionTtlMillis());
    }

    @Override
    public long nonce() {
      return environment.random().nextLong();
    }

    @Override
    public void received(Snapshots.Snapshot snapshot) {
      if (replica == null || snapshot.position() <= state.applied()) {
        return;
      }
      try {
        byte[] anchor = restore(snapshot);
        log.info("group {}: caught up by a snapshot at {}", setting.name(), state.applied());
        step(new Event.Installed(snapshot.position(), anchor));
      } catch (IOException e) {
        throw new IllegalStateException("a snapshot just written cannot be read", e);
      }
    }

    @Override
    public void made(long position, long size) {
      snapshotUnderWay = false;
      health.snapshot = "";
      if (position > snapshotPosition && position <= state.applied()) {
        snapshotPosition = position;
        snapshotSize = size;
        state.forget(position);
        step(new Event.Compacted(position));
      }
    }

    @Override
    public void notMade(Throwable failure) {
      snapshotUnderWay = false;
      nextSnapshotAt = now + FAILED_SNAPSHOT_NANOS;
      health.snapshot = "disk: a snapshot could not be made: " + failure.getMessage();
      log.warn("group {}: {}", setting.name(), health.snapshot);
    }

    @Override
    public void opened(Sessions.Session session) {
      if (leads) {
        sessionClock.renew(session, now);
      }
      if (requests.opened(session)) {
        nextRenewal = now;
      }
    }

    @Override
    public void ended(long session) {
      sessionClock.ended(session);
      requests.ended(session);
    }

    @Override
    public void applied(
        long session, long sequence, Sessions.Result result, @Nullable RuntimeException failure) {
      if (!requests.isEarly(session, sequence, result, state::isComing)) {
        requests.applied(session, sequence, result, failure);
      }
    }
  }
}
