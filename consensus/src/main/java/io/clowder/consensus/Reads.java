// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.runtime.Completions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Queries, and whatever else needs to know that the leader still leads. Those that came in together
 * share a barrier, which starts after all of them did: a confirmation that was under way when a
 * read began never counts for it. Used by the group's thread.
 */
final class Reads {
  /** How long the leader may take to answer before it is asked again. */
  private static final long RETRY_NANOS = 500_000_000L;

  private final Road road;
  private final Requests requests;
  private final Completions completions;

  /** How barriers get to the leader, and state to the reads. */
  interface Road {
    /** Whether this node leads. */
    boolean leads();

    /** The leader if it is known and is another node. */
    @Nullable NodeId leader();

    /** Steps the core by a barrier. */
    void barrier(long ticket);

    /** Sends to another member's driver. */
    void send(NodeId to, GroupMessage message);

    /** The last position applied here. */
    long applied();

    /** A machine that is there and current, or null. */
    @Nullable StateMachine machine(String name);

    /** Whether a machine that is not current is there, and will be. */
    boolean isComing(String name);

    /** A number for a barrier or a batch of proposals that no other has had. */
    long ticket();
  }

  /** A query of a machine of this node; without a machine, only the wait for its turn. */
  static final class Query {
    final @Nullable String machine;
    final byte[] query;
    final long deadline;
    final CompletableFuture<byte[]> result;

    Query(@Nullable String machine, byte[] query, long deadline, CompletableFuture<byte[]> result) {
      this.machine = machine;
      this.query = query;
      this.deadline = deadline;
      this.result = result;
    }
  }

  /** What waits for one confirmation. */
  private static final class Round {
    final List<Query> queries;
    final List<LongConsumer> others;
    final long startedAt;

    Round(List<Query> queries, List<LongConsumer> others, long startedAt) {
      this.queries = queries;
      this.others = others;
      this.startedAt = startedAt;
    }
  }

  /** Confirmed: to be run once {@code position} is applied. */
  private record Confirmed(long position, Round round) {}

  private List<Query> waiting = new ArrayList<>();
  private List<LongConsumer> waitingOthers = new ArrayList<>();
  private final Map<Long, Round> underWay = new TreeMap<>();
  private final ArrayDeque<Confirmed> confirmed = new ArrayDeque<>();

  Reads(Road road, Requests requests, Completions completions) {
    this.road = road;
    this.requests = requests;
    this.completions = completions;
  }

  /** A linearizable query. */
  void add(Query query) {
    waiting.add(query);
  }

  /** A query of whatever is applied once {@code position} is. */
  void addAt(long position, Query query) {
    List<Query> one = new ArrayList<>();
    one.add(query);
    confirmed.add(new Confirmed(position, new Round(one, new ArrayList<>(), 0)));
  }

  /**
   * On the leader: calls back with the position of a barrier that starts after this call, once that
   * position is applied; never, if leadership is lost before.
   */
  void whenLeading(LongConsumer then) {
    waitingOthers.add(then);
  }

  boolean isEmpty() {
    return waiting.isEmpty() && underWay.isEmpty() && confirmed.isEmpty();
  }

  /** Starts a barrier for all that wait for one; says whether it did. */
  boolean start(long now) {
    if (waiting.isEmpty() && waitingOthers.isEmpty()) {
      return false;
    }
    NodeId leader = road.leader();
    if (!road.leads() && leader == null) {
      waitingOthers.clear();
      return false;
    }
    long id = road.ticket();
    underWay.put(id, new Round(waiting, waitingOthers, now));
    waiting = new ArrayList<>();
    waitingOthers = new ArrayList<>();
    if (road.leads()) {
      road.barrier(id);
    } else if (leader != null) {
      road.send(leader, new GroupMessage.ReadAt(id));
    }
    return true;
  }

  /** The barrier was confirmed. */
  void ready(long id, long position) {
    Round round = underWay.remove(id);
    if (round != null) {
      confirmed.add(new Confirmed(position, round));
    }
  }

  /** A barrier was refused: the queries wait for the next. Returns whether it was a barrier. */
  boolean refused(long id) {
    Round round = underWay.remove(id);
    if (round != null) {
      waiting.addAll(round.queries);
    }
    return round != null;
  }

