// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.transport.Transport;
import io.clowder.replication.Question.Read;
import io.clowder.replication.Question.Write;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the errands of this node's users: brings each question to the copy that can answer it, here
 * or elsewhere, and again to another when the primary changes, until its deadline. That is safe,
 * for a write has a number under which it is known. Thread-safe.
 */
final class Clerk {
  private static final long TICK_MILLIS = 10;
  private static final long SILENCE_NANOS = 1_000_000_000L;

  /** This node's copy. */
  interface Desk {
    /** As {@code Copy.ask}. */
    void ask(Question question, Consumer<Reply> then);
  }

  private final String store;
  private final NodeId self;
  private final Transport transport;
  private final Supplier<@Nullable Desk> desk;
  private final ScheduledExecutorService timer;
  private final Executor completions;
  private final Map<Long, Errand<?>> errands = new ConcurrentHashMap<>();
  private final AtomicLong numbers = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicBoolean isTicking = new AtomicBoolean();
  private volatile @Nullable StoreConfig config;
  private volatile boolean isClosed;

  /**
   * Begins.
   *
   * @param desk of this node; null while there is none
   * @param timer for what is to be tried again
   * @param completions completes what others have answered
   */
  Clerk(
      String store,
      NodeId self,
      Transport transport,
      Supplier<@Nullable Desk> desk,
      ScheduledExecutorService timer,
      Executor completions) {
    this.store = store;
    this.self = self;
    this.transport = transport;
    this.desk = desk;
    this.timer = timer;
    this.completions = completions;
  }

  /** This node's copy is there, or not any more; whoever says so does not wait for anything. */
  void deskChanged() {
    bringAgain();
  }

  /** Who holds the store is known, or has changed; whoever says so does not wait for anything. */
  void configured(StoreConfig next) {
    config = next;
    bringAgain();
  }

  private void bringAgain() {
    if (errands.isEmpty()) {
      return;
    }
    try {
      timer.execute(() -> errands.values().forEach(Errand::again));
    } catch (RejectedExecutionException e) {
      close();
    }
  }

  /** A copy elsewhere has answered. */
  void told(NodeId from, long number, Reply reply) {
    Errand<?> errand = errands.get(number);
    if (errand != null) {
      complete(() -> errand.replied(from, reply));
    }
  }

  /** Where users' stages complete, and may wait. */
  private void complete(Runnable task) {
    try {
      completions.execute(task);
    } catch (RejectedExecutionException e) {
      task.run();
    }
  }

  /** What was sent there last may be lost. */
  void disconnected(NodeId peer) {
    errands.values().forEach(it -> it.lost(peer));
  }

  /**
   * The answer to a write or a read, of whoever can give it.
   *
   * @param result what the caller gets for it; what it throws is a failure of the stage
   */
  <T extends @Nullable Object> CompletionStage<T> run(
      Question question, Duration timeout, Function<Answer, T> result) {
    return begin(
        question,
        null,
        timeout,
        reply -> {
          if (reply instanceof Reply.Answered answered) {
            return result.apply(answered.answer());
          }
          throw new AssertionError(question + " answered by " + reply);
        });
  }

  /** What one node's copy says, whatever that is; refusals, too. */
  CompletionStage<Reply> ask(NodeId node, Question question, Duration timeout) {
    return begin(question, node, timeout, reply -> reply);
  }

  private <T extends @Nullable Object> CompletionStage<T> begin(
      Question question, @Nullable NodeId only, Duration timeout, Function<Reply, T> result) {
    int size = question instanceof Write write ? write.op().size() : 64;
    if (errands.size() >= Limits.PENDING_REQUESTS || bytes.get() + size > Limits.PENDING_BYTES) {
      return CompletableFuture.failedStage(
          refused(
              Reason.OVERLOADED,
              "store %s: %d requests of this node wait already".formatted(store, errands.size())));
    }
    Errand<T> errand =
        new Errand<>(
            numbers.incrementAndGet(), question, only, size, System.nanoTime(), timeout, result);
    bytes.addAndGet(size);
    errands.put(errand.number, errand);
    if (isClosed) {
      errand.close();
    } else {
      errand.begin();
      tick();
    }
    return errand.future;
  }

