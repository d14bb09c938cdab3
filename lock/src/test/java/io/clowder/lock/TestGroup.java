// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The runtime below the locks, without a disk and a network: one log, one real table, which all
 * nodes look at, and a session for each node. What goes wrong, a test decides per command.
 */
final class TestGroup {
  /** What becomes of a command. */
  enum Fate {
    /** Applied and answered at once. */
    APPLIED,
    /** Neither, until {@link Node#deliver}. */
    HELD_BACK,
    /** Applied at once, and answered at {@link Node#answer}. */
    ANSWER_LATE,
    /** Applied; the answer says that its outcome is unknown. */
    ANSWER_LOST,
    /** Fails with an unknown outcome; applied at {@link Node#deliver}. */
    LATE,
    /** Fails with an unknown outcome; never applied. */
    LOST,
    /** Refused. */
    REFUSED
  }

  final LockTable table = new LockTable();
  final LockEvents events = new LockEvents(1000, Runnable::run);
  private final List<Entry> log = new ArrayList<>();
  private long nextSession = 100;

  TestGroup() {
    table.add(events);
  }

  Node node(String name, VirtualTimer timer) {
    return new Node(new NodeId(name), timer);
  }

  long position() {
    return log.size();
  }

  int entries() {
    return log.size();
  }

  synchronized byte[] append(Entry.Kind kind, long session, byte[] command) {
    long position = log.size() + 1L;
    Entry entry = new Entry(kind, position, position * 1000, session, command);
    log.add(entry);
    return table.apply(entry);
  }

  byte[] snapshot() {
    return snapshot(table);
  }

  static byte[] snapshot(StateMachine machine) {
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      machine.snapshot().writeTo(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Another group with the same log. */
  TestGroup copy() {
    TestGroup other = new TestGroup();
    log.forEach(entry -> other.append(entry.kind(), entry.session(), entry.command()));
    return other;
  }

  /** The replica starts again from the beginning, and applies all entries once more. */
  void replay() {
    restore(new byte[0]);
    log.forEach(table::apply);
  }

  void restore(byte[] snapshot) {
    try {
      table.restore(new ByteArrayInputStream(snapshot));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One node's way to the group. */
  final class Node implements ConsensusService {
    private record Waiting(byte[] command, long session, CompletableFuture<Committed> answer) {}

    final NodeId id;
    private final VirtualTimer timer;
    private final Deque<Fate> fates = new ArrayDeque<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final Deque<Runnable> lateAnswers = new ArrayDeque<>();
    private Fate fate = Fate.APPLIED;
    private Session session;

    private Node(NodeId id, VirtualTimer timer) {
      this.id = id;
      this.timer = timer;
      this.session = fresh();
    }

    private Session fresh() {
      return new Session(
          nextSession++,
          timer.nanoTime() + Duration.ofSeconds(10).toNanos(),
          timer.wallMillis() + 10_000);
    }

    /** What becomes of the next commands, one each. */
    void next(Fate... fates) {
      this.fates.addAll(List.of(fates));
    }

    /** What becomes of all further ones. */
    void always(Fate fate) {
      this.fate = fate;
    }

    /** The group hears of this node: its session lives for another 10 s. */
    void renew() {
      Session fresh = fresh();
      session = new Session(session.id(), fresh.validUntilNanos(), fresh.validUntilMillis());
    }

    /** The group ends this node's session; it goes on under a new one. */
    void endSession() {
      long ended = session.id();
      session = fresh();
      append(Entry.Kind.SESSION_ENDED, ended, new byte[0]);
    }

    /**
     * Applies the first command that was held back or is late. Nothing is applied in the name of a
     * session that has ended: what somebody waits for is sent again under the next one.
     */
    void deliver() {
      Waiting first = waiting.remove();
      boolean goesOn = first.session == session.id() || !first.answer.isDone();
      if (goesOn) {
        byte[] result = append(Entry.Kind.COMMAND, session.id(), first.command);
        first.answer.complete(new Committed(position(), result));
      }
    }

    /** Gives the first answer that is late. */
    void answer() {
      lateAnswers.remove().run();
    }

    @Override
    public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
      Fate its = fates.isEmpty() ? fate : fates.remove();
      CompletableFuture<Committed> answer = new CompletableFuture<>();
      switch (its) {
        case APPLIED -> {
          byte[] result = append(Entry.Kind.COMMAND, session.id(), command);
          answer.complete(new Committed(position(), result));
        }
        case HELD_BACK -> {
          waiting.add(new Waiting(command, session.id(), answer));
          timer.after(deadline, () -> answer.completeExceptionally(unknown()));
        }
        case ANSWER_LATE -> {
          byte[] result = append(Entry.Kind.COMMAND, session.id(), command);
          Committed committed = new Committed(position(), result);
          lateAnswers.add(() -> answer.complete(committed));
        }
        case ANSWER_LOST -> {
          append(Entry.Kind.COMMAND, session.id(), command);
          answer.completeExceptionally(unknown());
        }
        case LATE -> {
          waiting.add(new Waiting(command, session.id(), answer));
          answer.completeExceptionally(unknown());
        }
        case LOST -> answer.completeExceptionally(unknown());
        case REFUSED ->
            answer.completeExceptionally(
                CoordinationException.refused(Reason.OVERLOADED, "the queue is full"));
      }
      return answer;
    }

    private CoordinationException unknown() {
      return new CoordinationException(
          Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, "no answer from the leader");
    }

    @Override
    public CompletionStage<byte[]> query(
        byte[] query, ReadConsistency consistency, Duration deadline) {
      if (consistency != ReadConsistency.LINEARIZABLE) {
        throw new AssertionError("locks are looked at as all nodes agree on them");
      }
      return CompletableFuture.completedStage(table.query(query));
    }

    @Override
    public Session session() {
      return session;
    }

    @Override
    public CompletionStage<Swap> swap(
        Successor successor, Consumer<String> progress, Duration deadline) {
      throw new UnsupportedOperationException("one segment only");
    }

    @Override
    public @Nullable NodeId leader() {
      return id;
    }

    @Override
    public GroupStatus status() {
      return new GroupStatus(
          "main",
          id,
          "test",
          0,
          "leader",
          id,
          1,
          position(),
          position(),
          0,
          0,
          new TreeMap<>(),
          "",
          List.of());
    }
  }
}
