// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A node: a process with a replica, its clock, and its disk. */
final class Box implements Outlet {
  /** How often a replica is ticked. */
  static final long TICK = 10 * ReplicaWorld.MILLI;

  /** Who waits for an answer. */
  interface Caller {
    void answered(Answer answer);

    void refused(Refusal reason, Outcome outcome);

    /** The process takes up what was asked. */
    default void taken() {}
  }

  final NodeId node;
  final SortedSet<NodeId> suspects = new TreeSet<>();
  private final ReplicaWorld world;
  private final double rate;

  private final BoxDisk disk;

  /** The configurations that this node's consensus replica has learnt of. */
  private final List<StoreConfig> configs = new ArrayList<>();

  private final List<Consumer<Replica>> held = new ArrayList<>();
  private final Map<Long, Caller> callers = new HashMap<>();
  Replica replica;
  boolean isUp;
  boolean isPaused;
  boolean isCutFromConsensus;
  long incarnation = 1;
  long refusals;

  /** What was committed here when a client last read locally, in this life. */
  long localSeq;

  private long life;
  private long clockStart;
  private boolean isSyncing;
  private long synced;
  private boolean isFetching;
  private long hungUntil;
  private long busyUntil;

  Box(ReplicaWorld world, NodeId node, double rate) {
    this.world = world;
    this.node = node;
    this.rate = rate;
    this.disk = new BoxDisk(world.random.split());
  }

  ReplicaId id() {
    return new ReplicaId(node, incarnation);
  }

  long life() {
    return life;
  }

  /** Its monotonic clock, which begins anywhere. */
  long time() {
    return (long) ((world.now() - clockStart) * rate);
  }

  // ---- the process ---------------------------------------------------------------------------

  void start() {
    isUp = true;
    life = world.nextLife();
    clockStart = world.now() - world.random.nextLong(10 * ReplicaWorld.SECOND);
    synced = 0;
    isFetching = false;
    localSeq = 0;
    Recovered recovered = disk.recover();
    if (recovered == null) {
      // What is not whole is given up: it might lack what was acknowledged.
      world.givenUp++;
      disk.clear();
      incarnation++;
      recovered = new Recovered(Image.EMPTY);
    }
    replica = new Replica(id(), life, world.timing, recovered, this, time());
    snapshotted(replica);
    if (!configs.isEmpty()) {
      // What its consensus replica had applied before may not have been all that it knew.
      int last = configs.size() - 1 - world.random.nextInt(Math.min(3, configs.size()));
      configs.subList(last + 1, configs.size()).clear();
      replica.configured(configs.get(last), time());
    }
    replica.suspects(suspects, time());
    replica.flush(time());
    tick();
    beginAnewIfVoid();
  }

  /** The process ends; what it wrote and did not sync may be there or not. */
  void kill() {
    isUp = false;
    isPaused = false;
    held.clear();
    callers.clear();
    isSyncing = false;
    disk.crash();
  }

  /** The disk is lost, and with it the process: what starts next is another replica. */
  void wipe() {
    kill();
    disk.clear();
    configs.clear();
    incarnation++;
  }

  /** No sync ends for a while, whatever becomes of the process. */
  void hang(long nanos) {
    hungUntil = world.now() + nanos;
  }

  /** A bit of its disk flips; nobody notices before it is read. */
  boolean rot() {
    return disk.rot();
  }

  /** Whether its disk can be read, and is that of a replica, if any. */
  boolean isIntact(@Nullable ReplicaId replica) {
    return (replica == null || replica.equals(id())) && disk.isIntact();
  }

  void pause() {
    isPaused = isUp;
  }

  void resume() {
    if (isPaused) {
      isPaused = false;
      List<Consumer<Replica>> waiting = new ArrayList<>(held);
      held.clear();
      // Its timer fires somewhere among all that piled up.
      int at = world.random.nextInt(waiting.size() + 1);
      waiting.add(at, it -> it.tick(time()));
      waiting.forEach(this::happen);
    }
  }

  private void tick() {
    long present = life;
    world.after(
        TICK,
        () -> {
          if (isUp && life == present) {
            if (!isPaused) {
              happen(it -> it.tick(time()));
              happen(it -> it.flush(time()));
              snapshotAtTimes();
            }
            tick();
          }
        });
  }

  /** Has something happen in the process, when it runs. */
  void happen(Consumer<Replica> action) {
    if (!isUp) {
      return;
    } else if (isPaused) {
      held.add(action);
      return;
    }
    action.accept(replica);
    // Several events may come together.
    if (!world.isBatching || world.random.nextInt(4) != 0) {
      replica.flush(time());
    }
    beginAnewIfVoid();
  }

  /** What a forced promotion may have undone is not used any more. */
  private void beginAnewIfVoid() {
    if (replica.isVoid()) {
      kill();
      disk.clear();
      incarnation++;
      world.after(world.travel(), this::startIfDown);
    }
  }

  /** As {@code happen}, in its turn, if what is asked of it takes its time. */
  void serve(Consumer<Replica> action) {
    if (world.service == 0) {
      happen(action);
      return;
    }
    busyUntil = Math.max(busyUntil, world.now()) + world.service;
    later(busyUntil - world.now(), action);
  }

