// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.runtime.Loop;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.store.Freshness;
import io.clowder.api.transport.Transport;
import io.clowder.replication.Callers.Caller;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.StoreMessage.AskPart;
import io.clowder.replication.StoreMessage.Between;
import io.clowder.replication.StoreMessage.TellPart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/** A replica with its files, as long as they are open, and its way to the world. One thread's. */
final class OpenReplica implements Outlet {
  /** What it needs of whoever runs it; on the copy's thread, unless noted. */
  interface Surroundings {
    /** Has something happen on the copy's thread; any thread. */
    void enqueue(Runnable task);

    /** It cannot go on. */
    void failed(String why, Throwable cause);

    /** As {@link Copy.Surroundings#propose}. */
    void propose(ConfigCommand command);

    /** As {@link Copy.Surroundings#confirm}; answers on any thread. */
    void confirm(Consumer<StoreConfig> then);

    /** As {@link Copy.Surroundings#applied}. */
    void applied(LogRecord record);
  }

  /** Who is to have the primary's place, as somebody asked. */
  private record Heir(long ticket, @Nullable NodeId to, long until) {}

  private static final int HEIRS_MAX = 16;

  private final Copy.Setting setting;
  private final ReplicaId id;
  private final long life;
  private final Transport transport;
  private final String topic;
  private final Callers callers;
  private final Surroundings surroundings;
  private final StoreJournal journal;
  private final Replica replica;
  private final Snapshotting snapshotting;
  private final Fetching fetching;
  private final Serving serving;
  private final Digests digests;
  private final Lags lags = new Lags();
  private final List<Heir> heirs = new ArrayList<>();
  private long persisted;

  /** What its primary had committed when it was first heard in this membership. */
  private long toldFirst = Long.MAX_VALUE;

  private boolean isAbreast;
  private long now;
  private boolean isClosed;

  /**
   * Begins a life.
   *
   * @param life another than that of any earlier life of any replica, and not 0
   */
  OpenReplica(
      Copy.Setting setting,
      NodeId self,
      long life,
      CopyFiles.Opened files,
      Loop loop,
      Transport transport,
      Callers callers,
      Surroundings surroundings,
      long now) {
    this.setting = setting;
    this.id = new ReplicaId(self, files.incarnation());
    this.life = life;
    this.transport = transport;
    this.topic = StoreMessage.topic(setting.store());
    this.callers = callers;
    this.surroundings = surroundings;
    this.now = now;
    Consumer<Runnable> inbox = this::enqueue;
    journal = new StoreJournal(files.journal(), loop.disk(), new DiskOutcome());
    replica = new Replica(id, life, setting.timing(), files.recovered(), this, now);
    Snapshots snapshots = files.snapshots();
    snapshotting =
        new Snapshotting(setting.logBytes(), loop.background(), inbox, snapshots, journal, replica);
    fetching =
        new Fetching(
            loop.background(),
            inbox,
            snapshots,
            setting.rejoinBytesPerSecond(),
            new FetchDestination());
    serving = new Serving(loop.background(), inbox, snapshots, this::send);
    digests = new Digests(loop, inbox, files.journal(), snapshots);
    if (files.snapshot() != null) {
      snapshotting.adopt(files.snapshot());
    }
  }

  private void enqueue(Runnable task) {
    surroundings.enqueue(
        () -> {
          if (!isClosed) {
            task.run();
          }
        });
  }

  ReplicaId id() {
    return id;
  }

  boolean isPrimary() {
    return replica.isPrimary();
  }

  @Nullable StoreConfig config() {
    return replica.config();
  }

  long committed() {
    return replica.ledger().commit();
  }

  TreePMap<String, Versioned> entries() {
    return replica.ledger().contents.entries();
  }

  Ledger ledger() {
    return replica.ledger();
  }

  // ---- events ----------------------------------------------------------------------------------

  /** As {@link Replica#configured}. */
  void configured(StoreConfig config, long time) {
    now = time;
    replica.configured(config, time);
    if (replica.isPrimary()) {
      fetching.close(); // It was a learner, and is what counts now.
    }
    if (!isMember()) {
      // Whoever reads here meanwhile reads elsewhere.
      toldFirst = Long.MAX_VALUE;
      isAbreast = false;
    }
  }

  /** As {@link Replica#suspects}. */
  void suspects(SortedSet<NodeId> nodes, long time) {
    now = time;
    replica.suspects(nodes, time);
  }

  /** A message of another replica; of those for an earlier incarnation nothing is known here. */
  void received(NodeId from, Between message, long time) {
    now = time;
    if (message.to() == id.incarnation()) {
      StoreConfig config = replica.config();
      if (toldFirst == Long.MAX_VALUE
          && message.message() instanceof Append append
          && config != null
          && append.epoch() >= config.epoch()
          && isMember()) {
        toldFirst = append.commit();
      }
      replica.received(new ReplicaId(from, message.from()), message.message(), time);
    }
  }

