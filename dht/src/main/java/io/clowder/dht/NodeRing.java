// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.runtime.Completions;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.runtime.Inbox;
import io.clowder.api.runtime.Loop;
import io.clowder.api.storage.Storage;
import io.clowder.api.transport.Transport;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a node on a ring, with its thread, its disk and its network: what is pure in a {@link
 * RingMode} and its {@link Keeper} happens here for real. It ends by {@link #close}, or by itself
 * when the disk fails; what comes next reads the disk.
 */
final class NodeRing
    implements KeeperPort, GatheringJournal.Outcome, Transport.Receiver, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeRing.class);

  private static final int INBOX_TASKS = 65_536;
  private static final long INBOX_BYTES = Limits.PENDING_BYTES;

  /** Events of one round; more wait for the next, so that values are synced and messages sent. */
  private static final int ROUND_EVENTS = 1_024;

  private static final long GLANCE_NANOS = 50_000_000L;
  private static final long HUNG_NANOS = 10_000_000_000L;
  private static final long PROBLEMS_NANOS = 1_000_000_000L;
  private static final Reply OVER = new Reply(Answer.of(Answer.Code.NOT_OWNER), true, false);
  private static final long GOODBYE_NANOS = 2_000_000_000L;

  /** What this needs of the rest of the node. Called on the ring's thread: must not wait. */
  interface Surroundings {
    /** Makes the mode; what it is to do on the thread it gives to the ring's inbox. */
    RingMode mode(Shelf shelf, NodeRing ring);

    /** What this node knows of the ring, or owns, may be another. */
    void changed();

    /** It has ended by itself. */
    void failed(String why, Throwable cause);
  }

  /** How it is, as any thread may see it. */
  record Glance(RingView view, List<Range> owned, List<String> problems) {
    Glance {
      owned = List.copyOf(owned);
      problems = List.copyOf(problems);
    }

    /** Of a ring that does not run, and why. */
    static Glance without(String name, NodeId self, DhtSetting setting, String problem) {
      TableSettings kept = setting.table();
      RingView view =
          new RingView(
              name,
              setting.mode(),
              0,
              kept.hash(),
              kept.replicas(),
              self,
              false,
              null,
              List.of(),
              List.of());
      return new Glance(view, List.of(), List.of(problem));
    }
  }

  private final String name;
  private final Seat me;
  private final Transport transport;
  private final Surroundings surroundings;
  private final Loop loop;
  private final Inbox inbox;
  private final Completions completions;
  private final Transport.Registration topic;
  private final @Nullable ValueJournal journal;
  private final Shelf shelf;
  private final RingMode mode;
  private final boolean isStale;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile Glance glance;
  private volatile boolean isOver;

  // The thread's.
  private final Map<Long, CompletableFuture<Reply>> asked = new HashMap<>();
  private final List<Leaving> leaving = new ArrayList<>();
  private List<Runnable> taken = new ArrayList<>();
  private int done;
  private long tickets;
  private long durable;
  private long glanceAt;
  private long seenAt;
  private long seenRevision = -1;

  private record Leaving(CompletableFuture<Boolean> left, long deadline) {}

  /**
   * Opens a ring on this node; reads what is on the disk.
   *
   * @throws IOException if the disk fails, is full, or has what this software cannot read
   */
  static NodeRing open(
      String name,
      NodeId self,
      DhtSetting setting,
      Storage storage,
      Transport transport,
      Surroundings surroundings)
      throws IOException {
    SecureRandom random = new SecureRandom();
    ValueFiles.Opened opened = null;
    if (setting.isDurable()) {
      opened = new ValueFiles(storage, name, random).open();
    }
    try {
      NodeRing ring = new NodeRing(name, self, setting, opened, transport, surroundings, random);
      ring.loop.start(ring::doWork);
      return ring;
    } catch (RuntimeException | Error e) {
      if (opened != null) {
        opened.journal().close();
      }
      throw e;
    }
  }

  private NodeRing(
      String name,
      NodeId self,
      DhtSetting setting,
      ValueFiles.@Nullable Opened opened,
      Transport transport,
      Surroundings surroundings,
      SecureRandom random) {
    this.name = name;
    this.transport = transport;
    this.surroundings = surroundings;
    loop = new Loop("clowder-dht", "ring", name);
    inbox = new Inbox(INBOX_TASKS, INBOX_BYTES, loop::wakeup);
    completions = new Completions(loop.completions());
    long now = System.nanoTime();
    // On a ring of peers each life is new, as who was silent is taken for dead; values are kept.
    boolean isNew = opened == null || setting.mode() == Dht.Mode.PEER;
    me = new Seat(self, isNew ? 1 + (random.nextLong() >>> 2) : opened.life());
    journal =
        opened == null ? null : new ValueJournal(opened, loop.disk(), loop.background(), this, now);
    Values values = opened == null ? new Values() : opened.values();
    boolean isWritten = opened != null && opened.writtenAt() > 0;
    long away = isWritten ? System.currentTimeMillis() - opened.writtenAt() : 0;
    isStale = away > setting.keeper().tombstoneMillis();
    shelf = new Shelf(me, setting.keeper(), values, this, random, now);
    glance = Glance.without(name, self, setting, "it has just begun");
    mode = surroundings.mode(shelf, this);
    topic = transport.listen(topic(name), this);
  }

  private static String topic(String name) {
    return "dht/" + name;
  }

  // ---- any thread ----------------------------------------------------------------------------

  Seat me() {
    return me;
  }

  /** Whether it was away for so long that others may have forgotten what was removed meanwhile. */
  boolean isStale() {
    return isStale;
  }

  /** How it is, or was a moment ago. */
  Glance glance() {
    return glance;
  }

  /** Runs a task on the ring's thread. */
  void execute(Runnable task) {
    inbox.add(task);
  }

  /**
   * Has the owner of a key do something.
   *
   * @return completes on a thread of the runtime; null if too much waits already, or it has ended
   */
  @Nullable CompletableFuture<Reply> ask(Ask ask, long timeoutNanos) {
    CompletableFuture<Reply> future = new CompletableFuture<>();
    long deadline = System.nanoTime() + timeoutNanos;
    boolean isTaken =
        inbox.offer(
            ask.size(),
            () -> {
              inbox.release(ask.size());
              if (isOver) {
                completions.complete(future, OVER);
              } else {
                mode.ask(expect(future), ask, deadline, System.nanoTime());
              }
            });
    return isTaken ? future : null;
  }

  /** Reads what any node has; as {@link #ask}. */
  @Nullable CompletableFuture<Reply> look(Identifier id, long timeoutNanos) {
    CompletableFuture<Reply> future = new CompletableFuture<>();
    long deadline = System.nanoTime() + timeoutNanos;
    boolean isTaken =
        inbox.offer(
            Identifier.BYTES,
            () -> {
              inbox.release(Identifier.BYTES);
              if (isOver) {
                completions.complete(future, OVER);
              } else {
                mode.look(expect(future), id, deadline, System.nanoTime());
              }
            });
    return isTaken ? future : null;
  }

  private long expect(CompletableFuture<Reply> future) {
    asked.put(++tickets, future);
    return tickets;
  }

  /** Has something be asked of the mode, on the ring's thread; null if it has ended. */
  <T> @Nullable CompletableFuture<T> with(BiConsumer<RingMode, CompletableFuture<T>> what) {
    CompletableFuture<T> future = new CompletableFuture<>();
    boolean isTaken =
        inbox.offer(
            0,
            () -> {
              shelf.now = System.nanoTime();
              if (isOver) {
                completions.fail(
                    future,
                    CoordinationException.refused(
                        Reason.UNAVAILABLE, "ring " + name + " ends on this node"));
              } else {
                what.accept(mode, future);
              }
            });
    return isTaken ? future : null;
  }

  /** Completes a stage of a user's off the ring's thread. */
  <T extends @Nullable Object> void complete(CompletableFuture<T> future, T value) {
    completions.complete(future, value);
  }

  /** Has this node leave; tells whether it has in time. */
  @Nullable CompletableFuture<Boolean> leave(long timeoutNanos) {
    return with(
        (it, future) -> {
          it.leave();
          leaving.add(new Leaving(future, System.nanoTime() + timeoutNanos));
        });
  }

  @Override
  public void receive(NodeId from, ByteBuffer payload) {
    byte[] bytes = new byte[payload.remaining()];
    payload.get(bytes);
    inbox.offer(
        bytes.length,
        () -> {
          inbox.release(bytes.length);
          take(from, bytes);
        });
  }

  @Override
  public void disconnected(NodeId peer) {
    inbox.add(() -> mode.lost(peer, System.nanoTime()));
  }

  // ---- the ring's thread ---------------------------------------------------------------------

  private void take(NodeId from, byte[] bytes) {
    if (isOver) {
      return;
    }
    try {
      WireReader in = new WireReader(bytes);
      if (in.readBoolean()) {
        mode.received(from, in.readRest(), System.nanoTime());
        return;
      }
      Seat source = Seat.read(in);
      Seat target = Seat.read(in);
      KeeperMessage message = KeeperMessage.read(in);
      if (!source.node().equals(from)) {
        throw new WireFormatException("it says that it is of " + source);
      }
      mode.received(source, target, message, System.nanoTime());
    } catch (WireFormatException | IllegalArgumentException e) {
      log.warn("ring {}: a message of {} is dropped: {}", name, from, e.getMessage());
    }
  }

  /** Sends a message of the ring's own. */
  boolean sendRing(NodeId to, byte[] message) {
    byte[] bytes = new byte[message.length + 1];
    bytes[0] = 1;
    System.arraycopy(message, 0, bytes, 1, message.length);
    return transport.send(to, topic(name), ByteBuffer.wrap(bytes));
  }

  @Override
  public boolean send(Seat to, KeeperMessage message) {
    if (isOver) {
      return false;
    }
    WireWriter out = new WireWriter(128).writeBoolean(false);
    me.write(out);
    to.write(out);
    message.write(out);
    return transport.send(to.node(), topic(name), out.toBuffer());
  }

  @Override
  public long append(Value value) {
    return journal == null || isOver ? 0 : journal.append(value);
  }

  @Override
  public long forget(Identifier id) {
    return journal == null || isOver ? 0 : journal.forget(id);
  }

  @Override
  public void answered(long ticket, Reply reply) {
    CompletableFuture<Reply> future = asked.remove(ticket);
    if (future != null) {
      completions.complete(future, reply);
    }
  }

  @Override
  public long wallMillis() {
    return System.currentTimeMillis();
  }

  @Override
  public void enqueue(Runnable task) {
    inbox.add(task);
  }

  @Override
  public void failed(IOException failure) {
    end("its disk failed: " + failure.getMessage(), failure);
  }

  private long doWork(long now) {
    try {
      if (isOver) {
        boolean isMore = runTasks();
        completions.flush();
        return isMore ? now : now + TimeUnit.SECONDS.toNanos(1);
      }
      return work(now);
    } catch (RuntimeException | Error e) {
      end("an invariant does not hold: " + e, e);
      return now;
    }
  }

  private long work(long now) {
    boolean isMore = runTasks();
    ValueJournal disk = journal;
    if (disk != null && disk.writingSince() != 0 && now - disk.writingSince() > HUNG_NANOS) {
      end("its disk has not answered for 10 s", new IOException("a sync does not return"));
      return now;
    }
    if (disk != null && disk.durable() > durable) {
      durable = disk.durable();
      mode.durable(durable, System.nanoTime());
    }
    if (mode.dueAt() <= now) {
      mode.tick(System.nanoTime());
    }
    if (disk != null) {
      disk.run(shelf.values, wallMillis(), now);
      disk.flush(now);
    }
    leaving.removeIf(it -> hasLeft(it, now));
    if (glanceAt <= now) {
      glanceAt = now + GLANCE_NANOS;
      renewGlance(now);
    }
    completions.flush();
    return isMore ? now : Math.min(mode.dueAt(), glanceAt);
  }

  /** What is long to find out is so only when it is another. */
  private void renewGlance(long now) {
    long revision = mode.revision();
    Glance before = glance;
    if (revision != seenRevision) {
      seenRevision = revision;
      seenAt = now;
      glance = new Glance(mode.view(), mode.owned(), mode.problems());
    } else if (now - seenAt >= PROBLEMS_NANOS) {
      seenAt = now;
      glance = new Glance(before.view(), before.owned(), mode.problems());
    }
    if (!glance.equals(before)) {
      surroundings.changed();
    }
  }

  /**
   * Runs what has come in, so much of it that nothing else waits for long; whether more is left.
   */
  private boolean runTasks() {
    if (done == taken.size()) {
      taken.clear();
      done = 0;
      taken = inbox.take();
    }
    int until = Math.min(taken.size(), done + ROUND_EVENTS);
    while (done < until) {
      taken.get(done++).run();
    }
    return done < taken.size();
  }

  private boolean hasLeft(Leaving one, long now) {
    if (!mode.hasLeft() && now < one.deadline) {
      return false;
    }
    completions.complete(one.left, mode.hasLeft());
    glanceAt = now; // Whoever is told that sees it, too.
    return true;
  }

  private void end(String why, Throwable cause) {
    if (isOver) {
      return;
    }
    isOver = true;
    inbox.shut();
    mode.close(() -> {});
    endCalls();
    surroundings.failed(why, cause);
  }

  private void endCalls() {
    mode.endCalls(System.nanoTime());
    leaving.forEach(it -> completions.complete(it.left, false));
    leaving.clear();
    if (journal != null) {
      journal.close(ended::countDown);
    } else {
      ended.countDown();
    }
  }

  /** Says good-bye to the others, for two seconds at most, and ends. Not on the ring's thread. */
  @Override
  public void close() {
    topic.close();
    inbox.shut();
    CountDownLatch told = new CountDownLatch(1);
    inbox.add(
        () -> {
          if (isOver) {
            told.countDown();
            return;
          }
          // Nothing is served any more when others are told that.
          isOver = true;
          endCalls();
          mode.close(told::countDown);
        });
    try {
      if (!told.await(GOODBYE_NANOS, TimeUnit.NANOSECONDS)) {
        log.info("ring {}: the others will find out that this node is away", name);
      }
      loop.wakeup();
      if (!ended.await(GOODBYE_NANOS, TimeUnit.NANOSECONDS)) {
        log.warn("ring {}: its disk does not answer", name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.stop();
  }
}
