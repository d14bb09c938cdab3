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
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.runtime.Timer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Computers with schedulers on them, virtual time, and consensus as a scheduler sees it: one log
 * that every replica applies in order, a leader that may go, sessions that end, answers that are
 * lost, commands that come late, replicas that begin anew.
 */
final class TaskWorld implements Errands.Stage {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;
  static final long EPOCH_MILLIS = 1_700_000_000_000L;
  private static final long SESSION = 10 * SECOND;
  private static final long MARGIN = SECOND / 5;

  private record Event(long at, long number, @Nullable Life process, Runnable task) {}

  final Random random;
  final List<Computer> computers = new ArrayList<>();

  /** Applies each entry when it is there: what the others must come to. */
  final TaskMachine canon = new TaskMachine();

  /** How long a node that does not answer is trusted; one that is killed, a sixth of it. */
  long detection = 3 * SECOND;

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
  private final List<Entry> log = new ArrayList<>();
  private final TreeMap<Integer, byte[]> snapshots = new TreeMap<>();
  private final TreeMap<Long, Life> sessions = new TreeMap<>();
  private long now;
  private long eventNumber;
  private long lastSession;
  private @Nullable Computer leader;
  private boolean isElecting;
  private long silentUntil;
  int applied;

  TaskWorld(long seed, int nodes) {
    random = new Random(seed);
    for (int i = 1; i <= nodes; i++) {
      computers.add(new Computer(new NodeId("n" + i)));
    }
    leader = computers.get(0);
    every(200 * MILLI, this::tend);
  }

  // ---- time ------------------------------------------------------------------------------------

  @Override
  public long now() {
    return now;
  }

  @Override
  public void at(long delay, Runnable task) {
    events.add(new Event(now + Math.max(0, delay), eventNumber++, null, task));
  }

  private void every(long period, Runnable task) {
    at(
        period,
        () -> {
          task.run();
          every(period, task);
        });
  }

  void run(long duration) {
    long until = now + duration;
    while (!events.isEmpty() && events.peek().at <= until) {
      Event event = events.remove();
      now = Math.max(now, event.at);
      Life process = event.process;
      if (process == null) {
        event.task.run();
      } else if (process.isAlive && process.computer.pausedUntil > now) {
        events.add(new Event(process.computer.pausedUntil, eventNumber++, process, event.task));
      } else if (process.isAlive) {
        event.task.run();
      }
    }
    now = until;
  }

  // ---- consensus -------------------------------------------------------------------------------

  /** The log is silent for a while, as when a protocol is exchanged, and has another leader. */
  void swap(long silence) {
    silentUntil = now + silence;
    isElecting = false;
    leader = null;
  }

  private boolean isReached(Computer computer) {
    int count = 0;
    for (Computer it : computers) {
      count += it.isThere() && it.side == 0 ? 1 : 0;
    }
    return 2 * count > computers.size() && computer.isThere() && computer.side == 0;
  }

  private void tend() {
    Computer present = leader;
    if (present != null && !isReached(present)) {
      leader = null;
    }
    if (leader == null && !isElecting && now >= silentUntil) {
      isElecting = true;
      at(
          (200 + random.nextInt(800)) * MILLI,
          () -> {
            isElecting = false;
            List<Computer> able = computers.stream().filter(this::isReached).toList();
            if (leader == null && !able.isEmpty()) {
              Computer next = able.get(random.nextInt(able.size()));
              leader = next;
              sessions.values().forEach(it -> it.lastHeard = now);
              catchUp(next);
            }
          });
    }
    for (Life process : List.copyOf(sessions.values())) {
      if (leader == null) {
        process.lastHeard = now; // A new leader gives every session its full time.
      } else if (process.isAlive && isReached(process.computer)) {
        process.lastHeard = now;
        process.validUntil = now + SESSION - MARGIN;
      } else if (now - process.lastHeard > SESSION) {
        long ended = process.session;
        process.session = 0;
        sessions.remove(ended);
        append(Entry.Kind.SESSION_ENDED, ended, new byte[0]);
      }
    }
  }

  private int append(Entry.Kind kind, long session, byte[] command) {
    Computer its = leader;
    long time = log.isEmpty() ? EPOCH_MILLIS : log.get(log.size() - 1).timeMillis();
    if (its != null) {
      time = Math.max(time, its.wallMillis());
    }
    Entry entry = new Entry(kind, log.size() + 1L, time, session, command);
    log.add(entry);
    canon.apply(entry);
    applied++;
    if (log.size() % 200 == 0) {
      snapshots.put(log.size(), snapshot(canon));
      while (snapshots.size() > 5) {
        snapshots.pollFirstEntry();
      }
    }
    computers.forEach(this::catchUp);
    return log.size();
  }