  /** A part of this node's snapshot is wanted. */
  void asked(NodeId from, AskPart part, long time) {
    now = time;
    serving.ask(from, part, time);
  }

  /** A part of another node's snapshot. */
  void told(NodeId from, TellPart part, long time) {
    now = time;
    fetching.told(from, part, time);
  }

  /**
   * Does what is due by the clock.
   *
   * @return until when there is nothing to do, {@code latest} at the latest
   */
  long tick(boolean isTime, long latest, long time) {
    now = time;
    if (isTime) {
      replica.tick(time);
      handOver();
    }
    return fetching.tick(time, latest);
  }

  /** Once after several events: what came of them goes to the others, and to the disk. */
  void flush(long time) {
    now = time;
    long count = journal.operationsDurable();
    if (count > persisted) {
      persisted = count;
      replica.persisted(count, time);
    }
    replica.flush(time);
    snapshotting.run(serving.isBusy(time), time);
    journal.flush(time);
  }

  boolean isDiskHung() {
    long since = journal.writingSince();
    return since != 0 && now - since > setting.timing().lag();
  }

  // ---- questions -------------------------------------------------------------------------------

  /** Somebody asks something; is told now or later. */
  void ask(Caller caller, boolean isSpaceLow, long time) {
    now = time;
    Question question = caller.question();
    if (question instanceof Question.Write write) {
      if (isRemoved()) {
        callers.refuse(caller, Refusal.NOT_PRIMARY);
      } else if (isSpaceLow && replica.isPrimary()) {
        callers.refuse(caller, Refusal.NO_SPACE);
      } else {
        replica.write(callers.add(caller), write.request(), write.op(), time);
      }
    } else if (question instanceof Question.Read read) {
      if (isRemoved()) {
        callers.refuse(caller, Refusal.NOT_PRIMARY);
      } else {
        // What is local was answered before, unless it would go back.
        boolean isLocal = read.freshness().kind() == Freshness.Kind.LOCAL;
        Freshness freshness = isLocal ? Freshness.LINEARIZABLE : read.freshness();
        replica.read(callers.add(caller), freshness, read.query(), time);
      }
    } else if (question instanceof Question.HandOver handOver) {
      handOver(caller, handOver.to());
    } else if (question instanceof Question.Describe) {
      OperationLog log = ledger().log;
      callers.tell(
          caller,
          new Reply.Described(
              id, life, log.lastEpoch(), log.end(), ledger().commit(), fetching.isRunning()));
    } else if (question instanceof Question.Digest digest) {
      long ticket = callers.add(caller);
      digests.ask(digest.seq(), reply -> callers.tell(ticket, reply));
    } else {
      throw new AssertionError("no answer to " + question.getClass());
    }
  }

  private boolean isMember() {
    StoreConfig config = replica.config();
    return config != null && config.members().contains(id);
  }

  /**
   * Whether what it has may be read without asking anybody, and that for good while it is a member.
   * What was in sync by its configuration has all that was acknowledged, though it may not know yet
   * that it is committed; any other has to come first to where its primary was.
   */
  boolean isAbreast() {
    StoreConfig config = replica.config();
    isAbreast |=
        isMember() && config != null && (config.isElectable(id) || committed() >= toldFirst);
    return isAbreast;
  }

  /** Whether it was taken away: it is idle, and keeps what it has. */
  boolean isRemoved() {
    StoreConfig config = replica.config();
    return config != null && !config.members().contains(id) && config.removed().contains(id.node());
  }

  private void handOver(Caller caller, @Nullable NodeId to) {
    if (heirs.size() == HEIRS_MAX) {
      callers.refuse(caller, Refusal.OVERLOADED);
      return;
    }
    heirs.add(new Heir(callers.add(caller), to, now + setting.timing().lag()));
    handOver();
  }

  /** A primary that was elected just now has to hear of its backups first. */
  private void handOver() {
    heirs.removeIf(
        it -> {
          Refusal refusal = null;
          if (!replica.isPrimary()) {
            refusal = Refusal.NOT_PRIMARY;
          } else if (!id.node().equals(it.to) && !handOver(it.to)) {
            if (isPossible(it.to) && now - it.until < 0) {
              return false;
            }
            refusal = Refusal.NOT_ENOUGH_COPIES;
          }
          callers.tell(
              it.ticket,
              refusal == null
                  ? new Reply.Begun()
                  : new Reply.Refused(refusal, Outcome.DID_NOT_HAPPEN));
          return true;
        });
  }

