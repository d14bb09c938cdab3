// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.runtime.Completions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A swap from the side of whoever asked for it: it asks the members of the next segment whether
 * they could take part, has the segment prepared, and follows what becomes of it. Once it is
 * prepared, the swap goes on without this node, too. On the group's thread.
 */
final class SwapRequest {
  private static final Logger log = LoggerFactory.getLogger(SwapRequest.class);

  private static final long ASK_NANOS = 300_000_000L;
  private static final long ANSWER_NANOS = 2_000_000_000L;

  /** Commands that came at least this often before the seal make the gap; nobody waited else. */
  private static final long UNDER_LOAD_NANOS = 100_000_000L;

  private static final long REPEAT_NANOS = 500_000_000L;

  private final Successor successor;
  private final Consumer<String> progress;
  private final long begun;
  private final long deadline;
  private final CompletableFuture<Swap> result;
  private final Road road;

  private Stage stage = Stage.ASKING;
  private final long ticket;
  private final SortedMap<NodeId, Long> directories = new TreeMap<>();

  /** What each member of the next segment lacks; nothing if it is empty. */
  private final SortedMap<NodeId, String> answers = new TreeMap<>();

  private Segment next;
  private long repeatAt;
  private String said = "";
  private long sealedAt;
  private long gapFrom;
  private boolean probing;

  private enum Stage {
    ASKING,
    PREPARING,
    STANDING_BY,
    SERVING,
    OVER
  }

  /** What it needs of the group. */
  interface Road {
    /** The replicated chain. */
    ReplicatedState state();

    /** Who is where. */
    Reports reports();

    /** This node. */
    NodeId self();

    /** Whether this node has a provider of the protocol. */
    boolean provides(String protocol);

    /** What this node lacks to take part. */
    String lack(String protocol, SortedMap<String, String> parameters, Collection<NodeId> members);

    /** Sends to another member's driver. */
    void send(NodeId to, GroupMessage message);

    /** Brings an envelope to the leader, if one is known; it may get lost. */
    void bring(Envelope envelope);

    /** Has links made with nodes that are to join. */
    void meet(Map<NodeId, Address> nodes);

    /** Calls back with the time, on the group's thread, once the segment has confirmed a read. */
    void probe(long until, LongConsumer confirmed);

    /** When the last command of the segment before was decided here. */
    long lastCommandAt();

    /** For the message of a time-out. */
    String because();

    /** Completes or fails a future off this thread. */
    Completions completions();
  }

  /**
   * A request that has not begun.
   *
   * @param ticket tells its questions from those of others
   * @param incarnation of the segment that will be prepared
   * @throws CoordinationException if it makes no sense as the group stands
   */
  SwapRequest(
      Successor successor,
      Consumer<String> progress,
      long now,
      long deadline,
      CompletableFuture<Swap> result,
      Road road,
      long ticket,
      long incarnation) {
    this.successor = successor;
    this.progress = progress;
    this.begun = now;
    this.deadline = deadline;
    this.result = result;
    this.road = road;
    this.ticket = ticket;
    this.next = plan(incarnation);
    this.repeatAt = now;
    String lack = road.lack(next.protocol(), next.parameters(), next.members().keySet());
    if (!lack.isEmpty() && road.provides(next.protocol())) {
      throw invalid(lack);
    }
    if (next.has(road.self())) {
      answers.put(road.self(), lack);
    }
  }