  static byte[] snapshot(TaskMachine machine) {
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      machine.snapshot().writeTo(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void catchUp(Computer computer) {
    Life process = computer.process;
    if (process == null || process.isCatchingUp) {
      return;
    }
    process.isCatchingUp = true;
    process.after(
        (1 + random.nextInt(3)) * MILLI,
        () -> {
          process.isCatchingUp = false;
          if (!isReached(computer)) {
            process.after(100 * MILLI, () -> catchUp(computer));
            return;
          }
          process.catchUp();
        });
  }

  /** A computer: what outlives its processes. */
  final class Computer {
    final NodeId node;
    @Nullable Life process;
    long pausedUntil;
    int side;
    long skewMillis;
    private boolean isSuspected;

    Computer(NodeId node) {
      this.node = node;
    }

    boolean isThere() {
      return process != null && pausedUntil <= now;
    }

    long wallMillis() {
      return EPOCH_MILLIS + now / MILLI + skewMillis;
    }

    void kill() {
      Life killed = process;
      if (killed != null) {
        killed.isAlive = false;
        process = null;
        suspect(detection / 6);
      }
    }

    void pause(long duration) {
      pausedUntil = Math.max(pausedUntil, now + duration);
      if (duration > detection) {
        suspect(detection);
      }
    }

    void cut(long duration) {
      side = 1;
      suspect(detection);
      at(duration, () -> side = 0);
    }

    /** The protocol's bundle stops here, which is told before, and is started again. */
    void pauseReplica(long duration) {
      Life paused = process;
      if (paused == null || !isThere() || side != 0) {
        return;
      }
      boolean[] isOver = new boolean[1];
      Runnable silence =
          () -> {
            if (!isOver[0]) {
              isOver[0] = true;
              side = 1;
              at(
                  duration,
                  () -> {
                    side = 0;
                    paused.after(0, paused.machine::resume);
                  });
            }
          };
      paused.after(0, () -> paused.machine.pause().thenRun(silence));
      at(SECOND, silence);
    }

    /** After a while the others notice, unless it is back by then; and trust it when it is. */
    private void suspect(long after) {
      at(
          after,
          () -> {
            if (!isReached(this) && !isSuspected) {
              isSuspected = true;
              tell(FailureEvent.Kind.SUSPECT);
              trustLater();
            }
          });
    }

    private void trustLater() {
      at(
          500 * MILLI,
          () -> {
            if (isReached(this)) {
              isSuspected = false;
              tell(FailureEvent.Kind.TRUST);
            } else {
              trustLater();
            }
          });
    }

    private void tell(FailureEvent.Kind kind) {
      FailureEvent event = new FailureEvent(kind, node, 1, Evidence.NONE, "", 0, 0);
      for (Computer other : computers) {
        Life its = other.process;
        if (other != this && its != null) {
          its.after(random.nextInt(20) * MILLI, () -> its.scheduler.happened(event));
        }
      }
    }

    /** Starts a process with a replica from some snapshot, or from nothing. */
    Life start(SchedulerSetting setting, Station.Hands hands) {
      Life started = new Life(this, setting, hands);
      process = started;
      Map.Entry<Integer, byte[]> from =
          random.nextInt(4) == 0 || snapshots.isEmpty() ? null : snapshots.lastEntry();
      started.restore(
          from == null ? 0 : from.getKey(), from == null ? new byte[0] : from.getValue());
      started.scheduler.start();
      TaskWorld.this.catchUp(this);
      return started;
    }
  }

  /** One run of a node: its replica, and its scheduler. */
  final class Life implements ConsensusService, Timer {
    final Computer computer;
    final TaskMachine machine = new TaskMachine();
    final ReplicatedScheduler scheduler;
    boolean isAlive = true;
    private boolean isCatchingUp;
    private int position;
    private long validUntil;
    private final Map<Integer, CompletableFuture<Committed>> answers = new HashMap<>();
    private long session;
    private long lastHeard = now;

    Life(Computer computer, SchedulerSetting setting, Station.Hands hands) {
      this.computer = computer;
      this.scheduler =
          new ReplicatedScheduler(
              this, machine, computer.node, setting, this, hands, random.nextLong());
    }

    void restore(int its, byte[] snapshot) {
      try {
        position = its;
        machine.restore(new ByteArrayInputStream(snapshot));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The replica begins anew: from an older state, or from one that is much later. */
    void disturb() {
      if (snapshots.isEmpty()) {
        return;
      }
      Map.Entry<Integer, byte[]> from =
          random.nextBoolean() ? snapshots.firstEntry() : snapshots.lastEntry();
      restore(from.getKey(), from.getValue());
      TaskWorld.this.catchUp(computer);
    }

    private void catchUp() {
      // Who is far behind gets a snapshot.
      if (!snapshots.isEmpty() && log.size() - position > 400) {
        Map.Entry<Integer, byte[]> last = snapshots.lastEntry();
        if (last.getKey() > position) {
          restore(last.getKey(), last.getValue());
        }
      }
      while (position < log.size()) {
        Entry entry = log.get(position++);
        byte[] result = machine.apply(entry);
        CompletableFuture<Committed> answer = answers.remove(position);
        if (answer != null) {
          Committed committed = new Committed(position, result);
          after(0, () -> answer.complete(committed));
        }
      }
    }

    void after(long delay, Runnable task) {
      events.add(new Event(now + Math.max(0, delay), eventNumber++, this, task));
    }

    private CoordinationException unknown() {
      return new CoordinationException(
          Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, "no answer in time");
    }

    @Override
    public CompletionStage<Committed> submit(byte[] command, Duration deadline) {
      CompletableFuture<Committed> answer = new CompletableFuture<>();
      long until = now + deadline.toNanos();
      after(deadline.toNanos(), () -> answer.completeExceptionally(unknown()));
      boolean isLost = random.nextInt(100) == 0;
      long wait = (isLost ? random.nextInt(8_000) : 1 + random.nextInt(3)) * MILLI;
      long sentIn = session;
      at(wait, () -> propose(command, until, answer, sentIn));
      return answer;
    }

    private void propose(
        byte[] command, long until, CompletableFuture<Committed> answer, long sentIn) {
      boolean canBe = leader != null && now >= silentUntil;
      if (!isAlive || !isReached(computer)) {
        // What was sent before may have been on its way to the leader.
        canBe &= sentIn != 0 && random.nextBoolean();
      }
      if (!canBe) {
        if (now < until) {
          at(50 * MILLI, () -> propose(command, until, answer, sentIn));
        }
        return;
      }
      if (sentIn == 0 || (!sessions.containsKey(sentIn) && isAlive && !answer.isDone())) {
        if (session == 0) {
          session = ++lastSession;
          sessions.put(session, this);
          lastHeard = now;
          validUntil = now + SESSION - MARGIN;
        }
      } else if (!sessions.containsKey(sentIn)) {
        return; // Nothing is applied in the name of a session that has ended.
      }
      int its = append(Entry.Kind.COMMAND, session, command);
      if (random.nextInt(100) > 0 && position < its) {
        answers.put(its, answer);
      } // Else the answer is lost.
    }

    @Override
    public CompletionStage<byte[]> query(
        byte[] query, ReadConsistency consistency, Duration deadline) {
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      after(deadline.toNanos(), () -> answer.completeExceptionally(unknown()));
      if (consistency == ReadConsistency.LOCAL) {
        after(0, () -> answer.complete(machine.query(query)));
      } else {
        await(query, log.size(), answer, now + deadline.toNanos());
      }
      return answer;
    }

    private void await(byte[] query, int least, CompletableFuture<byte[]> answer, long until) {
      after(
          MILLI,
          () -> {
            if (position >= least) {
              answer.complete(machine.query(query));
            } else if (now < until) {
              await(query, least, answer, until);
            }
          });
    }

    @Override
    public CompletionStage<Swap> swap(
        Successor successor, Consumer<String> progress, Duration deadline) {
      throw new UnsupportedOperationException("by the world's hand");
    }

    @Override
    public Session session() {
      return session == 0
          ? Session.NONE
          : new Session(session, validUntil, wallMillis() + (validUntil - now) / MILLI);
    }

    @Override
    public @Nullable NodeId leader() {
      return leader == null || !isReached(computer) ? null : leader.node;
    }

    @Override
    public GroupStatus status() {
      throw new UnsupportedOperationException("it would have to wait");
    }

    // ---- the timer -----------------------------------------------------------------------------

    @Override
    public long nanoTime() {
      return now;
    }

    @Override
    public long wallMillis() {
      return computer.wallMillis();
    }

    @Override
    public Runnable after(Duration delay, Runnable task) {
      boolean[] isOff = new boolean[1];
      after(
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
      after(0, task);
    }

    @Override
    public void close() {}
  }
}
