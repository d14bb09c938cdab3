// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.runtime.Completions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The commands that this node waits for, and the session they go under. Survives the replica: what
 * was pending when a leader, a bundle or the disk went away is sent again, under the same sequence
 * numbers. Used by the group's thread, but for {@link #admit} and {@link #session}.
 */
final class Requests {
  /** How long an answer may take before what was forwarded is sent again. */
  private static final long RETRY_NANOS = 500_000_000L;

  private static final int ATTEMPTS_MAX = 4;

  private final Identity identity;
  private final Completions completions;
  private final Lease lease;

  /** What a session says of itself when it opens. */
  interface Identity {
    /** An envelope that opens a session under a nonce. */
    Envelope.Open open(long nonce);

    /** A fresh nonce. */
    long nonce();

    /** Milliseconds since 1970. */
    long wallMillis();
  }

  /** One command. */
  static final class Pending {
    final String machine;
    final byte[] payload;
    final long deadline;
    final CompletableFuture<Committed> result;
    long sequence;
    byte @Nullable [] envelope;
    boolean sent;
    long sentAt;
    int attempts;
    boolean queued;

    /** Applied, and its result will be known when the machine has caught up. */
    boolean early;

    boolean over;

    Pending(String machine, byte[] payload, long deadline, CompletableFuture<Committed> result) {
      this.machine = machine;
      this.payload = payload;
      this.deadline = deadline;
      this.result = result;
    }
  }

  private final AtomicInteger outstanding = new AtomicInteger();
  private final AtomicLong outstandingBytes = new AtomicLong();
  private volatile ConsensusService.Session session = ConsensusService.Session.NONE;

  private long nonce;
  private long openSince;
  private long openSinceMillis;
  private long openSentAt;
  private boolean openSent;

  /** Not numbered yet. */
  private final ArrayDeque<Pending> fresh = new ArrayDeque<>();

  /** Numbered and to be sent, or to be sent again; by sequence. */
  private final ArrayDeque<Pending> unsent = new ArrayDeque<>();

  /** Numbered {@code lowest} to {@code next - 1}, by their low bits; null when done. */
  private @Nullable Pending[] window = new Pending[64];

  private long lowest = 1;
  private long next = 1;

  Requests(Identity identity, Completions completions, Lease lease) {
    this.identity = identity;
    this.lease = lease;
    this.completions = completions;
    nonce = identity.nonce();
  }

  /** Takes a place among the outstanding requests; any thread. */
  void admit(int bytes) {
    int count = outstanding.incrementAndGet();
    long size = outstandingBytes.addAndGet(bytes);
    if (count > Limits.PENDING_REQUESTS || size > Limits.PENDING_BYTES) {
      leave(bytes);
      throw CoordinationException.refused(
          Reason.OVERLOADED,
          "too many requests of this node wait already, at most "
              + Limits.PENDING_REQUESTS
              + " of together "
              + Limits.PENDING_BYTES / (1 << 20)
              + " MiB may; ask again later");
    }
  }

  /** Gives the place back. */
  void leave(int bytes) {
    outstanding.decrementAndGet();
    outstandingBytes.addAndGet(-bytes);
  }

  ConsensusService.Session session() {
    return session;
  }

  boolean isEmpty() {
    return fresh.isEmpty() && lowest == next;
  }

  /** A command from a caller. */
  void add(Pending pending) {
    fresh.add(pending);
  }

  // --- sending ----------------------------------------------------------------------------------

  /**
   * The way to the leader changed, or is there again: everything not answered goes out once more.
   */
  void resend() {
    openSent = false;
    unsent.clear();
    for (long sequence = lowest; sequence < next; sequence++) {
      Pending pending = at(sequence);
      if (pending != null) {
        queue(pending);
      }
    }
  }

  private void queue(Pending pending) {
    pending.queued = true;
    unsent.add(pending);
  }

  /** What was forwarded long ago may be lost; each time it is given twice as long. */
  void retry(long now) {
    if (openSent && now - openSentAt > RETRY_NANOS) {
      openSent = false;
    }
    for (long sequence = lowest; sequence < next; sequence++) {
      Pending pending = at(sequence);
      if (pending != null
          && pending.sent
          && !pending.queued
          && now - pending.sentAt > RETRY_NANOS << Math.min(pending.attempts, ATTEMPTS_MAX)) {
        pending.attempts++;
        queue(pending);
      }
    }
  }

