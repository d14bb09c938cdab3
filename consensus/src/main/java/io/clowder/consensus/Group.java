// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
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
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
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

  /** After a swap has settled: its snapshot need not compete with what waited for it. */
  private static final long BOUNDARY_NANOS = 1_000_000_000L;

  /** A sealed segment that nobody here needs stays open this long for whoever is silent. */
  private static final long LINGER_NANOS = 10_000_000_000L;

  private static final Duration ROLL_DEADLINE = Duration.ofSeconds(60);

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
  private final Segments segments;
  private final Reports reports;
  private final Succession succession;
  private final Departures departures;
  private final Inbound inbound;
  private final Acquaintances acquaintances;
  private final TreeMap<String, ConsensusProtocol> providers = new TreeMap<>();

  private volatile String protocolName;
  private volatile Runnable onProtocol = () -> {};
  private boolean loaded;
  private volatile boolean closed;
  private boolean registered = true;

  private long now;
  private long nextTick;
  private long nextSpaceLook;
  private long retryOpenAt;

  private long nextResignation;

  private @Nullable SwapRequest swap;

  /** Since when the state has been in the current segment, and when it was last covered. */
  private long segmentSince;

  private long coveredSince;
  private long lastCommandAt;

  /** The state came to another segment in the middle of what was decided. */
  private @Nullable Segment entered;

  /** A segment that must not be opened before the state has come to it: too much was kept. */
  private int overfull = -1;

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
    this.nextTick = now;
    this.nextSpaceLook = now;
    this.retryOpenAt = now;
    this.nextResignation = now;
    this.segmentSince = now;
    this.coveredSince = now;
    this.lastCommandAt = now - RESIGNATION_NANOS;
    this.registration = transport.listen(topic, this);
  }

  // --- from any thread --------------------------------------------------------------------------

  /**
   * A provider of a protocol is there; segments opened from now on run on it, even if another
   * provider of the name is there too. Any thread.
   */
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
          depart(provider, left);
        });
    return left;
  }

  /** A machine is there; it catches up, then takes part. Any thread. */
  public ConsensusService addMachine(String name, StateMachine machine) {
    enqueue(
        () -> {
          state.attach(name, machine, loaded);
          if (loaded) {
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

  /** Has {@code changed} run, on a thread of the runtime, whenever {@link #protocol} changes. */
  void onProtocol(Runnable changed) {
    onProtocol = changed;
  }

  /** Goes to a next segment; see {@link ConsensusService#swap}. Any thread. */
  public CompletionStage<Swap> swap(
      Successor successor, Consumer<String> progress, Duration deadline) {
    CompletableFuture<Swap> result = new CompletableFuture<>();
    long until = GroupService.instant(environment, deadline);
    enqueue(() -> begin(successor, progress, until, result));
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
          inbound.receive(from, payload, now);
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
    now = time;
    try {
      for (OpenSegment open : segments.all()) {
        open.step(new Event.Clock(now));
      }
      Runnable task;
      for (int i = 0; i < ROUND_EVENTS && (task = inbox.poll()) != null; i++) {
        task.run();
      }
      open();
      tick();
      settle();
      OpenSegment current = segments.current();
      compaction.run(current == null ? null : current.replica().core(), now);
    } catch (AssertionError | RuntimeException | LinkageError | VirtualMachineError e) {
      broken("invariant: " + e, e);
    }
    completions.flush();
    if (!inbox.isEmpty()) {
      return now;
    }
    long next = nextTick;
    for (OpenSegment open : segments.all()) {
      next = Math.min(next, open.replica().wakeAt());
    }
    return next;
  }

  /** The replica stops, and says why, until the node is restarted. */
  private void broken(String why, Throwable failure) {
    log.error("group {}: the replica stops", setting.name(), failure);
    health.broken = why;
    abandon();
  }

  private void step(Event event) {
    OpenSegment current = segments.current();
    if (current != null) {
      current.step(event);
    }
  }

  /** Goes on until nothing is left that could happen now, then syncs what has gathered. */
  private void settle() {
    boolean more;
    do {
      more = false;
      for (OpenSegment open : segments.copy()) {
        more |= open.replica().drain();
      }
      OpenSegment current = segments.current();
      more |= current != null && router.route(current::step, now);
      more |= reads.run();
    } while (more);
    for (OpenSegment open : segments.all()) {
      open.replica().journal().flush(now);
    }
  }

  private void tick() {
    if (now - nextTick < 0) {
      return;
    }
    boolean idle =
        requests.isEmpty()
            && reads.isEmpty()
            && departures.isEmpty()
            && swap == null
            && !reports.isBusy();
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
    leave();
    succeed();
  }

  /** For the message of a time-out: why nothing moves, as far as this node knows. */
  private String because() {
    List<String> problems = problems();
    return problems.isEmpty() ? "" : ": " + String.join("; ", problems);
  }

  private List<String> problems() {
    return health.problems(now, state, segments.current(), providers.keySet());
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
        view == null ? health.role(state) : view.role(),
        router.leader(),
        view == null ? router.term() : view.term(),
        view == null || current == null ? state.applied() : current.base() + view.decided(),
        state.applied(),
        compaction.position(),
        open == null ? 0 : open.replica().journal().syncs(),
        current == null ? new TreeMap<>() : current.members(),
        succession.transition(now),
        problems());
  }

  // --- opening and closing ----------------------------------------------------------------------

  private void open() {
    if (closed || !health.broken.isEmpty() || now - retryOpenAt < 0) {
      return;
    }
    try {
      if (!loaded) {
        load();
      }
    } catch (IOException e) {
      failedToOpen(e);
      return;
    }
    open(state.current());
    Segment pending = state.pending();
    if (pending != null && pending.number() != overfull) {
      open(pending);
    }
  }

  private void open(@Nullable Segment segment) {
    ConsensusProtocol provider = segment == null ? null : providers.get(segment.protocol());
    if (segment != null && provider != null && wiring.wants(segment, provider)) {
      segments.open(segment, provider);
    }
  }

  /** Reads the newest snapshot; without one the group is at its beginning. */
  private void load() throws IOException {
    Snapshots.Snapshot latest = compaction.latest();
    if (latest != null) {
      compaction.restore(latest);
    } else {
      Segment first = segments.first();
      state.begin(first != null ? first.after(0) : setting.joining() ? null : firstSegment());
    }
    loaded = true;
    enter();
  }

  /** The same on every node without a word between them, and another one in every cluster. */
  private Segment firstSegment() {
    long incarnation = 0xCBF29CE484222325L;
    String name = node.cluster() + "/" + setting.name() + node.members().keySet();
    for (int i = 0; i < name.length(); i++) {
      incarnation = (incarnation ^ name.charAt(i)) * 0x100000001B3L;
    }
    return new Segment(0, incarnation, setting.protocol(), setting.parameters(), node.members(), 0);
  }

  private void failedToOpen(Throwable failure) {
    if (failure instanceof IOException && !(failure instanceof Storage.CorruptionException)) {
      retryOpenAt = now + RETRY_NANOS;
      health.opening = "disk: " + failure.getMessage();
    } else if (failure instanceof IOException) {
      health.broken = "disk: " + failure.getMessage();
    } else {
      broken("invariant: " + failure, failure);
      return;
    }
    log.error("group {} cannot be opened: {}", setting.name(), failure.getMessage());
  }

  /** The state is in another segment than it was, and perhaps soon in yet another. */
  private void enter() {
    do {
      entered = null;
      enterOne();
    } while (entered != null);
  }

  private void enterOne() {
    Segment current = state.current();
    segmentSince = now;
    coveredSince = 0;
    postbox.open(
        new GroupMessage.Header(
            current == null ? -1 : current.number(),
            current == null ? 0 : current.incarnation(),
            node.incarnation()));
    succession.reset();
    reports.soon(now);
    nextTick = now;
    keepLinks();
    if (current != null && !current.protocol().equals(protocolName)) {
      protocolName = current.protocol();
      completions.then(onProtocol);
    }
    reads.sealed(state.applied());
    lead();
    OpenSegment open = segments.current();
    if (open != null) {
      Action.Decide kept;
      while (entered == null && (kept = open.takeKept()) != null) {
        deliver(kept);
      }
    }
    inbound.moved(now);
  }

  /** Takes over who leads the current segment. */
  private void lead() {
    OpenSegment open = segments.current();
    renewals.follow();
    router.move(
        open != null && open.leads(),
        open == null ? null : open.leader(),
        open == null ? router.term() : open.term(),
        now);
    if (router.leads()) {
      renewals.lead(now);
    }
  }

  /** Keeps links to all who may have to be talked to. */
  private void keepLinks() {
    SortedMap<NodeId, Address> known = new TreeMap<>();
    segments.all().forEach(open -> known.putAll(open.segment.members()));
    Segment current = state.current();
    if (current != null) {
      known.putAll(current.members());
    }
    Segment pending = state.pending();
    if (pending != null) {
      known.putAll(pending.members());
    }
    acquaintances.keep(known);
  }

  private void depart(@Nullable ConsensusProtocol provider, CompletableFuture<Void> left) {
    OpenSegment current = segments.current();
    if (current != null && (provider == null || current.provider.equals(provider))) {
      current.step(new Event.Resign());
    }
    departures.begin(provider, left, now);
    nextTick = now;
  }

  /** Closes what is on its way out, and sealed segments that nobody needs. */
  private void leave() {
    for (OpenSegment open : segments.copy()) {
      if (isSuperfluous(open)) {
        log.info("group {}: {} is closed", setting.name(), open.segment.title());
        segments.close(open);
        keepLinks();
      }
    }
    List<CompletableFuture<Void>> gone = departures.tick(now);
    if (segments.current() == null && router.leader() != null) {
      lead();
    }
    if (!gone.isEmpty()) {
      finish(gone);
    }
  }

  private boolean isSuperfluous(OpenSegment open) {
    Segment current = state.current();
    Segment pending = state.pending();
    if (current == null || open.segment.number() > current.number()) {
      return pending == null || !pending.is(open.segment);
    }
    if (open.segment.is(current) || compaction.position() < current.base()) {
      return false;
    }
    if (!current.has(node.id())) {
      // Whoever goes serves until the others can do without.
      return reports.covering(current, current.base()) >= current.majority();
    }
    return reports.allPassed(open.segment)
        || (coveredSince != 0 && now - coveredSince > LINGER_NANOS);
  }

  /** Lets everything go at once. */
  private void abandon() {
    segments.copy().forEach(segments::close);
    lead();
    nextTick = now;
  }

  private void finish(List<CompletableFuture<Void>> gone) {
    if (closed && registered && !segments.uses(null)) {
      registered = false;
      registration.close();
      acquaintances.keep(new TreeMap<>());
      postbox.close();
      requests.failAll(null, STOPPED);
      reads.failAll(null, STOPPED);
      if (swap != null) {
        swap.fail(Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED, STOPPED);
      }
    }
    completions.then(() -> gone.forEach(left -> left.complete(null)));
  }

  // --- the way to the next segment --------------------------------------------------------------

  private void begin(
      Successor successor,
      Consumer<String> progress,
      long deadline,
      CompletableFuture<Swap> result) {
    try {
      if (closed) {
        throw CoordinationException.refused(Reason.UNAVAILABLE, STOPPED);
      }
      if (swap != null) {
        throw CoordinationException.refused(
            Reason.CONFLICT, "another swap was begun on this node and is not over");
      }
      swap =
          new SwapRequest(
              successor,
              progress,
              now,
              deadline,
              result,
              wiring,
              router.ticket(),
              environment.random().nextLong());
      nextTick = now;
    } catch (CoordinationException e) {
      completions.fail(result, e);
    }
  }

  private void succeed() {
    Segment pending = state.pending();
    OpenSegment next = pending == null ? null : segments.get(pending.number());
    if (next != null && router.leads() && next.leader() == null) {
      // Whoever leads now is the first to know of the seal: it should lead on.
      next.step(new Event.Campaign());
    }
    reports.tell(now);
    succession.consider(now);
    SwapRequest under = swap;
    if (under != null) {
      under.tick(now);
      if (under.isOver()) {
        swap = null;
        keepLinks();
      }
    }
    Segment current = state.current();
    if (current != null && compaction.position() >= current.base() && coveredSince == 0) {
      coveredSince = now;
    }
    if (current == null || now - segmentSince < BOUNDARY_NANOS) {
      return;
    }
    compaction.want(current.base());
    if (router.leads()
        && setting.rollMillis() > 0
        && pending == null
        && swap == null
        && now - segmentSince > setting.rollMillis() * 1_000_000L) {
      segmentSince = now;
      begin(
          Successor.same(),
          line -> log.info("group {}: routine swap: {}", setting.name(), line),
          GroupService.instant(environment, ROLL_DEADLINE),
          new CompletableFuture<>());
    }
  }

  private void deliver(Action.Decide decided) {
    Segment current = state.current();
    if (current == null) {
      throw new AssertionError("decided without a segment");
    }
    long position = current.base() + decided.firstSlot();
    long bytes = 0;
    for (byte[] command : decided.commands()) {
      if (position > state.applied()) {
        state.apply(position, command);
        if (entered != null) {
          // What the old protocol decides beyond its seal never happened.
          break;
        }
        lastCommandAt = command.length > 0 ? now : lastCommandAt;
      }
      bytes += command.length;
      position++;
    }
    router.decided(bytes);
  }

  // --- the disk ---------------------------------------------------------------------------------

  /** A leader whose disk does not answer keeps everybody waiting (consul's raft, issue 503). */
  private void resignIfDiskHangs() {
    OpenSegment current = segments.current();
    long since = current == null ? 0 : current.replica().journal().writingSince();
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

  /** What became of writes to the journal of one segment. */
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
      implements OpenSegment.Driver,
          Segments.Parts,
          Reads.Road,
          Requests.Identity,
          SnapshotTransfer.Peers,
          ReplicatedState.Outcomes,
          SwapRequest.Road,
          Inbound.Swaps {

    @Override
    public OpenSegment.Driver driver() {
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
    public long now() {
      return now;
    }

    // Segments

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
      reports.soon(now);
      nextTick = now;
      keepLinks();
    }

    @Override
    public void closed() {
      nextTick = now;
    }

    @Override
    public void notOpened(Segment segment, Throwable failure) {
      failedToOpen(failure);
    }

    @Override
    public void send(OpenSegment from, GroupMessage.Header header, NodeId to, Message message) {
      postbox.send(to, header, from.provider.codec(), message);
    }

    /** Any thread. */
    @Override
    public void send(NodeId to, GroupMessage message) {
      postbox.send(to, message);
    }

    @Override
    public void decided(OpenSegment by, Action.Decide decided) {
      Segment current = state.current();
      if (current == null || by.segment.number() > current.number()) {
        if (decided.firstSlot() == 1) {
          reports.soon(now);
          nextTick = now;
        }
        if (by.keep(decided) > setting.historyBytesMax()) {
          overfull = by.segment.number();
          segments.close(by);
        }
      } else if (by.segment.is(current)) {
        deliver(decided);
        if (entered != null) {
          enter();
        }
      }
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
        nextTick = Math.min(nextTick, router.refused(refusal.ticket(), now));
      }
    }

    @Override
    public void ledBy(OpenSegment by) {
      Segment current = state.current();
      if (by.leads()) {
        log.info("group {}: leads {} in term {}", setting.name(), by.segment.title(), by.term());
      }
      if (current == null || !by.segment.is(current)) {
        reports.soon(now);
        nextTick = now;
        return;
      }
      succession.reset();
      nextTick = departures.isEmpty() ? nextTick : now;
      if (by.leads()) {
        router.lead(by.term(), now);
        renewals.lead(now);
      } else {
        router.follow(by.leader(), by.term(), now);
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

    // Requests

    @Override
    public Envelope.Open open(long nonce) {
      return new Envelope.Open(node.id(), node.incarnation(), nonce, setting.sessionTtlMillis());
    }

    @Override
    public long nonce() {
      return environment.random().nextLong();
    }

    // Snapshots

    @Override
    public void received(Snapshots.Snapshot snapshot) {
      if (!loaded || snapshot.position() <= state.applied()) {
        return;
      }
      try {
        Segment before = state.current();
        compaction.restore(snapshot);
        log.info("group {}: caught up by a snapshot at {}", setting.name(), state.applied());
        Segment current = state.current();
        if (current == null) {
          throw new AssertionError("a snapshot without a segment");
        }
        Segment pending = state.pending();
        if (current.has(node.id()) || (pending != null && pending.has(node.id()))) {
          health.removed = "";
          health.stranger = false;
        }
        long slot = state.applied() - current.base();
        if (slot > 0) {
          step(new Event.Installed(slot, compaction.anchor()));
        }
        if (before == null || !before.is(current)) {
          enter();
        }
        keepLinks();
        segments.removeObsolete();
      } catch (IOException e) {
        throw new IllegalStateException("a snapshot just written cannot be read", e);
      }
    }

    @Override
    public void made(long position, long size) {
      if (!compaction.made(position, size)) {
        return;
      }
      OpenSegment of = segments.get(compaction.chain().current());
      for (Segment link : state.chain()) {
        if (of != null && link.is(of.segment) && position > link.base()) {
          long slot = position - link.base();
          of.step(
              of.replica().core().view().decided() >= slot
                  ? new Event.Compacted(slot)
                  : new Event.Installed(slot, compaction.anchor()));
        }
      }
      reports.soon(now);
      segments.removeObsolete();
    }

    @Override
    public void notMade(Throwable failure) {
      compaction.notMade(failure, now);
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

    @Override
    public void prepared(Segment next) {
      log.info("group {}: {} is prepared", setting.name(), next.title());
      succession.reset();
      reports.soon(now);
      nextTick = now;
      keepLinks();
    }

    @Override
    public void sealed(Segment next) {
      log.info("group {}: sealed at {}, goes on as {}", setting.name(), next.base(), next.title());
      entered = next;
    }

    @Override
    public void abandoned(Segment next, String reason) {
      log.warn("group {}: {} is abandoned: {}", setting.name(), next.title(), reason);
      if (swap != null) {
        swap.abandoned(next, reason);
      }
      succession.reset();
      nextTick = now;
    }

    // Swaps

    @Override
    public ReplicatedState state() {
      return state;
    }

    @Override
    public Reports reports() {
      return reports;
    }

    @Override
    public NodeId self() {
      return node.id();
    }

    @Override
    public String lack(
        String protocol, SortedMap<String, String> parameters, Collection<NodeId> members) {
      ConsensusProtocol provider = providers.get(protocol);
      if (provider == null) {
        return "no provider of protocol '" + protocol + "' is active";
      }
      try {
        provider.check(List.copyOf(members), parameters);
        return "";
      } catch (IllegalArgumentException e) {
        return String.valueOf(e.getMessage());
      }
    }

    @Override
    public String lack(GroupMessage.Ask question) {
      return lack(question.protocol(), question.parameters(), question.members());
    }

    @Override
    public void answered(NodeId from, long directory, GroupMessage.Answer answer) {
      if (swap != null) {
        swap.answered(from, directory, answer, now);
      }
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
      nextTick = now;
    }

    @Override
    public void bring(Envelope envelope) {
      router.bring(envelope);
    }

    @Override
    public void meet(Map<NodeId, Address> nodes) {
      acquaintances.meet(nodes);
    }

    @Override
    public void probe(long until, LongConsumer confirmed) {
      CompletableFuture<byte[]> done = new CompletableFuture<>();
      requests.admit(0);
      reads.add(new Reads.Query(null, new byte[0], until, done));
      var unused = done.thenRun(() -> Group.this.enqueue(() -> confirmed.accept(now)));
    }

    @Override
    public long lastCommandAt() {
      return lastCommandAt;
    }

    @Override
    public String because() {
      return Group.this.because();
    }

    @Override
    public Completions completions() {
      return completions;
    }
  }
}
