// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * A day of many schedules, whose leader goes now and then and whose clocks step: every instant
 * makes one task, soon after it came by the leader's clock. A short one by default; {@code
 * -Dscheduler.day=full} for 100,000 schedules over 24 hours.
 */
class ScheduleDayTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;
  private static final int LEADERS = 20;
  private static final long STEP_MILLIS = 5_000;

  private record Event(long at, long number, Runnable task) {}

  private final Random random = new Random(1);
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
  private final TaskMachine machine = new TaskMachine();
  private final List<Node> nodes = new ArrayList<>();
  private final List<Long> given = new ArrayList<>();
  private @Nullable Node leader;
  private int term;
  private long now;
  private long numbers;
  private long position;

  /** By schedule the next instant that must make a task, and how to go on. */
  private Trigger[] triggers = {};

  private Duration[] jitters = {};
  private long[] expected = {};

  /** How many were late by so many milliseconds. */
  private final TreeMap<Long, Integer> lateness = new TreeMap<>();

  private long fired;

  private void at(long delay, Runnable task) {
    events.add(new Event(now + delay, numbers++, task));
  }

  private TaskAnswer append(TaskCommand command) {
    Node its = leader;
    long time = its == null ? 0 : its.wallMillis();
    Entry entry =
        new Entry(
            Entry.Kind.COMMAND, ++position, Math.max(machine.time(), time), 1, command.encode());
    return TaskAnswer.decode(machine.apply(entry));
  }

  // ---- what is expected ------------------------------------------------------------------------

  /** Without the product's own arithmetic. */
  private static long following(Trigger trigger, long instant) {
    if (trigger instanceof Trigger.FixedRate rate) {
      return instant + rate.period().toMillis();
    }
    return instant + 3_600_000; // A cron expression here is of one minute in every hour.
  }

  private final class Watch implements Events {
    @Override
    public void given(Worker worker, Attempt attempt, Task task) {
      given.add(attempt.token());
      String name = String.valueOf(task.work().schedule());
      int schedule = Integer.parseInt(name.substring(1));
      long instant = task.work().notBefore();
      assertEquals(expected[schedule], instant, "missed or double: " + triggers[schedule]);
      expected[schedule] = following(triggers[schedule], instant);
      long due = Instants.due(triggers[schedule], name, jitters[schedule], instant);
      long time = machine.board().now();
      assertTrue(time >= instant, "early by " + (instant - time));
      // Who led before may have had a clock that was ahead, and what it sent came through later.
      lateness.merge(Math.max(0, time - due), 1, Integer::sum);
      fired++;
    }
  }

  private void schedule(int count) {
    triggers = new Trigger[count];
    jitters = new Duration[count];
    expected = new long[count];
    for (int i = 0; i < count; i++) {
      long first = machine.time() + 1_000 + random.nextInt(1_800_000);
      Trigger trigger =
          i % 4 == 0
              ? new Trigger.Cron((i / 4) % 60 + " * * * *", ZoneOffset.UTC)
              : new Trigger.FixedRate(
                  Instant.ofEpochMilli(first),
                  Duration.ofMillis(600_000 + random.nextInt(3_000_000)));
      Schedule schedule =
          Schedule.of("s" + i, trigger, Desk.request("t").withKeep(Duration.ZERO))
              .withOverlap(Schedule.Overlap.ALLOW)
              .withMisfire(Schedule.Misfire.SKIP, 1)
              .withJitter(Duration.ofMillis(i % 8 == 0 ? 0 : 60_000));
      long next = Instants.first(trigger, machine.time());
      long due = Instants.due(trigger, "s" + i, schedule.jitter(), next);
      append(new TaskCommand.Arrange(Shows.plan(schedule, Desk.AGING, next, due)));
      triggers[i] = trigger;
      jitters[i] = schedule.jitter();
      expected[i] = next;
    }
  }

  // ---- what happens ----------------------------------------------------------------------------

  private void elect() {
    Node next = nodes.get(random.nextInt(nodes.size()));
    term++;
    leader = null;
    at((200 + random.nextInt(800)) * MILLI, () -> leader = next);
  }

  private void step() {
    Node its = leader == null ? nodes.get(0) : leader;
    long by = random.nextInt((int) (2 * STEP_MILLIS)) - STEP_MILLIS;
    its.skewMillis += by;
    at(60 * SECOND, () -> its.skewMillis -= by);
  }

  /** All that was given is done. */
  private void work() {
    if (!given.isEmpty()) {
      List<Report> reports = new ArrayList<>();
      given.forEach(token -> reports.add(new Report.Done(token, Task.NO_VALUE)));
      given.clear();
      append(new TaskCommand.Reports(1, reports));
    }
    at(SECOND / 2, this::work);
  }

  private void run(long until) {
    while (!events.isEmpty() && events.peek().at <= until) {
      Event event = events.remove();
      now = event.at;
      event.task.run();
    }
    now = until;
  }

  @Test
  void everyInstantMakesOneTaskInTimeOverLeadersThatGoAndClocksThatStep() {
    boolean isFull = "full".equals(System.getProperty("scheduler.day"));
    int schedules = isFull ? 100_000 : 2_000;
    long seconds = (isFull ? 24 : 4) * 3_600L;
    for (int i = 1; i <= 3; i++) {
      nodes.add(new Node(new NodeId("n" + i)));
    }
    leader = nodes.get(0);
    append(
        new TaskCommand.Announce(
            7, 1, new NodeId("w1"), 1_000_000, Desk.skills("t"), new TreeMap<>()));
    schedule(schedules);
    machine.add(new Watch());
    nodes.forEach(node -> node.steward.start());
    work();
    for (int i = 1; i <= LEADERS; i++) {
      at(seconds * SECOND / (LEADERS + 1) * i + random.nextInt(1_000) * MILLI, this::elect);
      at(seconds * SECOND / (LEADERS + 1) * i - 90 * SECOND, this::step);
    }
    run(seconds * SECOND);
    long missed = 0;
    long late = 0;
    for (Plan plan : machine.board().plans().all().values()) {
      missed += plan.missed() + plan.skipped();
    }
    for (int i = 0; i < schedules; i++) {
      long due = Instants.due(triggers[i], "s" + i, jitters[i], expected[i]);
      late += due < machine.time() - 1_000 ? 1 : 0;
    }
    System.out.printf(
        "%,d schedules, %d h, %d leaders, clock steps up to %d s: %,d tasks, %d missed, lateness"
            + " p50 %d ms, p99 %d ms, p99.9 %d ms, longest %d ms%n",
        schedules,
        seconds / 3_600,
        term,
        STEP_MILLIS / 1_000,
        fired,
        missed,
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        lateness.lastKey());
    assertEquals(0, missed);
    assertEquals(0, late, "instants that came and have no task");
    assertTrue(fired > schedules, "" + fired);
    assertEquals(LEADERS, term);
    assertTrue(quantile(0.99) <= 50, "p99 is " + quantile(0.99) + " ms");
  }

  private long quantile(double q) {
    long left = (long) (q * fired);
    for (var it : lateness.entrySet()) {
      left -= it.getValue();
      if (left < 0) {
        return it.getKey();
      }
    }
    return lateness.lastKey();
  }

  /** A node that may lead. */
  private final class Node implements ConsensusService, Timer {
    private final NodeId id;
    private final Steward steward;
    private long skewMillis;

    Node(NodeId id) {
      this.id = id;
      this.steward =
          new Steward(this, new Asking(this, Duration.ofSeconds(5)), machine, id, this, 1_000_000);
    }

    @Override
    public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
      CompletableFuture<Committed> answer = new CompletableFuture<>();
      int sentIn = term;
      at((1 + random.nextInt(4)) * MILLI, () -> append(command, answer, sentIn));
      at(deadline.toNanos(), () -> answer.completeExceptionally(Bench.unknown()));
      return answer;
    }

    private void append(byte[] command, CompletableFuture<Committed> answer, int sentIn) {
      if (leader == null) {
        at(20 * MILLI, () -> append(command, answer, sentIn));
      } else if (sentIn == term || random.nextBoolean()) {
        // What was sent to a leader that has gone may come through all the same, or be lost.
        TaskAnswer its = ScheduleDayTest.this.append(TaskCommand.decode(command));
        if (sentIn == term) {
          answer.complete(new Committed(position, its.encode()));
        }
      }
    }

    @Override
    public CompletionStage<byte[]> query(
        byte[] query, ReadConsistency consistency, Duration deadline) {
      return CompletableFuture.completedStage(machine.query(query));
    }

    @Override
    public CompletionStage<Swap> swap(
        Successor successor, Consumer<String> progress, Duration deadline) {
      throw CoordinationException.refused(
          CoordinationException.Reason.INVALID, "there is no other protocol");
    }

    @Override
    public Session session() {
      return Session.NONE;
    }

    @Override
    public @Nullable NodeId leader() {
      return leader == null ? null : leader.id;
    }

    @Override
    public GroupStatus status() {
      throw new UnsupportedOperationException("it would have to wait");
    }

    @Override
    public long nanoTime() {
      return now;
    }

    @Override
    public long wallMillis() {
      return Desk.BEGIN + now / MILLI + skewMillis;
    }

    @Override
    public Runnable after(Duration delay, Runnable task) {
      boolean[] isOff = new boolean[1];
      at(
          delay.toNanos(),
          () -> {
            if (!isOff[0]) {
              task.run();
            }
          });
      return () -> isOff[0] = true;
    }

    @Override
    public void execute(Runnable task) {
      at(0, task);
    }

    @Override
    public void close() {}
  }
}
