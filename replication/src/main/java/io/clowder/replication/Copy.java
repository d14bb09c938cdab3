// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.runtime.Completions;
import io.clowder.api.runtime.Inbox;
import io.clowder.api.runtime.Loop;
import io.clowder.api.storage.Storage;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.Step;
import io.clowder.api.transport.Transport;
import io.clowder.replication.Callers.Caller;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.StoreMessage.Ask;
import io.clowder.replication.StoreMessage.AskPart;
import io.clowder.replication.StoreMessage.Between;
import io.clowder.replication.StoreMessage.TellPart;
import io.clowder.replication.StoreMessage.Told;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's copy of one store: a {@link Replica} with threads, a disk and a network.
 *
 * <pre>
 *   any thread            the copy's thread                            others
 *   ──────────            ─────────────────                            ──────
 *   ask ────────┐         ┌ events, each at its own time
 *   received ───┼─ inbox ─┤ flush: to the backups, ──────────────────► network
 *   configured ─┘    ▲    └        to the journal ───────────────────► disk: one sync
 *                    └─── what is on disk, read or written ◄────────── disk, background
 *                         answers to other nodes ────────────────────► network
 *                         answers to users, one batch a round ───────► completions
 * </pre>
 *
 * <p>It outlives the replica that it has: one that is asked to {@link Question.Retire retire} is
 * given up, and another incarnation begins. It does not outlive an error of its disk, nor an
 * invariant that does not hold: then it closes by itself and says why.
 */