  private void tick() {
    if (isTicking.compareAndSet(false, true)) {
      try {
        var unused = timer.schedule(this::turn, TICK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        close();
      }
    }
  }

  private void turn() {
    long now = System.nanoTime();
    errands.values().forEach(it -> it.tick(now));
    isTicking.set(false);
    if (!errands.isEmpty()) {
      tick();
    }
  }

  /** Fails all that waits. */
  void close() {
    isClosed = true;
    errands.values().forEach(Errand::close);
  }

  /** Where a question may be answered; null if nobody can be named now. */
  private @Nullable NodeId target(Question question, @Nullable NodeId only) {
    StoreConfig present = config;
    if (only != null || present == null) {
      return only;
    }
    if (question instanceof Read read && desk.get() != null) {
      ReplicaId mine = present.of(self);
      boolean isLocal = read.freshness().kind() == Freshness.Kind.LOCAL;
      if (mine != null && (isLocal || present.insync().contains(mine))) {
        return self;
      }
    }
    return present.primary() == null ? null : present.primary().node();
  }

  /** What is local there is not what was asked for here. */
  private static Question elsewhere(Question question) {
    return question instanceof Read read && read.freshness().kind() == Freshness.Kind.LOCAL
        ? new Read(Freshness.LINEARIZABLE, read.query())
        : question;
  }

  /** One question on its way. */
  private final class Errand<T extends @Nullable Object> {
    private final long number;
    private final Question question;
    private final @Nullable NodeId only;
    private final int size;
    private final long deadline;
    private final Duration timeout;
    private final Function<Reply, T> result;
    private final CompletableFuture<T> future = new CompletableFuture<>();

    /** Who has it now; null if nobody does. */
    private @Nullable NodeId at;

    private long askedAt;
    private int attempt;
    private boolean mayHaveHappened;

    Errand(
        long number,
        Question question,
        @Nullable NodeId only,
        int size,
        long now,
        Duration timeout,
        Function<Reply, T> result) {
      this.number = number;
      this.question = question;
      this.only = only;
      this.size = size;
      this.deadline = now + timeout.toNanos();
      this.timeout = timeout;
      this.result = result;
    }

    /** Brings it to where it belongs, on the thread of its user: nobody hangs on it yet. */
    void begin() {
      bring(reply -> replied(self, reply));
    }

    /** Brings it to where it belongs by now, if it is not there. */
    void again() {
      bring(reply -> complete(() -> replied(self, reply)));
    }

    private void bring(Consumer<Reply> here) {
      int mine;
      NodeId to;
      synchronized (this) {
        to = target(question, only);
        if (future.isDone() || to == null || to.equals(at)) {
          return;
        }
        // Whoever has it may do it yet.
        mayHaveHappened |= at != null && question instanceof Write;
        at = to;
        askedAt = System.nanoTime();
        mine = ++attempt;
      }
      Desk present = desk.get();
      if (!to.equals(self)) {
        StoreMessage ask = new StoreMessage.Ask(number, elsewhere(question));
        if (!transport.send(to, StoreMessage.topic(store), ask.encode())) {
          lost(to, mine, false);
        }
      } else if (present != null) {
        present.ask(question, here);
      } else {
        lost(self, mine, false);
      }
    }

    void lost(NodeId peer) {
      lost(peer, attempt, true);
    }

    private synchronized void lost(NodeId peer, int mine, boolean mayBeThere) {
      if (peer.equals(at) && mine == attempt && !(mayBeThere && peer.equals(self))) {
        mayHaveHappened |= mayBeThere && question instanceof Write;
        at = null;
      }
    }

    void replied(NodeId from, Reply reply) {
      synchronized (this) {
        if (reply instanceof Reply.Refused refused) {
          mayHaveHappened |= refused.outcome() == Outcome.MAY_HAVE_HAPPENED;
          if (!from.equals(at)) {
            return; // It is elsewhere by now.
          }
          at = null;
          boolean isPassing =
              refused.reason() == Refusal.NOT_PRIMARY || refused.reason() == Refusal.HANDING_OVER;
          if (only == null && isPassing) {
            return; // The next tick brings it to whoever is the primary then.
          }
        }
      }
      if (only == null && reply instanceof Reply.Refused refused) {
        fail(refusal(refused));
      } else {
        end();
        answer(reply);
      }
    }

    private void answer(Reply reply) {
      T value;
      try {
        value = result.apply(reply);
      } catch (RuntimeException | Error e) {
        future.completeExceptionally(e);
        return;
      }
      future.complete(value);
    }

    private CoordinationException refusal(Reply.Refused refused) {
      StoreConfig present = config;
      String copies =
          present == null
              ? "too few copies are"
              : "%d of at least %d copies are"
                  .formatted(present.insync().size(), present.minInsync());
      return switch (refused.reason()) {
        case NOT_ENOUGH_COPIES ->
            failure(
                Reason.UNAVAILABLE,
                copies + " in sync: it waits for the others (store:status, store:lag)");
        case FORGOTTEN ->
            new CoordinationException(
                Reason.CONFLICT,
                Outcome.MAY_HAVE_HAPPENED,
                about("the request is so old that nobody remembers what became of it"));
        case OVERLOADED -> failure(Reason.OVERLOADED, "too many requests wait already");
        case NO_SPACE -> failure(Reason.OVERLOADED, "the primary's disk is nearly full: make room");
        case TOO_LARGE ->
            failure(
                Reason.TOO_LARGE,
                "at most %d bytes of a key, %d of a value, %d of a batch"
                    .formatted(Limits.KEY_BYTES, Limits.VALUE_BYTES, Limits.COMMAND_BYTES));
        case NOT_PRIMARY, HANDING_OVER -> failure(Reason.UNAVAILABLE, "there is no primary");
      };
    }

    private CoordinationException failure(Reason reason, String what) {
      return new CoordinationException(
          reason,
          mayHaveHappened ? Outcome.MAY_HAVE_HAPPENED : Outcome.DID_NOT_HAPPEN,
          about(what));
    }

    private String about(String what) {
      return "store " + store + ": " + what;
    }

    void tick(long now) {
      if (future.isDone()) {
        end(); // Its user has given it up.
        return;
      } else if (now - deadline >= 0) {
        expire();
        return;
      }
      synchronized (this) {
        // To oneself nothing gets lost.
        if (at != null && (at.equals(self) || now - askedAt < SILENCE_NANOS)) {
          return;
        }
        mayHaveHappened |= at != null && question instanceof Write;
        at = null;
      }
      again();
    }

    private void expire() {
      String what;
      synchronized (this) {
        StoreConfig present = config;
        mayHaveHappened |= at != null && question instanceof Write;
        if (at != null) {
          what = "no answer of " + at;
        } else if (only != null) {
          what = "not connected to " + only;
        } else if (present == null) {
          what = "its configuration is not known: consensus has not answered (clowder:why)";
        } else if (present.primary() == null) {
          what = "there is no primary (store:status, clowder:why)";
        } else {
          what =
              "the primary " + present.primary().node() + " cannot be reached, or is just leaving";
        }
      }
      fail(failure(Reason.TIMEOUT, what + " within " + timeout.toMillis() + " ms"));
    }

    void close() {
      synchronized (this) {
        mayHaveHappened |= at != null && question instanceof Write;
      }
      fail(failure(Reason.UNAVAILABLE, "it is closed on this node"));
    }

    private void fail(CoordinationException failure) {
      end();
      complete(() -> future.completeExceptionally(failure));
    }

    private void end() {
      if (errands.remove(number) != null) {
        bytes.addAndGet(-size);
      }
    }
  }
}