  private void later(long nanos, Consumer<Replica> action) {
    long present = life;
    world.after(
        nanos,
        () -> {
          if (life == present) {
            happen(action);
          }
        });
  }

  // ---- the disk ------------------------------------------------------------------------------

  @Override
  public void append(LogRecord record) {
    disk.append(record);
    sync();
  }

  @Override
  public void truncate(long afterSeq) {
    disk.truncate(afterSeq);
    sync();
  }

  private void sync() {
    int count = disk.unsynced();
    if (isSyncing || count == 0) {
      return;
    }
    isSyncing = true;
    long present = life;
    world.after(
        Math.max(0, hungUntil - world.now()) + world.sync + world.around(world.syncJitter),
        () -> {
          if (isUp && life == present) {
            isSyncing = false;
            disk.sync(count);
            synced += count;
            long done = synced;
            happen(it -> it.persisted(done, time()));
            sync();
          }
        });
  }

  // ---- snapshots -----------------------------------------------------------------------------

  private void snapshotAtTimes() {
    if (world.random.nextInt(world.snapshotEvery) != 0 || !isUp) {
      return;
    }
    Image image = replica.image();
    byte[] bytes = BoxDisk.write(image);
    long present = life;
    world.after(
        world.travel(),
        () -> {
          if (isUp && life == present && image.seq() > disk.snapshotSeq()) {
            disk.store(image.seq(), bytes);
            happen(this::snapshotted);
          }
        });
  }

  /** The snapshot on its disk counts, as soon as what it shows is committed here. */
  private void snapshotted(Replica it) {
    byte[] bytes = disk.snapshot();
    if (bytes != null && disk.snapshotSeq() <= it.ledger().commit()) {
      it.snapshotted(disk.snapshotSeq(), bytes.length, disk.checksum(), world.logBytes);
    }
  }

  @Override
  public void applied(LogRecord record) {
    world.committed(this, record);
  }

  @Override
  public void fetch(ReplicaId from, ReplicaMessage.Offer offer) {
    if (isFetching) {
      return;
    }
    isFetching = true;
    Box source = world.box(from.node());
    long present = life;
    world.after(
        3 * world.travel(),
        () -> {
          if (!isUp || life != present) {
            return;
          }
          isFetching = false;
          boolean isThere =
              source.isUp && source.id().equals(from) && source.disk.snapshotSeq() == offer.seq();
          byte[] bytes = source.disk.snapshot();
          if (isThere && bytes != null && offer.seq() > disk.snapshotSeq()) {
            fetched(offer, bytes);
          }
        });
  }

  private void fetched(ReplicaMessage.Offer offer, byte[] bytes) {
    if (BoxDisk.checksum(bytes) != offer.checksum()) {
      world.refused++;
      return;
    }
    world.fetched++;
    Image image = BoxDisk.read(bytes);
    world.check(image);
    disk.store(offer.seq(), bytes);
    // The process may end between the two.
    if (world.random.nextInt(8) == 0) {
      kill();
      world.after(world.around(100 * ReplicaWorld.MILLI), this::startIfDown);
    } else {
      happen(
          it -> {
            it.installed(image, time());
            snapshotted(it);
          });
    }
  }

  private void startIfDown() {
    if (!isUp) {
      start();
    }
  }

  // ---- the rest of the world -----------------------------------------------------------------

  @Override
  public void send(ReplicaId to, ReplicaMessage message) {
    world.send(this, to, message);
  }

  @Override
  public void propose(ConfigCommand command) {
    world.consensus.propose(this, command);
  }

  @Override
  public void confirmConfig(long token) {
    world.consensus.ask(this, config -> later(0, it -> it.confirmed(token, config, time())));
  }

  /** Its consensus replica has learnt of a configuration. */
  void learn(StoreConfig config) {
    if (configs.isEmpty() || configs.get(configs.size() - 1).version() < config.version()) {
      configs.add(config);
      happen(it -> it.configured(config, time()));
    }
  }

  long known() {
    return configs.isEmpty() ? 0 : configs.get(configs.size() - 1).version();
  }

  /** Its failure detector has changed its mind. */
  void suspect(NodeId other, boolean isSuspect) {
    if (isSuspect ? suspects.add(other) : suspects.remove(other)) {
      SortedSet<NodeId> present = new TreeSet<>(suspects);
      happen(it -> it.suspects(present, time()));
    }
  }

  void write(Caller caller, RequestId request, Op op) {
    long ticket = world.nextTicket();
    callers.put(ticket, caller);
    serve(it -> it.write(ticket, request, op, time()));
  }

  void read(Caller caller, Freshness freshness, String key) {
    long ticket = world.nextTicket();
    callers.put(ticket, caller);
    serve(
        it -> {
          caller.taken();
          it.read(ticket, freshness, new Query.Get(key), time());
        });
  }

  private Caller caller(long ticket) {
    Caller caller = callers.remove(ticket);
    if (caller == null) {
      throw new AssertionError("ticket " + ticket + " ended twice");
    }
    return caller;
  }

  @Override
  public void answer(long ticket, Answer answer) {
    caller(ticket).answered(answer);
  }

  @Override
  public void refuse(long ticket, Refusal reason, Outcome outcome) {
    refusals++;
    caller(ticket).refused(reason, outcome);
  }
}