  private Segment plan(long incarnation) {
    Segment current = road.state().current();
    Segment pending = road.state().pending();
    if (current == null || !current.has(road.self())) {
      throw CoordinationException.refused(
          Reason.UNAVAILABLE, road.self() + " is not a member of the group; ask a member");
    }
    if (pending != null) {
      throw CoordinationException.refused(
          Reason.CONFLICT, "another swap runs already, to " + pending.title());
    }
    SortedMap<NodeId, Address> members = new TreeMap<>(current.members());
    if (!Collections.disjoint(successor.leaving(), successor.joining().keySet())) {
      throw invalid("a node cannot leave and join in one swap; remove it first, then add it");
    }
    for (NodeId leaving : successor.leaving()) {
      if (members.remove(leaving) == null) {
        throw invalid(leaving + " is not a member; members are " + names(current));
      }
    }
    successor
        .joining()
        .forEach(
            (joining, address) -> {
              if (members.putIfAbsent(joining, address) != null) {
                throw invalid(joining + " is a member already; remove it first");
              }
              if (members.entrySet().stream()
                  .anyMatch(m -> !m.getKey().equals(joining) && m.getValue().equals(address))) {
                throw invalid(address + " is the address of another member");
              }
            });
    if (members.isEmpty()) {
      throw invalid("the last member cannot be removed");
    }
    boolean same = successor.protocol() == null;
    try {
      return new Segment(
          road.state().lastNumber() + 1,
          incarnation,
          same ? current.protocol() : String.valueOf(successor.protocol()),
          same ? current.parameters() : successor.parameters(),
          members,
          Segment.UNKNOWN);
    } catch (IllegalArgumentException e) {
      throw invalid(String.valueOf(e.getMessage()));
    }
  }

  private static CoordinationException invalid(String message) {
    return CoordinationException.refused(Reason.INVALID, message);
  }

  private static String names(Segment segment) {
    return names(segment.members().keySet());
  }