  /** The way to the leader changed. */
  void restart() {
    underWay.values().forEach(round -> waiting.addAll(round.queries));
    underWay.clear();
    waitingOthers.clear();
    // What waits to be applied was confirmed by a leader that may be none any more.
    confirmed.forEach(next -> next.round.others.clear());
  }

  /**
   * The state has come to another segment. What was confirmed in the one before says nothing of
   * what others may have been answered in the next: it is asked anew.
   */
  void sealed() {
    restart();
    for (Iterator<Confirmed> i = confirmed.iterator(); i.hasNext(); ) {
      Confirmed next = i.next();
      if (next.position > 0) {
        waiting.addAll(next.round.queries);
        i.remove();
      }
    }
  }

  /** Asks again where the answer may be lost. */
  void retry(long now) {
    if (road.leads()) {
      return;
    }
    for (Iterator<Round> i = underWay.values().iterator(); i.hasNext(); ) {
      Round round = i.next();
      if (now - round.startedAt > RETRY_NANOS) {
        i.remove();
        waiting.addAll(round.queries);
      }
    }
  }

  /** Runs what may run at the position applied; says whether there was anything. */
  boolean run() {
    boolean any = false;
    long applied = road.applied();
    for (Iterator<Confirmed> i = confirmed.iterator(); i.hasNext(); ) {
      Confirmed next = i.next();
      if (next.position > applied) {
        continue;
      }
      any |= next.round.queries.removeIf(this::answered);
      any |= !next.round.others.isEmpty();
      next.round.others.forEach(other -> other.accept(next.position));
      next.round.others.clear();
      if (next.round.queries.isEmpty()) {
        i.remove();
      }
    }
    return any;
  }

  /** Answers from what is applied, unless the machine is only just catching up. */
  private boolean answered(Query query) {
    if (query.machine == null) {
      completions.complete(query.result, query.query);
      return true;
    }
    if (road.isComing(query.machine)) {
      return false;
    }
    answer(query, query.machine);
    return true;
  }

  private void answer(Query query, String name) {
    requests.leave(query.query.length);
    StateMachine machine = road.machine(name);
    if (machine == null) {
      fail(query, Reason.UNAVAILABLE, "machine '" + name + "' is away on this node");
      return;
    }
    try {
      byte[] result = machine.query(query.query);
      if (result.length > Limits.RESULT_BYTES) {
        fail(query, Reason.TOO_LARGE, "a result of " + result.length + " bytes");
      } else {
        completions.complete(query.result, result);
      }
    } catch (IllegalArgumentException e) {
      fail(query, Reason.INVALID, String.valueOf(e.getMessage()));
    } catch (RuntimeException | AssertionError | LinkageError e) {
      fail(query, Reason.STATE_MACHINE_FAILED, "the query failed: " + e);
    }
  }

  /** Fails what is past its deadline. */
  void expire(long now, Supplier<String> trouble) {
    failIf(
        query -> now - query.deadline >= 0,
        Reason.TIMEOUT,
        () -> "no answer within the deadline" + trouble.get());
  }

  /** Fails all queries of a machine, or of every machine if null. */
  void failAll(@Nullable String machine, String message) {
    failIf(
        query -> machine == null || machine.equals(query.machine),
        Reason.UNAVAILABLE,
        () -> message);
  }

  private void failIf(Predicate<Query> over, Reason reason, Supplier<String> message) {
    Predicate<Query> failed =
        query -> {
          if (!over.test(query)) {
            return false;
          }
          leave(query);
          fail(query, reason, message.get());
          return true;
        };
    waiting.removeIf(failed);
    for (Round round : underWay.values()) {
      round.queries.removeIf(failed);
    }
    for (Iterator<Confirmed> i = confirmed.iterator(); i.hasNext(); ) {
      Round round = i.next().round;
      round.queries.removeIf(failed);
      if (round.queries.isEmpty() && round.others.isEmpty()) {
        i.remove();
      }
    }
  }

  /** Gives back the place that a query of a caller has among the outstanding requests. */
  private void leave(Query query) {
    if (query.machine != null) {
      requests.leave(query.query.length);
    }
  }

  private void fail(Query query, Reason reason, String message) {
    completions.fail(
        query.result, new CoordinationException(reason, Outcome.DID_NOT_HAPPEN, message));
  }
}