  /**
   * Envelopes to bring to the leader now, in order; at most about {@code bytes}. Nobody else refers
   * to their arrays.
   */
  List<byte[]> take(long now, long bytes) {
    List<byte[]> batch = new ArrayList<>();
    if (session.id() == 0) {
      if (!openSent) {
        openSent = true;
        openSentAt = now;
        if (openSince == 0) {
          openSince = now;
          openSinceMillis = identity.wallMillis();
        }
        batch.add(identity.open(nonce).encode());
      }
      return batch;
    }
    number();
    long left = bytes;
    while (!unsent.isEmpty() && left > 0) {
      Pending pending = unsent.poll();
      pending.queued = false;
      byte[] envelope = pending.envelope;
      if (pending.over || envelope == null) {
        continue;
      }
      if (pending.sent) {
        // The leader wrote its time into the first copy, which may be part of a log by now.
        envelope = envelope.clone();
        pending.envelope = envelope;
      }
      pending.sent = true;
      pending.sentAt = now;
      left -= envelope.length;
      batch.add(envelope);
    }
    return batch;
  }

  private void number() {
    while (!fresh.isEmpty() && next - lowest < Sessions.WINDOW) {
      Pending pending = fresh.poll();
      if (next - lowest == window.length) {
        grow();
      }
      pending.sequence = next;
      window[(int) next & (window.length - 1)] = pending;
      next++;
      pending.envelope =
          new Envelope.Command(
                  session.id(), pending.sequence, lowest, pending.machine, pending.payload)
              .encode();
      queue(pending);
    }
  }

  private @Nullable Pending at(long sequence) {
    return window[(int) sequence & (window.length - 1)];
  }

  private void grow() {
    @Nullable Pending[] wider = new Pending[window.length * 2];
    for (long sequence = lowest; sequence < next; sequence++) {
      wider[(int) sequence & (wider.length - 1)] = at(sequence);
    }
    window = wider;
  }

  // --- outcomes ---------------------------------------------------------------------------------

  /** A command of some session was applied here. */
  void applied(
      long session, long sequence, Sessions.Result result, @Nullable RuntimeException failure) {
    if (session != this.session.id() || sequence < lowest || sequence >= next) {
      return;
    }
    Pending pending = at(sequence);
    if (pending == null) {
      return;
    }
    pending.over = true;
    window[(int) sequence & (window.length - 1)] = null;
    advance();
    leave(pending.payload.length);
    switch (result.status()) {
      case APPLIED ->
          completions.complete(pending.result, new Committed(result.position(), result.bytes()));
      case FAILED ->
          completions.fail(
              pending.result,
              new CoordinationException(
                  Reason.STATE_MACHINE_FAILED,
                  Outcome.MAY_HAVE_HAPPENED,
                  "machine '"
                      + pending.machine
                      + "' failed on the command, on every node: "
                      + (failure == null ? "its result is too large" : failure)));
      case PENDING ->
          completions.fail(
              pending.result,
              new CoordinationException(
                  Reason.UNAVAILABLE,
                  Outcome.MAY_HAVE_HAPPENED,
                  "the command was applied by the others; this node's machine '"
                      + pending.machine
                      + "' is away, so its result is not known here"));
    }
  }

  /** Moves {@code lowest} past what is done, so that the group may forget its results. */
  private void advance() {
    while (lowest < next && at(lowest) == null) {
      lowest++;
    }
  }

  private void removeIf(Predicate<Pending> over) {
    fresh.removeIf(over);
    for (long sequence = lowest; sequence < next; sequence++) {
      Pending pending = at(sequence);
      if (pending != null && over.test(pending)) {
        window[(int) sequence & (window.length - 1)] = null;
      }
    }
    advance();
  }

  /** A session was opened in the log; ours, if the nonce is. Returns whether it is. */
  boolean opened(Sessions.Session opened) {
    if (opened.nonce != nonce || session.id() == opened.id) {
      return false;
    }
    session = lease.session(opened.id, openSince, openSinceMillis);
    return true;
  }

