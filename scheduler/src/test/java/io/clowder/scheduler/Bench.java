// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.runtime.Timer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One node's consensus service and timer by hand: what it sends stays where it is until the test
 * has it applied, answered, or lost; time passes when the test says so.
 */
final class Bench implements ConsensusService, Timer {
  static final NodeId N1 = new NodeId("n1");
  static final NodeId N2 = new NodeId("n2");
  private static final long MILLI = 1_000_000;

  /** A command on its way. */
  record Sent(TaskCommand command, CompletableFuture<Committed> answer) {}

  /** A question on its way. */
  record Asked(
      TaskQuestion question, ReadConsistency consistency, CompletableFuture<byte[]> answer) {}

  private record Due(long at, long number, Runnable task) {}

  TaskMachine machine = new TaskMachine();
  final Deque<Sent> sent = new ArrayDeque<>();
  final Deque<Asked> asked = new ArrayDeque<>();
  final List<Entry> log = new ArrayList<>();

  /** Told of each command before it is on its way. */
  Consumer<TaskCommand> hook = command -> {};

  /** Whether commands are applied and answered at once, and questions answered. */
  boolean isPrompt;

  /** Delayed tasks that neither ran nor were called off. */
  int timers;

  boolean isHeard = true;
  NodeId leader = N1;
  private final PriorityQueue<Due> due =
      new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::number));
  private long now;
  private long numbers;

  static SchedulerSetting setting(int slots) {
    return new SchedulerSetting(
        slots, new TreeMap<>(), Duration.ofSeconds(5), 100, Duration.ofSeconds(1), Duration.ZERO);
  }

  static CoordinationException unknown() {
    return new CoordinationException(Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, "no answer");
  }

  // ---- the log ---------------------------------------------------------------------------------

  /** An entry of this node or of another. */
  TaskAnswer apply(TaskCommand command, long session) {
    Entry entry =
        new Entry(
            Entry.Kind.COMMAND,
            log.size() + 1L,
            Math.max(wallMillis(), machine.time()),
            session,
            command.encode());
    log.add(entry);
    return TaskAnswer.decode(machine.apply(entry));
  }

  /** An entry of a leader whose clock is ahead. */
  void ahead(long millis) {
    Entry entry =
        new Entry(
            Entry.Kind.COMMAND,
            log.size() + 1L,
            wallMillis() + millis,
            99,
            new TaskCommand.Tick().encode());
    log.add(entry);
    machine.apply(entry);
  }

  void endSession(long session) {
    Entry entry =
        new Entry(Entry.Kind.SESSION_ENDED, log.size() + 1L, wallMillis(), session, new byte[0]);
    log.add(entry);
    machine.apply(entry);
  }

  /** An entry of another node. */
  TaskAnswer other(TaskCommand command) {
    return apply(command, 99);
  }

  long submitted(String type) {
    TaskCommand.Submit submit =
        new TaskCommand.Submit(List.of(Desk.work(Desk.request(type))), 1_000);
    return ((TaskAnswer.Taken) other(submit)).tickets().get(0).task();
  }

  /** Another node's worker. */
  long otherWorker(NodeId node, int slots, SortedMap<String, Skill> skills) {
    TaskCommand announce =
        new TaskCommand.Announce(999, log.size() + 1, node, slots, skills, new TreeMap<>());
    return ((TaskAnswer.Id) other(announce)).it();
  }

  /** Takes the oldest command that is on its way. */
  TaskCommand applyNext() {
    Sent next = sent.remove();
    TaskAnswer answer = apply(next.command, 1);
    next.answer.complete(new Committed(log.size(), answer.encode()));
    run();
    return next.command;
  }

  /** Applies what is on its way, and what comes of it. */
  void applyAll() {
    run();
    for (int i = 0; !sent.isEmpty(); i++) {
      if (i == 1_000) {
        throw new AssertionError("it goes on for ever: " + sent.peek());
      }
      applyNext();
    }
  }

  /** The oldest command is applied, and its answer does not come yet. */
  Runnable applyUnanswered() {
    Sent next = sent.remove();
    TaskAnswer answer = apply(next.command, 1);
    run();
    int at = log.size();
    return () -> {
      next.answer.complete(new Committed(at, answer.encode()));
      run();
    };
  }

  /** The oldest command is lost. */
  TaskCommand lose() {
    Sent next = sent.remove();
    next.answer.completeExceptionally(unknown());
    run();
    return next.command;
  }

  /** The replica begins anew with what it was after so many entries, and is told the rest. */
  void replay(int from) {
    TaskMachine before = new TaskMachine();
    log.subList(0, from).forEach(before::apply);
    restore(TaskWorld.snapshot(before));
    log.subList(from, log.size()).forEach(machine::apply);
    run();
  }

  /** What others have applied without this node, which then gets a snapshot of it. */
  void leap(Runnable meanwhile) {
    TaskMachine here = machine;
    machine = new TaskMachine();
    log.forEach(machine::apply);
    meanwhile.run();
    byte[] snapshot = TaskWorld.snapshot(machine);
    machine = here;
    restore(snapshot);
    run();
  }

  private void restore(byte[] snapshot) {
    try {
      machine.restore(new ByteArrayInputStream(snapshot));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Task task(long id) {
    Task task = machine.board().task(id);
    if (task == null) {
      throw new AssertionError("no task " + id);
    }
    return task;
  }

  // ---- time ------------------------------------------------------------------------------------

  /** Runs what is due. */
  void run() {
    while (!due.isEmpty() && due.peek().at <= now) {
      due.remove().task.run();
    }
  }

  void pass(long millis) {
    long until = now + millis * MILLI;
    while (!due.isEmpty() && due.peek().at <= until) {
      now = Math.max(now, due.peek().at);
      due.remove().task.run();
    }
    now = until;
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public long wallMillis() {
    return Desk.BEGIN + now / MILLI;
  }

  @Override
  public Runnable after(Duration delay, Runnable task) {
    boolean[] isOff = new boolean[1];
    timers++;
    due.add(
        new Due(
            now + delay.toNanos(),
            numbers++,
            () -> {
              if (!isOff[0]) {
                isOff[0] = true;
                timers--;
                task.run();
              }
            }));
    return () -> {
      timers -= isOff[0] ? 0 : 1;
      isOff[0] = true;
    };
  }

  @Override
  public void execute(Runnable task) {
    due.add(new Due(now, numbers++, task));
  }

  @Override
  public void close() {
    due.clear();
  }

  // ---- consensus -------------------------------------------------------------------------------

  @Override
  public CompletionStage<Committed> submit(byte[] bytes, Duration deadline) {
    TaskCommand command = TaskCommand.decode(bytes);
    CompletableFuture<Committed> answer = new CompletableFuture<>();
    hook.accept(command);
    if (isPrompt) {
      answer.complete(new Committed(log.size() + 1L, apply(command, 1).encode()));
    } else {
      sent.add(new Sent(command, answer));
    }
    return answer;
  }

  @Override
  public CompletionStage<byte[]> query(
      byte[] query, ReadConsistency consistency, Duration deadline) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    if (isPrompt || consistency == ReadConsistency.LOCAL) {
      answer.complete(machine.query(query));
    } else {
      asked.add(new Asked(TaskQuestion.decode(query), consistency, answer));
    }
    return answer;
  }

  /** Answers the oldest question from what is known now; null if there is none. */
  @Nullable Asked answerNext() {
    Asked next = asked.poll();
    if (next != null) {
      next.answer.complete(machine.query(next.question.encode()));
      run();
    }
    return next;
  }

  @Override
  public CompletionStage<Swap> swap(
      Successor successor, Consumer<String> progress, Duration deadline) {
    throw new UnsupportedOperationException("there is no other protocol");
  }

  @Override
  public Session session() {
    long until = isHeard ? now + 8_000 * MILLI : now - 1;
    return new Session(1, until, isHeard ? wallMillis() + 8_000 : wallMillis() - 1);
  }

  @Override
  public @Nullable NodeId leader() {
    return leader;
  }

  @Override
  public GroupStatus status() {
    throw new UnsupportedOperationException("it would have to wait");
  }
}