  private static String names(Collection<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).collect(Collectors.joining(", "));
  }

  boolean isOver() {
    return stage == Stage.OVER;
  }

  /** Does what is due. */
  void tick(long now) {
    if (stage == Stage.ASKING) {
      ask(now);
    }
    if (stage == Stage.PREPARING) {
      prepare(now);
    }
    if (stage == Stage.STANDING_BY) {
      follow(now);
    }
    if (stage == Stage.SERVING) {
      serve(now);
    }
    if (stage != Stage.OVER && now - deadline >= 0) {
      boolean asking = stage == Stage.ASKING;
      fail(
          Reason.TIMEOUT,
          asking ? Outcome.DID_NOT_HAPPEN : Outcome.MAY_HAVE_HAPPENED,
          (asking ? "not begun" : "not finished, it may still be or be abandoned,")
              + " within the deadline"
              + road.because());
    }
  }

  private void ask(long now) {
    if (now - repeatAt >= 0) {
      repeatAt = now + ASK_NANOS;
      road.meet(successor.joining());
      GroupMessage question =
          new GroupMessage.Ask(
              ticket, next.protocol(), next.parameters(), List.copyOf(next.members().keySet()));
      for (NodeId member : next.members().keySet()) {
        if (!answers.containsKey(member)) {
          road.send(member, question);
        }
      }
    }
    boolean all = answers.keySet().containsAll(next.members().keySet());
    if (all || now - begun >= ANSWER_NANOS || now - deadline >= 0) {
      decide(now);
    }
  }

  /** A member answered. */
  void answered(NodeId from, long directory, GroupMessage.Answer answer, long now) {
    if (stage == Stage.ASKING && answer.id() == ticket && next.has(from)) {
      answers.put(from, answer.lack());
      directories.put(from, directory);
      tick(now);
    }
  }

  private void decide(long now) {
    List<String> lacks = new ArrayList<>();
    int able = 0;
    boolean joined = true;
    for (NodeId member : next.members().keySet()) {
      String answer = answers.get(member);
      if (answer != null && answer.isEmpty()) {
        able++;
      } else {
        lacks.add(member + (answer == null ? " does not answer" : ": " + answer));
        joined &= !successor.joining().containsKey(member);
      }
    }
    if (able < next.majority() || !joined) {
      fail(
          Reason.UNAVAILABLE,
          Outcome.DID_NOT_HAPPEN,
          "refused, nothing has changed; "
              + (joined
                  ? next.majority() + " of " + next.members().size()
                  : "whoever joins, and " + next.majority() + " of " + next.members().size())
              + " must be able to take part: "
              + String.join("; ", lacks));
      return;
    }
    lacks.forEach(lack -> say("goes on without " + lack));
    stage = Stage.PREPARING;
    repeatAt = now;
  }

  private void prepare(long now) {
    if (advance(now)) {
      return;
    }
    if (now - repeatAt >= 0) {
      repeatAt = now + REPEAT_NANOS;
      long left = (deadline - now) / 1_000_000L;
      road.bring(
          new Envelope.Prepare(
              next, directories, (int) Math.max(1, Math.min(left * 3 / 4, Integer.MAX_VALUE))));
    }
  }

  /** Looks into the chain; says whether that is past what this stage waits for. */
  private boolean advance(long now) {
    ReplicatedState state = road.state();
    Segment pending = state.pending();
    if (pending != null && pending.is(next)) {
      if (stage == Stage.PREPARING) {
        say("prepared " + next.title() + " on " + names(next));
        stage = Stage.STANDING_BY;
      }
      return false;
    }
    for (Segment link : state.chain()) {
      if (link.is(next)) {
        sealed(link, now);
        return true;
      }
    }
    if (state.lastNumber() >= next.number()) {
      // Whoever won: the number is taken, so what was prepared here never will be any more.
      fail(
          stage == Stage.PREPARING ? Reason.CONFLICT : Reason.UNAVAILABLE,
          Outcome.DID_NOT_HAPPEN,
          stage == Stage.PREPARING
              ? "another swap came first" + (pending == null ? "" : ", to " + pending.title())
              : "abandoned, the group goes on as before");
      return true;
    }
    return false;
  }

  private void follow(long now) {
    if (advance(now)) {
      return;
    }
    NodeId leader = road.reports().leaderOf(next, now);
    int ready = road.reports().standingBy(next, now).size();
    if (ready > 0) {
      say(
          "stand-by "
              + ready
              + "/"
              + next.members().size()
              + (leader == null ? "" : ", leader " + leader));
    }
  }

  /** What was prepared will not be. */
  void abandoned(Segment abandoned, String reason) {
    if (stage != Stage.OVER && abandoned.is(next)) {
      fail(
          Reason.UNAVAILABLE,
          Outcome.DID_NOT_HAPPEN,
          "abandoned, the group goes on as before: " + reason);
    }
  }

  private void sealed(Segment link, long now) {
    next = link;
    sealedAt = link.base();
    long last = road.lastCommandAt();
    gapFrom = now - last < UNDER_LOAD_NANOS ? last : now;
    say("sealed at " + sealedAt);
    stage = Stage.SERVING;
  }

  private void serve(long now) {
    if (road.reports().isLeftBehind(next)
        && road.reports().covering(next, sealedAt) < next.majority()) {
      // Whoever leaves may be stopped when this is over: by then the others must have the state.
      return;
    }
    if (!next.has(road.self())) {
      if (road.reports().leaderOf(next, now) != null
          && road.reports().arrived(next) >= next.majority()) {
        done(now);
      }
    } else if (!probing) {
      probing = true;
      road.probe(deadline, this::done);
    }
  }

  /** The new segment has answered. */
  private void done(long now) {
    if (stage != Stage.SERVING) {
      return;
    }
    stage = Stage.OVER;
    long gapMillis = Math.max(0, (now - gapFrom) / 1_000_000L);
    say("serving, gap " + gapMillis + " ms");
    road.completions()
        .complete(result, new Swap(next.number(), next.protocol(), sealedAt, gapMillis));
  }

  private void say(String line) {
    if (!line.equals(said)) {
      said = line;
      road.completions().then(() -> tell(line));
    }
  }

  private void tell(String line) {
    try {
      progress.accept(line);
    } catch (RuntimeException e) {
      // Whoever wanted to know has a problem of its own; others wait for their results.
      log.warn("a listener to the progress of a swap failed", e);
    }
  }

  /** The group stops, or the like. */
  void fail(Reason reason, Outcome outcome, String message) {
    stage = Stage.OVER;
    road.completions().fail(result, new CoordinationException(reason, outcome, message));
  }
}
