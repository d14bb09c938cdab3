// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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

  private static final long HUNG_NANOS = 1_000_000_000L;
  private static final long RESIGNATION_NANOS = 30_000_000_000L;

  private final GroupSetting setting;
  private final Node node;
  private final Storage storage;
  private final Environment environment;
  private final Transport.Registration registration;

  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final AtomicLong inboxBytes = new AtomicLong();

  private final Wiring wiring = new Wiring();
  private final ReplicatedState state = new ReplicatedState(wiring);
  private final Completions completions;
  private final Requests requests;
  private final Reads reads;
  private final Postbox postbox;
  private final Router router;
  private final Renewals renewals;
  private final Compaction compaction;
  private final Health health;
  private final TreeMap<String, ConsensusProtocol> providers = new TreeMap<>();

  private @Nullable Replica replica;
  private @Nullable ConsensusProtocol protocol;
  private volatile String protocolName;
  private boolean journalOpen;
  private @Nullable Closing closing;
  private volatile boolean closed;

  private long now;
  private long nextTick;
  private long nextSpaceLook;
  private long retryOpenAt;

  private long nextResignation;
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
    this.environment = environment;
    this.protocolName = setting.protocol();
    String topic = "consensus/" + setting.name();
    this.postbox = new Postbox(transport, topic);
    this.health = new Health(setting, node, transport);
    this.completions = new Completions(environment.completions());
    this.requests = new Requests(wiring, completions);
    this.reads = new Reads(wiring, requests, completions);
    this.now = environment.nanoClock().getAsLong();
    this.router =
        new Router(
            node.id(),
            requests,
            reads,
            postbox,
            health,
            environment.wallMillis(),
            environment.random().nextLong() >>> 16);
    this.renewals =
        new Renewals(node.id(), setting.sessionTtlMillis(), state, requests, reads, postbox, now);
    this.compaction =
        new Compaction(
            setting, storage, environment.background(), wiring, state, requests, health, now);
    this.nextTick = now;
    this.nextSpaceLook = now;
    this.retryOpenAt = now;
    this.nextResignation = now;
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
          boolean loading = replica != null;
          state.attach(name, machine, loading);
          if (loading) {
            compaction.load(name, machine);
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
      Replica current = replica;
      if (current != null) {
        compaction.run(current.core(), now);
      }
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
      more |= current != null && router.route(current::step, now);
      more |= reads.run();
    } while (more);
    Replica current = replica;
    if (current != null) {
      current.journal().flush(now);
    }
  }

  private void tick() {
    if (now - nextTick < 0) {
      return;
    }
    boolean idle = requests.isEmpty() && reads.isEmpty() && closing == null;
    nextTick = now + (idle ? IDLE_TICK_NANOS : TICK_NANOS);
    requests.expire(now, this::because);
    reads.expire(now, this::because);
    if (router.leads()) {
      renewals.due(now).forEach(session -> router.add(new Envelope.Expire(session)));
    } else {
      requests.retry(now);
    }
    reads.retry(now);
    renewals.renew(router.leads(), router.leader(), now);
    lookAtSpace();
    resignIfDiskHangs();
    Closing leaving = closing;
    if (leaving != null && (!router.leads() || now - leaving.deadline >= 0)) {
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
        router.leader(),
        view == null ? router.term() : view.term(),
        view == null ? state.applied() : view.decided(),
        state.applied(),
        compaction.position(),
        current == null ? 0 : current.journal().syncs(),
        segment == null ? List.copyOf(node.members().keySet()) : segment.members(),
        problems());
  }

  // --- opening and closing a replica ------------------------------------------------------------

  private void open() {
    if (replica != null
        || journalOpen
        || compaction.isUnderWay()
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
    Opening opening = new Opening(setting, node, storage, state, compaction, environment);
    Opening.Opened opened = opening.open(protocolName, provider, wiring);
    protocolName = opened.protocol();
    Replica current = opened.replica();
    if (current == null) {
      log.info("group {}: protocol {}, as its journal says", setting.name(), protocolName);
      return;
    }
    journalOpen = true;
    protocol = provider;
    replica = current;
    Segment segment = current.segment();
    postbox.open(
        new GroupMessage.Header(segment.number(), segment.incarnation(), node.incarnation()),
        provider.codec());
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
    postbox.close();
    wiring.follow(null, router.term());
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

  // --- the disk ---------------------------------------------------------------------------------

  /** A leader whose disk does not answer keeps everybody waiting (consul's raft, issue 503). */
  private void resignIfDiskHangs() {
    Replica current = replica;
    long since = current == null ? 0 : current.journal().writingSince();
    if (since != 0
        && router.leads()
        && now - since > setting.timing().electionNanos()
        && now - nextResignation >= 0) {
      nextResignation = now + HUNG_NANOS;
      step(new Event.Resign());
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
    if (low && router.leads() && now - nextResignation >= 0) {
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
          postbox.send(from, new GroupMessage.Stranger(directory));
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
    SnapshotTransfer files = compaction.transfer();
    if (message instanceof GroupMessage.Forward m) {
      router.take(from, m.envelopes());
    } else if (message instanceof GroupMessage.Busy m) {
      router.busy(from, m.reason(), now);
    } else if (message instanceof GroupMessage.ReadAt m) {
      if (router.leads()) {
        reads.whenLeading(
            position -> postbox.send(from, new GroupMessage.ReadFrom(m.id(), position)));
      }
    } else if (message instanceof GroupMessage.ReadFrom m) {
      reads.ready(m.id(), m.position());
    } else if (message instanceof GroupMessage.Renew m) {
      if (router.leads()) {
        renewals.confirm(from, m, now);
      }
    } else if (message instanceof GroupMessage.Renewed m) {
      renewals.renewed(m);
    } else if (message instanceof GroupMessage.Stranger m) {
      health.stranger = m.expected() != node.incarnation();
    } else if (files == null) {
      return;
    } else if (message instanceof GroupMessage.Offer m) {
      if (m.position() > state.applied()) {
        files.accept(from, m);
      }
    } else if (message instanceof GroupMessage.Want m) {
      compaction.wanted(now);
      files.give(from, m);
    } else if (message instanceof GroupMessage.Chunk m) {
      files.take(from, m);
    } else {
      throw new AssertionError(message);
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
          ReplicatedState.Outcomes,
          Opening.Parts {

    @Override
    public Replica.Outlet outlet() {
      return this;
    }

    @Override
    public JournalWriter.Outcome disk() {
      return new DiskOutcome();
    }

    @Override
    public void enqueue(Runnable task) {
      Group.this.enqueue(task);
    }

    @Override
    public void send(NodeId to, Message message) {
      postbox.send(to, message);
    }

    /** Any thread. */
    @Override
    public void send(NodeId to, GroupMessage message) {
      postbox.send(to, message);
    }

    @Override
    public void decide(Action.Decide decided) {
      long position = decided.firstSlot();
      long bytes = 0;
      for (byte[] command : decided.commands()) {
        if (position > state.applied()) {
          state.apply(position, command);
        }
        bytes += command.length;
        position++;
      }
      router.decided(bytes);
      highestApplied = Math.max(highestApplied, state.applied());
    }

    @Override
    public void ready(Action.Ready ready) {
      reads.ready(ready.ticket(), ready.slot());
    }

    @Override
    public void refuse(Action.Refuse refusal) {
      nextTick = Math.min(nextTick, router.refused(refusal.ticket(), now));
    }

    @Override
    public void lead(long term) {
      log.info("group {}: leads in term {}", setting.name(), term);
      router.lead(term, now);
      renewals.lead(now);
    }

    @Override
    public void follow(@Nullable NodeId leader, long term) {
      router.follow(leader, term, now);
      renewals.follow();
    }

    @Override
    public void needSnapshot(NodeId peer) {
      SnapshotTransfer files = compaction.transfer();
      if (files != null) {
        files.offer(peer);
      }
    }

    @Override
    public boolean leads() {
      return router.leads();
    }

    @Override
    public @Nullable NodeId leader() {
      return router.leads() ? null : router.leader();
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
      return router.ticket();
    }

    @Override
    public void describe(JournalWriter journal, long tag) {
      journal.append(tag, state.chain().get(state.chain().size() - 1));
      state.directories().forEach((who, incarnation) -> journal.append(tag, who, incarnation));
    }

    @Override
    public void met(NodeId who, long incarnation) {
      Replica current = replica;
      if (current != null) {
        current.journal().append(state.applied(), who, incarnation);
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
        byte[] anchor = compaction.restore(snapshot);
        log.info("group {}: caught up by a snapshot at {}", setting.name(), state.applied());
        step(new Event.Installed(snapshot.position(), anchor));
      } catch (IOException e) {
        throw new IllegalStateException("a snapshot just written cannot be read", e);
      }
    }

    @Override
    public void made(long position, long size) {
      if (compaction.made(position, size)) {
        step(new Event.Compacted(position));
      }
    }

    @Override
    public void notMade(Throwable failure) {
      compaction.notMade(failure, now);
    }

    @Override
    public void opened(Sessions.Session session) {
      renewals.opened(session, router.leads(), now);
    }

    @Override
    public void ended(long session) {
      renewals.ended(session);
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
