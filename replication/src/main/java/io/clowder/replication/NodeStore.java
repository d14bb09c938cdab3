// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Storage;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.Watch;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One store on one node: this node's copy, which is opened again when it fails; the clerk and the
 * watches of its users; and the topic at which the other nodes reach both. Thread-safe.
 */
final class NodeStore implements Copy.Surroundings, Transport.Receiver, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeStore.class);

  private static final long REOPEN_MILLIS_MIN = 500;
  private static final long REOPEN_MILLIS_MAX = 60_000;
  private static final long OPEN_SECONDS = 30;
  private static final long LOOK_MILLIS = 500;
  private static final long BALANCE_MILLIS = 10_000;

  private final String name;
  private final NodeId self;
  private final StoreSetting setting;
  private final Storage storage;
  private final Transport transport;
  private final Registrar registrar;
  private final Runnable changed;
  private final ScheduledThreadPoolExecutor timer;
  private final ThreadPoolExecutor completions;
  private final ThreadPoolExecutor watching;
  private final Clerk clerk;
  private final Watches watches;
  private final OpenStore store;
  private final Steward steward;
  private final Transport.Registration topic;
  private volatile @Nullable Copy copy;
  private volatile @Nullable StoreConfig config;
  private volatile SortedSet<NodeId> suspects = new TreeSet<>();
  private volatile String problem = "";
  private CompletableFuture<?> opening = CompletableFuture.completedFuture(null);

  /** The largest of its copies: local reads do not go back when it is opened again. */
  private volatile long floor;

  private long reopenMillis = REOPEN_MILLIS_MIN;
  private boolean isClosed;

  /**
   * Does nothing yet.
   *
   * @param changed is told when the role, the epoch, or who is in sync may be another; must not
   *     wait
   */
  NodeStore(
      String name,
      NodeId self,
      StoreSetting setting,
      Storage storage,
      Transport transport,
      Registrar registrar,
      Runnable changed) {
    this.name = name;
    this.self = self;
    this.setting = setting;
    this.storage = storage;
    this.transport = transport;
    this.registrar = registrar;
    this.changed = changed;
    this.timer =
        new ScheduledThreadPoolExecutor(1, task -> daemon(task, "clowder-store-timer-" + name));
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    this.completions =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> daemon(task, "clowder-store-clerk-" + name));
    this.watching =
        new ThreadPoolExecutor(
            0,
            2 * Watch.WATCHES_MAX, // One for each listener that is told, and until it is free.
            1,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> daemon(task, "clowder-store-watch-" + name));
    this.clerk = new Clerk(name, self, transport, this::desk, timer, completions);
    this.watches = new Watches(name, this::source, timer, watching);
    this.store = new OpenStore(name, clerk, watches, this::status, setting.timeout());
    this.steward = new Steward(name, clerk, registrar, this);
    this.topic = transport.listen(StoreMessage.topic(name), this);
  }

  /** Opens the copy, and makes the store if there is none. */
  void start() {
    beginOpening();
    every(LOOK_MILLIS, 0, this::look);
    every(BALANCE_MILLIS, Math.floorMod(name.hashCode(), (int) BALANCE_MILLIS), this::balance);
  }

  private void every(long millis, long offset, Runnable task) {
    var unused = timer.scheduleWithFixedDelay(task, millis + offset, millis, TimeUnit.MILLISECONDS);
  }

  /** A thread that keeps no process alive. */
  static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** For users. */
  OpenStore store() {
    return store;
  }

  /**
   * Whether it does its work: a primary whose writes wait for consensus does not, if it is cut off
   * from it. Others may hear it, so that nobody suspects it. While consensus hears it and only
   * takes long, nobody else could do better; where nobody has a leader this node cannot know that,
   * and another one may be elected without need when there is one again.
   */
  boolean isAlive() {
    View present = view();
    return present == null || !present.isUnanswered() || registrar.isReached();
  }

  /** How its copy is; null while there is none. */
  @Nullable View view() {
    Copy here = copy;
    return here == null ? null : here.view();
  }

  /** For operators. */
  Steward steward() {
    return steward;
  }

  @Nullable StoreConfig config() {
    return config;
  }

  SortedSet<NodeId> suspects() {
    return suspects;
  }

  // ---- the copy ------------------------------------------------------------------------------

  /** On a thread of its own: to read back what is on the disk may take a while. */
  private synchronized void beginOpening() {
    if (!isClosed) {
      String thread = "clowder-store-open-" + name;
      opening = CompletableFuture.runAsync(this::open, task -> daemon(task, thread).start());
    }
  }

  private void open() {
    Copy opened;
    try {
      opened =
          Copy.open(
              new Copy.Setting(name, setting.timing(), setting.logBytes(), setting.rejoinBytes()),
              self,
              storage,
              transport,
              floor,
              this);
    } catch (IOException | RuntimeException e) {
      failed("its copy cannot be opened: " + e.getMessage(), e);
      return;
    } catch (AssertionError | LinkageError | VirtualMachineError e) {
      failed("its copy cannot be opened, an invariant does not hold: " + e, e);
      return;
    }
    synchronized (this) {
      floor = Math.max(floor, opened.floor());
      if (!isClosed && !opened.isOver()) {
        copy = opened;
        problem = "";
        StoreConfig present = config;
        if (present != null) {
          opened.configured(present);
        }
        opened.suspects(suspects);
      }
    }
    if (opened.equals(copy)) {
      copyChanged();
      later(0, this::look);
    } else {
      opened.close();
    }
  }

  /** Not in the lock of this: it is for others to say what they do. */
  private void copyChanged() {
    clerk.deskChanged();
    watches.applied();
  }

  private Clerk.@Nullable Desk desk() {
    Copy here = copy;
    return here == null ? null : here::ask;
  }

  private Watches.@Nullable Source source() {
    Copy here = copy;
    StoreConfig present = config;
    boolean isRemoved = present != null && !present.isFor(self);
    return here == null ? null : new CopySource(here, isRemoved);
  }

  private record CopySource(Copy copy, boolean isRemoved) implements Watches.Source {
    @Override
    public long committed() {
      return copy.committed();
    }

    @Override
    public CompletionStage<List<LogRecord>> records(long from, int count) {
      return copy.records(from, count);
    }
  }

  /** A life of the copy is over; what comes next reads the disk. */
  @Override
  public void failed(String why, Throwable cause) {
    long delay;
    synchronized (this) {
      if (isClosed) {
        return;
      }
      problem = why;
      Copy former = copy;
      floor = former == null ? floor : Math.max(floor, former.floor());
      copy = null;
      delay = reopenMillis;
      reopenMillis = Math.min(2 * reopenMillis, REOPEN_MILLIS_MAX);
    }
    copyChanged();
    giveUpPlace();
    LOG.error("store {}: {}; trying again in {} ms", name, why, delay, cause);
    later(delay, this::beginOpening);
    roleMayHaveChanged();
  }

  /**
   * Nobody suspects a node whose copy has failed, and nobody would be elected before it reports: so
   * it says itself that it has failed. Refused if no other copy has everything.
   */
  private void giveUpPlace() {
    StoreConfig present = config;
    if (present != null) {
      registrar
          .submit(name, new ConfigCommand.Fail(ConfigCommand.At.of(present), self))
          .thenAccept(this::learn);
    }
  }

  private void later(long millis, Runnable task) {
    try {
      var unused = timer.schedule(task, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("store {} is closed", name);
    }
  }

  @Override
  public void propose(ConfigCommand command) {
    registrar.submit(name, command).thenAccept(this::learn);
  }

  @Override
  public void confirm(Consumer<StoreConfig> then) {
    registrar
        .confirm(name)
        .thenAccept(
            found -> {
              if (found != null) {
                then.accept(found);
              }
            });
  }

  @Override
  public void roleMayHaveChanged() {
    changed.run();
  }

  @Override
  public void applied(LogRecord record) {
    watches.applied();
  }

  // ---- what others say -----------------------------------------------------------------------

  private void learn(@Nullable StoreConfig found) {
    if (found != null) {
      configured(found);
    }
  }

  /** Consensus has decided on a configuration; it may be told late, and again. */
  void configured(StoreConfig next) {
    synchronized (this) {
      StoreConfig present = config;
      if (isClosed || (present != null && next.version() <= present.version())) {
        return;
      }
      config = next;
      reopenMillis = REOPEN_MILLIS_MIN;
      Copy here = copy;
      if (here != null) {
        here.configured(next);
      }
    }
    clerk.configured(next);
    watches.applied();
    roleMayHaveChanged();
  }

  /** Whom the failure detector suspects now. */
  synchronized void suspects(SortedSet<NodeId> nodes) {
    suspects = nodes;
    Copy here = copy;
    if (here != null) {
      here.suspects(nodes);
    }
  }

  @Override
  public void receive(NodeId from, ByteBuffer payload) {
    StoreMessage message;
    try {
      message = StoreMessage.decode(payload);
    } catch (WireFormatException e) {
      LOG.warn("store {}: message of {} ignored: {}", name, from, e.getMessage());
      return;
    }
    Copy here = copy;
    if (message instanceof StoreMessage.Told told) {
      clerk.told(from, told.number(), told.reply());
    } else if (here != null) {
      here.received(from, message);
    }
  }

  @Override
  public void disconnected(NodeId peer) {
    clerk.disconnected(peer);
  }

  // ---- now and then --------------------------------------------------------------------------

  /** Asks for the configuration while none is known, and founds the store if there is none. */
  private void look() {
    Copy here = copy;
    if (config != null || here == null) {
      return;
    }
    registrar
        .confirm(name)
        .thenCompose(
            found -> {
              SortedSet<ReplicaId> first = new TreeSet<>(List.of(here.id()));
              return found != null
                  ? CompletableFuture.completedStage(found)
                  : registrar.submit(
                      name,
                      new ConfigCommand.Create(setting.minInsync(), setting.replicas(), first));
            })
        .thenAccept(this::learn);
  }

  /** Gives this store's primary to a node that leads fewer stores, if the difference matters. */
  private void balance() {
    StoreConfig present = config;
    ReplicaId primary = present == null ? null : present.primary();
    boolean isMine = primary != null && primary.node().equals(self);
    // A place that was given, by an operator or like this, is not given away in the same epoch.
    if (present == null || !isMine || present.isReleased() || !present.isEnough()) {
      return;
    }
    present.insync().stream()
        .map(ReplicaId::node)
        .filter(it -> !suspects.contains(it))
        .min(Comparator.comparingInt(registrar::load))
        .filter(it -> registrar.load(it) <= registrar.load(self) - 2)
        .ifPresent(
            it -> {
              Copy here = copy;
              if (here != null) {
                LOG.info("store {}: its primary goes to {}, which leads fewer", name, it);
                here.ask(new Question.HandOver(it), reply -> {});
              }
            });
  }

  // ---- what is known -------------------------------------------------------------------------

  /** The last records of this node's log, oldest first. */
  CompletionStage<Copy.Tail> tail(int count) {
    Copy here = copy;
    return here == null
        ? CompletableFuture.completedStage(new Copy.Tail(List.of(), 0))
        : here.tail(count);
  }

  private Standing standing() {
    return new Standing(name, setting, config, view(), problem);
  }

  StoreStatus status() {
    return standing().status();
  }

  /** What holds this store up on this node, a sentence each. */
  List<String> problems() {
    return standing().problems();
  }

  /** Hands over if this is the primary, for two seconds at most, and ends. */
  @Override
  public void close() {
    end(Copy::close);
  }

  /** Ends as a process does that is killed, but leaves the files to others. */
  void abort() {
    end(Copy::abort);
  }

  private void end(Consumer<Copy> how) {
    Copy here;
    CompletableFuture<?> opened;
    synchronized (this) {
      isClosed = true;
      here = copy;
      opened = opening;
    }
    // What is opened too late closes at once; another store of this name finds the files closed.
    opened.completeOnTimeout(null, OPEN_SECONDS, TimeUnit.SECONDS).join();
    if (here != null) {
      how.accept(here);
      copy = null;
    }
    topic.close();
    clerk.close();
    watches.close();
    timer.shutdownNow();
    completions.shutdown();
    watching.shutdown();
  }
}