final class Copy implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Copy.class);

  private static final int INBOX_TASKS = 65_536;

  /** Events of one round; more wait for the next, so that records are synced and messages sent. */
  private static final int ROUND_EVENTS = 1_024;

  private static final long TICK_NANOS = 10_000_000L;
  private static final long VIEW_NANOS = 1_000_000L;
  private static final long YIELD_NANOS = 30_000_000_000L;
  private static final long HAND_OVER_NANOS = 2_000_000_000L;
  private static final long CLOSE_NANOS = 4_000_000_000L;

  /**
   * What is set about a copy.
   *
   * @param logBytes what the log may take in memory, about
   * @param rejoinBytesPerSecond how fast a snapshot is fetched at most
   */
  record Setting(String store, Timing timing, long logBytes, long rejoinBytesPerSecond) {
    /** What the log takes usually. */
    static final long LOG_BYTES = 64L << 20;

    Setting {
      if (logBytes < 1 || rejoinBytesPerSecond < 1) {
        throw new IllegalArgumentException("a copy needs room for a log, and time to fetch one");
      }
    }
  }

  /** What a copy needs of the rest of the node. Called on the copy's thread: must not wait. */
  interface Surroundings {
    /** Proposes to consensus, which may lose it. */
    void propose(ConfigCommand command);

    /** Asks consensus for the configuration, by a linearizable read; may never answer. */
    void confirm(Consumer<StoreConfig> then);

    /** Another role, configuration or incarnation: look at {@link Copy#view}. */
    void roleMayHaveChanged();

    /** It has closed itself. */
    void failed(String why, Throwable cause);

    /** A record is committed and applied; in order, and again in another incarnation. */
    void applied(LogRecord record);
  }

  /** The last records of a log, and how far they are committed. */
  record Tail(List<LogRecord> records, long committed) {
    Tail {
      records = List.copyOf(records);
    }
  }

  private final Setting setting;
  private final NodeId self;
  private final Transport transport;
  private final Surroundings surroundings;
  private final SecureRandom random;
  private final CopyFiles files;
  private final Loop loop;
  private final Inbox inbox;
  private final Callers callers;
  private final Completions completions;
  private final FreeSpace space;
  private final Driver driver = new Driver();

  private final AtomicBoolean isClosing = new AtomicBoolean();
  private final CountDownLatch released = new CountDownLatch(1);
  private volatile boolean isOver;
  private volatile View view;
  private volatile @Nullable Thread thread;

  /** The most that was committed here when it could be read without asking anybody. */
  private volatile long floor;

  /** What reads take that may be answered from here; null if they may not. */
  private volatile @Nullable TreePMap<String, Versioned> local;

  /** All up to here is applied. */
  private volatile long committed;

  // The copy's thread's.
  private @Nullable OpenReplica open;
  private @Nullable StoreConfig config;
  private SortedSet<NodeId> suspects = Collections.emptySortedSet();
  private List<Runnable> taken = new ArrayList<>();
  private int done;
  private long tickAt;
  private long viewAt;
  private long leaveBy;
  private boolean isLeaving;
  private boolean isRenewing;

  /** Whether there may be files of an earlier copy. */
  private boolean hasOlder = true;

  private long yieldedAt;

  /**
   * Opens a copy, or makes one; reads what is on the disk. A copy that is damaged is given up, and
   * begins as another, empty replica.
   *
   * @param floor the {@link #floor} of an earlier copy: what it has answered by itself; 0 if none
   * @throws IOException if the disk fails or is full; nothing was given up then
   */
  static Copy open(
      Setting setting,
      NodeId self,
      Storage storage,
      Transport transport,
      long floor,
      Surroundings surroundings)
      throws IOException {
    SecureRandom random = new SecureRandom();
    CopyFiles files = new CopyFiles(storage, setting.store(), random);
    CopyFiles.Opened opened = files.open();
    try {
      Copy copy =
          new Copy(setting, self, storage, transport, floor, surroundings, random, files, opened);
      copy.loop.start(copy::doWork);
      return copy;
    } catch (RuntimeException | Error e) {
      opened.journal().close();
      throw e;
    }
  }

  private Copy(
      Setting setting,
      NodeId self,
      Storage storage,
      Transport transport,
      long floor,
      Surroundings surroundings,
      SecureRandom random,
      CopyFiles files,
      CopyFiles.Opened opened) {
    this.setting = setting;
    this.self = self;
    this.transport = transport;
    this.surroundings = surroundings;
    this.random = random;
    this.files = files;
    this.loop = new Loop("clowder-store", "copy", setting.store());
    this.inbox = new Inbox(INBOX_TASKS, Limits.PENDING_BYTES, loop::wakeup);
    this.completions = new Completions(loop.completions());
    this.callers = new Callers(inbox, completions);
    long now = System.nanoTime();
    this.tickAt = now;
    this.viewAt = now;
    this.yieldedAt = now - YIELD_NANOS;
    this.space =
        new FreeSpace(setting.store(), storage, loop.background(), inbox::add, this::spaceIs, now);
    OpenReplica first = replica(opened, now);
    this.committed = first.committed();
    this.open = first;
    this.view = first.view(false, now);
    this.floor = floor;
  }

  private OpenReplica replica(CopyFiles.Opened opened, long now) {
    long life = 0;
    while (life == 0) {
      life = random.nextLong();
    }
    return new OpenReplica(setting, self, life, opened, loop, transport, callers, driver, now);
  }

  // ---- any thread ------------------------------------------------------------------------------

  /** Which replica it is now. */
  ReplicaId id() {
    return view.id();
  }

  /** What was answered by itself was committed up to here; nobody's reads may go back behind it. */
  long floor() {
    return floor;
  }

  /** Whether it has ended. */
  boolean isOver() {
    return isOver;
  }

  /** All up to here is applied, whatever an older {@link #view} says. */
  long committed() {
    return committed;
  }

  /** How it is, or was a moment ago. */
  View view() {
    return view;
  }

  /** Consensus has decided on a configuration; it may be told late, and again. */
  void configured(StoreConfig next) {
    inbox.add(
        () -> {
          StoreConfig before = config;
          if (before == null || next.version() > before.version()) {
            config = next;
          }
          with(it -> it.configured(next, System.nanoTime()));
          giveUpIfVoid();
        });
  }

  /** Whom the failure detector suspects now. */
  void suspects(SortedSet<NodeId> nodes) {
    SortedSet<NodeId> next = new TreeSet<>(nodes);
    inbox.add(
        () -> {
          suspects = next;
          with(it -> it.suspects(next, System.nanoTime()));
        });
  }

  /**
   * Asks something of this copy.
   *
   * @param then is told once, on the completions' thread, or on this one if the answer needs no
   *     waiting at all: must not wait
   */
  void ask(Question question, Consumer<Reply> then) {
    ask(question, then, false);
  }

  private void ask(Question question, Consumer<Reply> then, boolean isRemote) {
    TreePMap<String, Versioned> entries = local;
    if (entries != null
        && question instanceof Question.Read read
        && read.freshness().kind() == Freshness.Kind.LOCAL) {
      Callers.call(then, new Reply.Answered(Contents.look(entries, read.query())));
      return;
    }
    long size = size(question);
    Caller caller = new Caller(question, then, isRemote, size);
    if (!inbox.offer(size, () -> take(caller))) {
      refuse(then, isRemote, isOver ? Refusal.NOT_PRIMARY : Refusal.OVERLOADED);
    }
  }

  private void refuse(Consumer<Reply> then, boolean isRemote, Refusal reason) {
    Reply reply = new Reply.Refused(reason, Outcome.DID_NOT_HAPPEN);
    if (isRemote) {
      Callers.call(then, reply);
      return;
    }
    try {
      loop.completions().execute(() -> Callers.call(then, reply));
    } catch (RejectedExecutionException e) {
      // It is closed, and its threads have ended.
      Callers.call(then, reply);
    }
  }

  /** A message came, which is not {@link Told}; it is dropped if there are too many. */
  void received(NodeId from, StoreMessage message) {
    if (message instanceof Between between) {
      long size = size(between.message());
      inbox.offer(
          size,
          () -> {
            callers.release(size);
            with(it -> it.received(from, between, System.nanoTime()));
          });
    } else if (message instanceof Ask ask) {
      String topic = StoreMessage.topic(setting.store());
      ask(
          ask.question(),
          reply -> transport.send(from, topic, new Told(ask.number(), reply).encode()),
          true);
    } else if (message instanceof AskPart part) {
      inbox.offer(0, () -> with(it -> it.asked(from, part, System.nanoTime())));
    } else if (message instanceof TellPart part) {
      long size = part.bytes().length;
      inbox.offer(
          size,
          () -> {
            callers.release(size);
            with(it -> it.told(from, part, System.nanoTime()));
          });
    } else {
      throw new IllegalArgumentException("not for a copy: " + message.getClass());
    }
  }

  private static long size(ReplicaMessage message) {
    long size = 0;
    if (message instanceof Append append) {
      for (LogRecord record : append.records()) {
        size += record.size();
      }
    }
    return size;
  }

  private static long size(Question question) {
    long size = 0;
    if (question instanceof Question.Write write) {
      for (Step step : write.op().steps()) {
        size += step.key().length() + Op.value(step).length;
      }
    }
    return size;
  }

  /**
   * Records that are committed, for a while after they are.
   *
   * @param fromSeq the first of them
   * @param count so many at most
   * @return none if there is nothing newer; fails with {@code CONFLICT} if the log begins later
   */
  CompletionStage<List<LogRecord>> records(long fromSeq, int count) {
    return look(ledger -> Excerpt.committed(ledger, fromSeq, count));
  }

  /** The last records, committed or not, as many as there are of {@code count}. */
  CompletionStage<Tail> tail(int count) {
    return look(ledger -> new Tail(Excerpt.last(ledger.log, count), ledger.commit()));
  }

  private <T> CompletionStage<T> look(Function<Ledger, T> look) {
    CompletableFuture<T> found = new CompletableFuture<>();
    boolean isTaken = inbox.offer(0, () -> look(found, look));
    if (!isTaken) {
      found.completeExceptionally(
          isOver
              ? unavailable()
              : CoordinationException.refused(
                  Reason.OVERLOADED, "too much waits for the copy on this node"));
    }
    return found;
  }

  private <T> void look(CompletableFuture<T> found, Function<Ledger, T> look) {
    OpenReplica present = open;
    if (present == null) {
      completions.fail(found, unavailable());
      return;
    }
    try {
      completions.complete(found, look.apply(present.ledger()));
    } catch (CoordinationException e) {
      completions.fail(found, e);
    }
  }

  private static CoordinationException unavailable() {
    return CoordinationException.refused(
        Reason.UNAVAILABLE, "the copy of the store on this node is closed");
  }

  // ---- the copy's thread -----------------------------------------------------------------------

  private interface Event {
    void happenTo(OpenReplica replica);
  }

  private void with(Event event) {
    OpenReplica present = open;
    if (present != null) {
      event.happenTo(present);
    }
  }

  private long doWork(long time) {
    thread = Thread.currentThread();
    boolean isMore = true;
    try {
      isMore = happen();
      // The last time, when nobody calls again.
      while (isOver && isMore) {
        isMore = happen();
      }
      run(System.nanoTime());
    } catch (RuntimeException | AssertionError | LinkageError | VirtualMachineError e) {
      fail("an invariant does not hold: " + e, e);
    }
    callers.flush();
    return isMore ? time : tickAt;
  }

  /** Has some of what came happen; returns whether there is more. */
  private boolean happen() {
    if (done == taken.size()) {
      taken.clear();
      taken = inbox.take();
      done = 0;
    }
    int end = Math.min(taken.size(), done + ROUND_EVENTS);
    while (done < end) {
      taken.get(done++).run();
    }
    return done < taken.size();
  }

  private void run(long now) {
    boolean isTime = now - tickAt >= 0;
    if (isTime) {
      tickAt = now + Math.min(TICK_NANOS, setting.timing().heartbeat() / 4);
      space.tick(now);
    }
    OpenReplica present = open;
    if (present != null) {
      tickAt = present.tick(isTime, tickAt, now);
      present.flush(now);
      publish(present, now);
    }
    if (isLeaving && !isOver && (present == null || !present.isPrimary() || now - leaveBy >= 0)) {
      end();
    }
  }

  private void publish(OpenReplica present, long now) {
    View before = view;
    boolean isNews =
        present.isPrimary() != before.isPrimary()
            || version(present.config()) != version(before.config())
            || !present.id().equals(before.id());
    committed = present.committed();
    if (present.isAbreast() && present.committed() >= floor) {
      // In this order: what is read is never beyond what is said to have been read.
      floor = present.committed();
      local = present.entries();
    } else {
      local = null;
    }
    if (isNews || now - viewAt >= VIEW_NANOS) {
      viewAt = now;
      view = present.view(space.isLow(), now);
    }
    if (isNews) {
      surroundings.roleMayHaveChanged();
      deleteOlder(present);
    }
  }

  /** When this copy has all that was acknowledged, nobody needs the one that was damaged. */
  private void deleteOlder(OpenReplica present) {
    StoreConfig known = present.config();
    if (hasOlder && known != null && known.insync().contains(present.id())) {
      hasOlder = false;
      loop.background()
          .execute(
              () -> {
                try {
                  files.deleteOlder();
                } catch (IOException | RuntimeException e) {
                  log.warn(
                      "store {}: files of a damaged copy stay: {}", setting.store(), e.toString());
                }
              });
    }
  }

  private static long version(@Nullable StoreConfig config) {
    return config == null ? 0 : config.version();
  }

  // ---- questions -------------------------------------------------------------------------------

  private void take(Caller caller) {
    OpenReplica present = open;
    if (present == null) {
      callers.refuse(caller, Refusal.NOT_PRIMARY);
    } else if (caller.question() instanceof Question.Retire) {
      retire(present, caller);
    } else {
      present.ask(caller, space.isLow(), System.nanoTime());
    }
  }

  /** Gives up what it has and begins as another replica. */
  private void retire(OpenReplica present, Caller caller) {
    if (!present.isDispensable() || isLeaving) {
      callers.refuse(caller, Refusal.NOT_ENOUGH_COPIES);
      return;
    }
    callers.tell(caller, new Reply.Begun());
    giveUp(present);
  }

  private void giveUpIfVoid() {
    OpenReplica present = open;
    if (present != null && present.isVoid() && !isLeaving) {
      giveUp(present);
    }
  }

  private void giveUp(OpenReplica present) {
    log.info("store {}: {} is given up, and made anew", setting.store(), present.id());
    isRenewing = true;
    letGo(present, () -> loop.background().execute(this::renew));
  }

  /** In the background. */
  private void renew() {
    try {
      files.delete();
      CopyFiles.Opened opened = files.open();
      inbox.add(() -> renewed(opened));
    } catch (IOException | RuntimeException e) {
      inbox.add(
          () -> {
            isRenewing = false;
            fail("the copy cannot be made anew: " + e.getMessage(), e);
          });
    }
  }

  private void renewed(CopyFiles.Opened opened) {
    isRenewing = false;
    long now = System.nanoTime();
    OpenReplica next = replica(opened, now);
    if (isOver) {
      next.close(released::countDown);
      return;
    }
    open = next;
    next.suspects(suspects, now);
    if (config != null) {
      next.configured(config, now);
    }
  }

  private void letGo(OpenReplica present, Runnable closed) {
    open = null;
    local = null;
    view = view.closed();
    callers.refuseAll();
    present.close(closed);
  }

  /** The disk was looked at. */
  private void spaceIs(boolean isLow) {
    long now = System.nanoTime();
    OpenReplica present = open;
    if (isLow && present != null && present.isPrimary() && now - yieldedAt >= YIELD_NANOS) {
      // Somebody with room should have the place. Not over and over: perhaps nobody has any.
      yieldedAt = now;
      present.handOver(null);
    }
  }

  // ---- the end ---------------------------------------------------------------------------------

  /**
   * Hands the primary's place over if there is somebody in sync to have it, for two seconds at
   * most; then refuses whoever waits, ends the threads and closes the files. Whoever it calls must
   * not wait for this.
   */
  @Override
  public void close() {
    close(true);
  }

  /** Ends as a process does that is killed, but leaves the files to others. */
  void abort() {
    close(false);
  }

  private void close(boolean isOrderly) {
    if (isClosing.compareAndSet(false, true)) {
      inbox.add(() -> leave(isOrderly));
    }
    // On another thread, which nobody interrupts: files that stayed open could not be opened again.
    CompletableFuture<Void> stopped = CompletableFuture.runAsync(this::stop, this::endThread);
    if (!Thread.currentThread().equals(thread)) {
      stopped.join();
    }
  }

  private void leave(boolean isOrderly) {
    OpenReplica present = open;
    if (!isOver) {
      isLeaving = true;
      boolean isHandingOver = isOrderly && present != null && present.handOver(null);
      leaveBy = System.nanoTime() + (isHandingOver ? HAND_OVER_NANOS : 0);
    }
  }

  private synchronized void stop() {
    try {
      if (!released.await(CLOSE_NANOS, TimeUnit.NANOSECONDS)) {
        log.warn("store {}: the disk does not let go", setting.store());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.stop();
  }

  /** Lets all go; who comes later is refused. */
  private void end() {
    isOver = true;
    inbox.shut();
    OpenReplica present = open;
    if (present != null) {
      letGo(present, released::countDown);
    } else if (!isRenewing) {
      released.countDown();
    }
  }

  private void fail(String why, Throwable cause) {
    if (isOver) {
      log.debug("store {}: after its end: {}", setting.store(), why, cause);
      return;
    }
    log.error("store {}: the copy on this node stops: {}", setting.store(), why, cause);
    end();
    if (isClosing.compareAndSet(false, true)) {
      endThread(this::stop);
    }
    surroundings.failed(why, cause);
  }

  private void endThread(Runnable task) {
    Thread ending = new Thread(task, "clowder-store-end-" + setting.store());
    ending.setDaemon(true);
    ending.start();
  }

  /** What a replica needs of its copy. */
  private final class Driver implements OpenReplica.Surroundings {
    @Override
    public void enqueue(Runnable task) {
      inbox.add(task);
    }

    @Override
    public void failed(String why, Throwable cause) {
      fail(why, cause);
    }

    @Override
    public void propose(ConfigCommand command) {
      surroundings.propose(command);
    }

    @Override
    public void confirm(Consumer<StoreConfig> then) {
      surroundings.confirm(then);
    }

    @Override
    public void applied(LogRecord record) {
      surroundings.applied(record);
    }
  }
}