  private boolean isPossible(@Nullable NodeId to) {
    StoreConfig config = replica.config();
    return config != null
        && config.insync().stream()
            .anyMatch(it -> !it.equals(id) && (to == null || it.node().equals(to)));
  }

  /** Gives the primary's place to a node's replica, or to the one in sync that has most. */
  boolean handOver(@Nullable NodeId to) {
    StoreConfig config = replica.config();
    if (config == null) {
      return false;
    }
    return replica.peers().stream()
        .filter(it -> to == null || it.id.node().equals(to))
        .filter(it -> it.life != 0 && config.insync().contains(it.id))
        .max(Comparator.comparingLong(it -> it.acked))
        .map(it -> replica.handOver(it.id, now))
        .orElse(false);
  }

  /**
   * Whether nobody counts on what it has: it was taken away, or is void. Nothing that consensus has
   * decided later can make it count again.
   */
  boolean isDispensable() {
    return isRemoved() || replica.isVoid();
  }

  /** Whether what it has must not be used any more. */
  boolean isVoid() {
    return replica.isVoid();
  }

  View view(boolean isSpaceLow, long time) {
    now = time;
    Ledger ledger = replica.ledger();
    return new View(
        id,
        life,
        replica.config(),
        replica.isPrimary(),
        ledger.log.base() + 1,
        ledger.log.end(),
        ledger.persisted(),
        ledger.commit(),
        ledger.contents.size(),
        ledger.log.bytes(),
        snapshotting.position(),
        lags.of(replica.peers(), ledger.log, time),
        isDiskHung(),
        replica.isUnanswered(),
        isSpaceLow);
  }

  /** Lets all go; {@code closed} runs on the copy's thread when the files are closed. */
  void close(Runnable closed) {
    isClosed = true;
    fetching.close();
    journal.close(closed);
  }

  // ---- the replica's outlet --------------------------------------------------------------------

  @Override
  public void append(LogRecord record) {
    journal.append(record);
    snapshotting.grown(record.size());
  }

  @Override
  public void truncate(long afterSeq) {
    journal.truncate(afterSeq);
  }

  @Override
  public void send(ReplicaId to, ReplicaMessage message) {
    ByteBuffer bytes = new Between(id.incarnation(), to.incarnation(), message).encode();
    boolean isUrgent = isUrgent(to, message) && bytes.remaining() <= Limits.URGENT_BYTES;
    if (!isUrgent || !transport.sendUrgent(to.node(), topic, bytes)) {
      transport.send(to.node(), topic, bytes);
    }
  }

  /**
   * Leases hang on heartbeats and acknowledgements: they do not wait behind data. A heartbeat that
   * would overtake records must wait, as the receiver would take those for lost.
   */
  private boolean isUrgent(ReplicaId to, ReplicaMessage message) {
    if (message instanceof Append append && append.records().isEmpty()) {
      for (Peer peer : replica.peers()) {
        if (peer.id.equals(to)) {
          return append.prevSeq() <= peer.acked;
        }
      }
    }
    return message instanceof Ack;
  }

  /** Any thread. */
  private void send(NodeId to, StoreMessage message) {
    transport.send(to, topic, message.encode());
  }

  @Override
  public void answer(long ticket, Answer answer) {
    callers.tell(ticket, new Reply.Answered(answer));
  }

  @Override
  public void refuse(long ticket, Refusal reason, Outcome outcome) {
    callers.tell(ticket, new Reply.Refused(reason, outcome));
  }

  @Override
  public void propose(ConfigCommand command) {
    surroundings.propose(command);
  }

  @Override
  public void confirmConfig(long token) {
    surroundings.confirm(
        config -> enqueue(() -> replica.confirmed(token, config, System.nanoTime())));
  }

  @Override
  public void applied(LogRecord record) {
    digests.applied(record, entries());
    surroundings.applied(record);
  }

  @Override
  public void fetch(ReplicaId from, Offer offer) {
    fetching.offered(from, offer, now);
  }

  private final class FetchDestination implements Fetching.Destination {
    @Override
    public void ask(NodeId from, AskPart part) {
      send(from, part);
    }

    @Override
    public void fetched(Snapshots.Snapshot snapshot, Image image) {
      now = System.nanoTime();
      replica.installed(image, now);
      snapshotting.adopt(snapshot);
    }
  }

  /** What became of writes. */
  private final class DiskOutcome implements GatheringJournal.Outcome {
    @Override
    public void enqueue(Runnable task) {
      surroundings.enqueue(task);
    }

    @Override
    public void failed(IOException failure) {
      if (isClosed) {
        return;
      }
      String why =
          failure instanceof Storage.DiskFullException
              ? "the disk is full; make room, then start the copy again: " + failure.getMessage()
              : "the disk failed, what it has is unknown until it is read back: "
                  + failure.getMessage();
      surroundings.failed(why, failure);
    }
  }
}
