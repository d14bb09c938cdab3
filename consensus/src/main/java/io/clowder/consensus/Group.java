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
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.runtime.Completions;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
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
  private static final long RETRY_NANOS = 1_000_000_000L;

  private final GroupSetting setting;
  private final Node node;
  private final Environment environment;
  private final Transport.Registration registration;

  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final AtomicLong inboxBytes = new AtomicLong();

  private final Wiring wiring = new Wiring();
  private final Round round;
  private final ReplicatedState state = new ReplicatedState(wiring);
  private final Completions completions;
  private final Requests requests;
  private final Reads reads;
  private final Postbox postbox;
  private final Router router;
  private final Renewals renewals;
  private final Compaction compaction;
  private final Health health;
  private final Segments segments;
  private final Reports reports;
  private final Succession succession;
  private final Departures departures;
  private final Inbound inbound;
  private final Acquaintances acquaintances;
  private final Passage passage;
  private final Swaps swaps;
  private final DiskWatch diskWatch;
  private final TreeMap<String, ConsensusProtocol> providers = new TreeMap<>();

  private volatile String protocolName;
  private volatile @Nullable NodeId leader;
  private volatile Runnable onProtocol = () -> {};
  private volatile boolean closed;
  private boolean registered = true;
  private long retryOpenAt;

  /** A group that has no protocol and no machines yet. Listens to its topic at once. */
  public Group(
      GroupSetting setting,
      Node node,
      Storage storage,
      Transport transport,
      Environment environment) {
    this.setting = setting;
    this.node = node;
    this.environment = environment;
    this.protocolName = setting.protocol();
    long now = environment.nanoClock().getAsLong();
    this.round = new Round(now);
    this.retryOpenAt = now;
    String topic = "consensus/" + setting.name();
    this.postbox = new Postbox(transport, topic);
    this.health = new Health(setting, node, transport);
    this.completions = new Completions(environment.completions());
    this.requests = new Requests(wiring, completions, setting.lease());
    this.reads = new Reads(wiring, requests, completions);
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
        new Renewals(
            node.id(),
            setting.lease(),
            state,
            requests,
            reads,
            postbox,
            environment.nanoClock(),
            environment.wallMillis());
    this.compaction =
        new Compaction(
            setting, storage, environment.background(), wiring, state, requests, health, now);
    this.segments = new Segments(setting, node, storage, environment, state, compaction, wiring);
    this.reports = new Reports(node, state, segments, router, compaction, postbox, now);
    this.succession = new Succession(state, reports, router);
    this.departures = new Departures(setting, state, segments, router, compaction);
    this.inbound =
        new Inbound(
            node,
            state,
            segments,
            router,
            reads,
            renewals,
            compaction,
            reports,
            postbox,
            health,
            wiring);
    this.acquaintances = new Acquaintances(transport);
    this.passage =
        new Passage(
            setting,
            node,
            round,
            new Passage.Parts(
                state,
                segments,
                compaction,
                router,
                reads,
                renewals,
                reports,
                succession,
                inbound,
                postbox,
                acquaintances,
                health),
            this::protocolIs);
    this.swaps =
        new Swaps(
            setting,
            node,
            environment,
            round,
            new Swaps.Parts(
                state,
                reports,
                router,
                reads,
                postbox,
                acquaintances,
                completions,
                passage,
                providers),
            this::enqueue,
            this::because);
    this.diskWatch =
        new DiskWatch(
            setting,
            storage,
            environment.background(),
            this::enqueue,
            round,
            segments,
            router,
            health);
    this.registration = transport.listen(topic, this);
  }

  // --- from any thread --------------------------------------------------------------------------

  /**
   * A provider of a protocol is there; segments opened from now on run on it, even if another
   * provider of the name is there too. Any thread.
   */
  public void addProtocol(String name, ConsensusProtocol provider) {
    enqueue(
        () -> {
          providers.put(name, provider);
          passage.unbar();
        });
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
          depart(provider, left);
        });
    return left;
  }

  /** A machine is there; it catches up, then takes part. Any thread. */
  public ConsensusService addMachine(String name, StateMachine machine) {
    enqueue(
        () -> {
          boolean loading = passage.isLoaded();
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

  /** Who leads, as far as this node knows. Any thread. */
  @Nullable NodeId leader() {
    return leader;
  }

  /** Has {@code changed} run, on a thread of the runtime, whenever {@link #protocol} changes. */
  void onProtocol(Runnable changed) {
    onProtocol = changed;
  }

  /** Goes to a next segment; see {@link ConsensusService#swap}. Any thread. */
  public CompletionStage<Swap> swap(
      Successor successor, Consumer<String> progress, Duration deadline) {
    CompletableFuture<Swap> result = new CompletableFuture<>();
    long until = GroupService.instant(environment, deadline);
    enqueue(
        () -> {
          if (closed) {
            completions.fail(result, CoordinationException.refused(Reason.UNAVAILABLE, STOPPED));
          } else {
            swaps.begin(successor, progress, until, result);
          }
        });
    return result.minimalCompletionStage();
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
          depart(null, left);
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
          inbound.receive(from, payload, round.now());
        });
  }

  @Override
  public void refused(NodeId peer) {
    enqueue(() -> segments.all().forEach(open -> open.step(new Event.Gone(peer))));
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
            reads.addAt(0, query);
          }
        });
  }

  // --- the loop ---------------------------------------------------------------------------------

  /**
   * One round: takes what came in, lets the cores act on it, hands records to the disk and messages
   * to the transport. Never waits, but for reading the newest snapshot when it begins.
   *
   * @param time of the environment's nano clock
   * @return when to call again if nothing comes in before; not after {@code time} if there is more
   *     to do
   */
  public long doWork(long time) {
    round.begin(time);
    try {
      for (OpenSegment open : segments.all()) {
        open.step(new Event.Clock(time));
      }
      Runnable task;
      for (int i = 0; i < ROUND_EVENTS && (task = inbox.poll()) != null; i++) {
        task.run();
      }
      open();
      tick();
      settle();
      OpenSegment current = segments.current();
      compaction.run(current == null ? null : current.replica().core(), time);
      if (!Objects.equals(leader, router.leader())) {
        leader = router.leader();
      }
    } catch (AssertionError | RuntimeException | LinkageError | VirtualMachineError e) {
      stop("invariant: " + e, e);
    }
    completions.flush();
    if (!inbox.isEmpty()) {
      return time;
    }
    long next = round.nextTick();
    for (OpenSegment open : segments.all()) {
      next = Math.min(next, open.replica().wakeAt());
    }
    return next;
  }

  /** Goes on until nothing is left that could happen now, then syncs what has gathered. */
  private void settle() {
    boolean more;
    do {
      more = false;
      for (OpenSegment open : segments.all()) {
        more |= open.drain();
      }
      OpenSegment current = segments.current();
      more |= current != null && router.route(current::step, round.now());
      more |= reads.run();
    } while (more);
    for (OpenSegment open : segments.all()) {
      open.replica().journal().flush(round.now());
    }
  }

  private void tick() {
    long now = round.now();
    if (now - round.nextTick() < 0) {
      return;
    }
    boolean idle =
        requests.isEmpty()
            && reads.isEmpty()
            && departures.isEmpty()
            && swaps.isEmpty()
            && !reports.isBusy();
    round.ticked(idle ? IDLE_TICK_NANOS : TICK_NANOS);
    requests.expire(now, this::because);
    reads.expire(now, this::because);
    if (router.leads()) {
      renewals.due(now).forEach(session -> router.add(new Envelope.Expire(session)));
    } else {
      requests.retry(now);
    }
    reads.retry(now);
    renewals.renew(router.leads(), router.leader(), now);
    diskWatch.tick();
    passage.tick();
    leave();
    resume();
    campaign();
    reports.tell(now);
    succession.consider(now);
    swaps.tick();
  }

  /** For the message of a time-out: why nothing moves, as far as this node knows. */
  private String because() {
    List<String> problems = problems();
    return problems.isEmpty() ? "" : ": " + String.join("; ", problems);
  }

  private List<String> problems() {
    return health.problems(
        round.now(), state, segments.current(), !segments.all().isEmpty(), providers.keySet());
  }

  private GroupStatus statusNow() {
    OpenSegment open = segments.current();
    Segment current = state.current();
    ProtocolCore.View view = open == null ? null : open.replica().core().view();
    return new GroupStatus(
        setting.name(),
        node.id(),
        protocolName,
        current == null ? 0 : current.number(),
        view == null ? health.role(state, providers.keySet()) : view.role(),
        router.leader(),
        view == null ? router.term() : view.term(),
        view == null || current == null ? state.applied() : current.base() + view.decided(),
        state.applied(),
        compaction.position(),
        open == null ? 0 : open.replica().journal().syncs(),
        current == null ? new TreeMap<>() : current.members(),
        succession.transition(round.now()),
        problems());
  }

  private void protocolIs(String name) {
    if (!name.equals(protocolName)) {
      protocolName = name;
      completions.then(onProtocol);
    }
  }

  // --- opening and closing ----------------------------------------------------------------------

  private void open() {
    if (closed || !health.broken.isEmpty() || round.now() - retryOpenAt < 0) {
      return;
    }
    try {
      if (!passage.isLoaded()) {
        passage.load();
      }
    } catch (IOException e) {
      failedToOpen(e);
      return;
    }
    open(state.current());
    Segment pending = state.pending();
    if (pending != null && !passage.isBarred(pending)) {
      open(pending);
    }
  }

  private void open(@Nullable Segment segment) {
    if (segment == null || segments.get(segment.number()) != null) {
      return;
    }
    ConsensusProtocol provider = providers.get(segment.protocol());
    if (provider != null && wiring.wants(segment, provider)) {
      segments.open(segment, provider);
    }
  }

  private void failedToOpen(Throwable failure) {
    if (failure instanceof IOException && !(failure instanceof Storage.CorruptionException)) {
      retryOpenAt = round.now() + RETRY_NANOS;
      health.opening = "disk: " + failure.getMessage();
    } else if (failure instanceof IOException) {
      health.broken = "disk: " + failure.getMessage();
    } else {
      stop("invariant: " + failure, failure);
      return;
    }
    log.error("group {} cannot be opened: {}", setting.name(), failure.getMessage());
  }

  private void depart(@Nullable ConsensusProtocol provider, CompletableFuture<Void> left) {
    OpenSegment current = segments.current();
    if (current != null && (provider == null || current.provider.equals(provider))) {
      current.step(new Event.Resign());
    }
    departures.begin(provider, left, round.now());
    round.tickNow();
  }

  /** Closes what is on its way out. */
  private void leave() {
    List<CompletableFuture<Void>> gone = departures.tick(round.now());
    if (segments.current() == null && router.leader() != null) {
      passage.follow();
    }
    if (closed && registered && !segments.uses(null)) {
      registered = false;
      registration.close();
      acquaintances.keep(new TreeMap<>());
      postbox.close();
      requests.failAll(null, STOPPED);
      reads.failAll(null, STOPPED);
      swaps.fail(STOPPED);
    }
    if (!gone.isEmpty()) {
      completions.then(() -> gone.forEach(left -> left.complete(null)));
    }
  }

  /** Whatever brought it about: the bundle is back, or another segment goes on. */
  private void resume() {
    OpenSegment current = segments.current();
    if (current != null && !departures.has(current.provider)) {
      state.resume();
    }
  }

  /** Lets everything go at once, until the node is started again. */
  private void stop(String why, Throwable failure) {
    log.error("group {}: the replica stops", setting.name(), failure);
    health.broken = why;
    abandon();
  }

  private void abandon() {
    segments.all().forEach(segments::close);
    passage.follow();
    round.tickNow();
  }

  /** Whoever leads now is the first to know of the seal: it should lead on. */
  private void campaign() {
    Segment pending = state.pending();
    OpenSegment next = pending == null ? null : segments.get(pending.number());
    if (pending == null || next == null) {
      return;
    }
    if (router.leads() && next.leader() == null) {
      next.step(new Event.Campaign());
    }
    Segment current = state.current();
    if (next.leads() && current != null && !pending.isLedWell(node.id(), current)) {
      // A node that joins has yet to get the state: it would keep everybody waiting.
      next.step(new Event.Resign());
    }
  }

  /** What became of writes to the journal of one segment. */
  private final class DiskOutcome implements GatheringJournal.Outcome {
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
        retryOpenAt = round.now() + RETRY_NANOS;
      } else {
        // Law 6: what is on the disk is unknown. Only a restart of the node reads it back.
        health.broken = "disk: " + message + "; restart the node once the disk is well";
      }
      abandon();
    }
  }

  /** What the parts of the group tell each other. All on the group's thread, unless noted. */
  private final class Wiring
      implements OpenSegment.Driver,
          Segments.Parts,
          Reads.Road,
          Requests.Identity,
          SnapshotTransfer.Peers,
          ReplicatedState.Outcomes,
          Inbound.Swaps {

    // Segments

    @Override
    public OpenSegment.Driver driver() {
      return this;
    }

    @Override
    public GatheringJournal.Outcome disk() {
      return new DiskOutcome();
    }

    @Override
    public void enqueue(Runnable task) {
      Group.this.enqueue(task);
    }

    @Override
    public long now() {
      return round.now();
    }

    @Override
    public boolean wants(Segment segment, ConsensusProtocol provider) {
      Segment current = state.current();
      Segment pending = state.pending();
      boolean due =
          (current != null && current.is(segment)) || (pending != null && pending.is(segment));
      return due
          && !closed
          && health.broken.isEmpty()
          && health.removed.isEmpty()
          && segment.has(node.id())
          && provider.equals(providers.get(segment.protocol()))
          && !departures.has(provider);
    }

    @Override
    public void opened(OpenSegment segment) {
      health.opening = "";
      reports.soon(round.now());
      round.tickNow();
      passage.keepLinks();
    }

    @Override
    public void closed() {
      round.tickNow();
    }

    @Override
    public void notOpened(Segment segment, Throwable failure) {
      if (passage.isAhead(segment)) {
        passage.bar(segment, failure);
      } else {
        failedToOpen(failure);
      }
    }

    @Override
    public boolean failed(OpenSegment segment, Throwable failure) {
      if (!passage.isAhead(segment.segment)) {
        return false;
      }
      passage.bar(segment.segment, failure);
      segments.close(segment);
      return true;
    }

    // What cores want done

    @Override
    public void send(OpenSegment from, GroupMessage.Header header, NodeId to, Message message) {
      postbox.send(to, header, from.provider.codec(), message);
    }

    @Override
    public void decided(OpenSegment by, Action.Decide decided) {
      passage.decided(by, decided);
    }

    @Override
    public void ready(OpenSegment by, Action.Ready ready) {
      Segment current = state.current();
      if (current != null && by.segment.is(current)) {
        reads.ready(ready.ticket(), current.base() + ready.slot());
      }
    }

    @Override
    public void refused(OpenSegment by, Action.Refuse refusal) {
      Segment current = state.current();
      if (current != null && by.segment.is(current)) {
        round.tickBy(router.refused(refusal.ticket(), round.now()));
      }
    }

    @Override
    public void ledBy(OpenSegment by) {
      Segment current = state.current();
      if (by.leads()) {
        log.info("group {}: leads {} in term {}", setting.name(), by.segment.title(), by.term());
      }
      if (current == null || !by.segment.is(current)) {
        reports.soon(round.now());
        round.tickNow();
        return;
      }
      succession.reset();
      if (!departures.isEmpty()) {
        round.tickNow();
      }
      if (by.leads()) {
        router.lead(by.term(), round.now());
        renewals.lead();
      } else {
        router.follow(by.leader(), by.term(), round.now());
        renewals.follow();
      }
    }

    @Override
    public void needSnapshot(NodeId peer) {
      SnapshotTransfer files = compaction.transfer();
      if (files != null) {
        files.offer(peer);
      }
    }

    @Override
    public void describe(JournalWriter journal, long tag) {
      state.directories().forEach((who, incarnation) -> journal.append(tag, who, incarnation));
    }

    // Reads

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
      OpenSegment current = segments.current();
      if (current != null) {
        current.step(new Event.Barrier(ticket));
      }
    }

    /** Any thread. */
    @Override
    public void send(NodeId to, GroupMessage message) {
      postbox.send(to, message);
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

    // Requests

    @Override
    public Envelope.Open open(long nonce) {
      return new Envelope.Open(node.id(), node.incarnation(), nonce, setting.lease().ttlMillis());
    }

    @Override
    public long nonce() {
      return environment.random().nextLong();
    }

    @Override
    public long wallMillis() {
      return environment.wallMillis().getAsLong();
    }

    // Snapshots

    @Override
    public void received(Snapshots.Snapshot snapshot) {
      try {
        passage.received(snapshot);
      } catch (IOException e) {
        throw new IllegalStateException("a snapshot just written cannot be read", e);
      }
    }

    @Override
    public void made(long position, long size) {
      passage.made(position, size);
    }

    @Override
    public void notMade(Throwable failure) {
      compaction.notMade(failure, round.now());
    }

    // The log

    @Override
    public void met(NodeId who, long incarnation) {
      OpenSegment open = segments.current();
      Segment current = state.current();
      if (open != null && current != null) {
        long slot = Math.max(1, state.applied() - current.base());
        open.replica().journal().append(slot, who, incarnation);
      }
    }

    @Override
    public void opened(Sessions.Session session) {
      renewals.opened(session, router.leads());
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

    @Override
    public void prepared(Segment next) {
      log.info("group {}: {} is prepared", setting.name(), next.title());
      succession.reset();
      reports.soon(round.now());
      round.tickNow();
      passage.keepLinks();
    }

    @Override
    public void sealed(Segment next) {
      log.info("group {}: sealed at {}, goes on as {}", setting.name(), next.base(), next.title());
      passage.sealed();
    }

    @Override
    public void abandoned(Segment next, String reason) {
      log.warn("group {}: {} is abandoned: {}", setting.name(), next.title(), reason);
      // A seal that this leader has proposed for it comes too late, and ends nothing.
      router.reopen();
      swaps.abandoned(next, reason);
      succession.reset();
      round.tickNow();
    }

    // Swaps

    @Override
    public String lack(GroupMessage.Ask question) {
      return swaps.lack(question.protocol(), question.parameters(), question.members());
    }

    @Override
    public void answered(NodeId from, long directory, GroupMessage.Answer answer) {
      swaps.answered(from, directory, answer);
    }

    @Override
    public void removed(NodeId by, GroupMessage.Removed message) {
      Segment current = state.current();
      if (current != null && current.has(by) && message.number() > current.number()) {
        health.removed =
            "this node is not a member since segment "
                + message.number()
                + ", which began after position "
                + message.position();
        abandon();
      }
    }

    @Override
    public void reported() {
      round.tickNow();
    }
  }
}