  /** This session was alive at {@code since}, by the other clock {@code sinceMillis}, or later. */
  void renewed(long id, long since, long sinceMillis) {
    ConsensusService.Session renewed = lease.session(id, since, sinceMillis);
    if (session.id() == id && renewed.validUntilNanos() - session.validUntilNanos() > 0) {
      session = renewed;
    }
  }

  /**
   * Our session has ended in the log. Its commands that are still pending were not applied and
   * never will be, so they go on under a new session.
   */
  void ended(long id) {
    if (id == session.id()) {
      for (Pending pending : startOver()) {
        if (pending.early) {
          fail(
              pending,
              Reason.SESSION_EXPIRED,
              "the command was applied, but its result is lost with this node's session");
        } else {
          pending.sent = false;
          fresh.addLast(pending);
        }
      }
    }
  }

  private List<Pending> startOver() {
    List<Pending> pending = new ArrayList<>();
    for (long sequence = lowest; sequence < next; sequence++) {
      Pending one = at(sequence);
      if (one != null) {
        one.envelope = null;
        one.queued = false;
        one.attempts = 0;
        pending.add(one);
      }
    }
    pending.addAll(fresh);
    fresh.clear();
    unsent.clear();
    window = new Pending[64];
    lowest = 1;
    next = 1;
    session = ConsensusService.Session.NONE;
    nonce = identity.nonce();
    openSent = false;
    openSince = 0;
    return pending;
  }

  /**
   * The state was replaced by a snapshot at {@code position}: results that were skipped are in its
   * session table. A session that was opened later is none of its business.
   */
  void reconcile(Sessions sessions, long position) {
    if (session.id() > position) {
      return;
    }
    if (session.id() == 0) {
      for (Sessions.Session candidate : sessions.all()) {
        opened(candidate);
      }
      return;
    }
    if (sessions.get(session.id()) != null) {
      collect(sessions);
      return;
    }
    // Ended somewhere in what was skipped; a command may have been applied before that.
    for (Pending pending : startOver()) {
      if (pending.sent) {
        fail(
            pending,
            Reason.SESSION_EXPIRED,
            "this node was out of touch for so long that its session ended");
      } else {
        fresh.addLast(pending);
      }
    }
  }

  /** Completes what has its result in the session table by now. */
  void collect(Sessions sessions) {
    Sessions.Session known = sessions.get(session.id());
    for (long sequence = lowest; known != null && sequence < next; sequence++) {
      Sessions.Result result = known.result(sequence);
      if (result != null && result.status() != Sessions.Status.PENDING) {
        applied(session.id(), sequence, result, null);
      }
    }
  }

  /**
   * A command was applied, to a machine that may be about to catch up: then its result is known
   * soon, and is waited for. Says whether it is.
   */
  boolean isEarly(long session, long sequence, Sessions.Result result, Predicate<String> isComing) {
    Pending pending =
        session == this.session.id() && sequence >= lowest && sequence < next ? at(sequence) : null;
    if (result.status() != Sessions.Status.PENDING
        || pending == null
        || !isComing.test(pending.machine)) {
      return false;
    }
    pending.early = true;
    return true;
  }

  /** Fails what is past its deadline. */
  void expire(long now, Supplier<String> trouble) {
    removeIf(
        pending -> {
          if (now - pending.deadline < 0) {
            return false;
          }
          fail(
              pending,
              Reason.TIMEOUT,
              (pending.sent
                      ? "no result within the deadline, it may still happen"
                      : "not done within the deadline")
                  + trouble.get());
          return true;
        });
  }

  /** Fails all commands of a machine, or of every machine if null. */
  void failAll(@Nullable String machine, String message) {
    removeIf(
        pending -> {
          if (machine != null && !machine.equals(pending.machine)) {
            return false;
          }
          fail(pending, Reason.UNAVAILABLE, message);
          return true;
        });
  }

  /** Fails a command; it did not happen if it never left. */
  private void fail(Pending pending, Reason reason, String message) {
    pending.over = true;
    leave(pending.payload.length);
    completions.fail(
        pending.result,
        new CoordinationException(
            reason, pending.sent ? Outcome.MAY_HAVE_HAPPENED : Outcome.DID_NOT_HAPPEN, message));
  }
}
