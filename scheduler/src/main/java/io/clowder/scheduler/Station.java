// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node as a worker: tells the cluster what it can run, runs what it is given, and tells what
 * came of it until it is heard. Everything that happens goes through its monitor, which nobody
 * holds while he waits.
 */
final class Station implements Events, Run.Owner {
  private static final Logger LOG = LoggerFactory.getLogger(Station.class);

  /** An attempt that lasts longer than this is told to run; also how often progress is told. */
  static final Duration TELLING = Duration.ofMillis(250);

  private static final int REPORTS_MAX = 1_000;
  private static final int REPORT_BYTES_MAX = 512 << 10;
  private static final Duration AGAIN = Duration.ofMillis(100);
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final Duration AGAIN_MAX = Duration.ofSeconds(2);

  /** Where attempts run; a simulator has its own. */
  interface Hands {
    /** Has {@link Run#execute} called on a thread, soon. */
    void take(Run run);
  }

  private final ConsensusService consensus;
  private final TaskMachine machine;
  private final NodeId node;
  private final Timer timer;
  private final Hands hands;
  private final long client;
  private final SchedulerSetting setting;

  private final Roster roster = new Roster();
  private final SortedMap<Long, Run> runs = new TreeMap<>();
  private final Deque<Report> reports = new ArrayDeque<>();

  /** The number under which the cluster knows this worker; 0 if it does not. */
  private long number;

  /** The last number under which it knew this worker, and does not any more. */
  private long lastGone;

  /** The largest token that was given to this worker: what the log tells again is not run again. */
  private long lastToken;

  /** Up to where this worker has looked at the log; a restarted replica goes back behind it. */
  private long lastPosition;

  private boolean isAnnouncing;
  private long announcements;

  /** Completes when the cluster knows, or cannot be told now, what there is to be known. */
  private CompletableFuture<@Nullable Void> announcement = CompletableFuture.completedFuture(null);

  private boolean isToAnnounce;
  private boolean isReporting;
  private boolean isTelling;
  private boolean isStarted;

  /** What this worker is given now, it does not hear of. */
  private boolean isPaused;

  private boolean isClosed;
  private boolean isOver;

  /**
   * A station that has not begun.
   *
   * @param client a random number: each instance of a node must have another
   */
  Station(
      ConsensusService consensus,
      TaskMachine machine,
      NodeId node,
      Timer timer,
      Hands hands,
      long client,
      SchedulerSetting setting) {
    this.consensus = consensus;
    this.machine = machine;
    this.node = node;
    this.timer = timer;
    this.hands = hands;
    this.client = client;
    this.setting = setting;
  }

  void start() {
    machine.add(this);
    synchronized (this) {
      isStarted = true;
    }
    announce();
  }

  // ---- handlers --------------------------------------------------------------------------------

  /** A handler is there. */
  void add(Roster.Entry entry) {
    synchronized (this) {
      roster.add(entry);
    }
    announce();
  }

  /**
   * A handler goes: no more is given to it, and what it runs may end. Waits for that.
   *
   * @param drain how long; what has not ended then is interrupted and given back
   */
  void remove(Roster.Entry entry, Duration drain) {
    List<CompletableFuture<?>> ends = new ArrayList<>();
    synchronized (this) {
      roster.remove(entry);
      for (Run run : runs.values()) {
        if (run.entry.equals(entry)) {
          ends.add(run.end);
        }
      }
    }
    announce();
    await(ends, drain);
    giveBack(entry);
  }

  private static void await(List<CompletableFuture<?>> ends, Duration drain) {
    try {
      CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new))
          .get(drain.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.info("{} tasks did not end within {}, and are given back", ends.size(), drain);
    } catch (ExecutionException e) {
      throw new AssertionError("an end does not fail", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What still runs is not waited for: its handler may be gone soon. */
  private void giveBack(Roster.@Nullable Entry entry) {
    List<Run> left;
    synchronized (this) {
      left = new ArrayList<>(runs.values());
    }
    for (Run run : left) {
      if (entry == null || run.entry.equals(entry)) {
        run.stop(Run.Stop.GIVEN_BACK);
        run.finish(new Report.GivenBack(run.attempt.token(), true));
      }
    }
  }

  // ---- being known -----------------------------------------------------------------------------

  /** Tells the cluster what this node runs, as soon as what was told last is answered. */
  private void announce() {
    TaskCommand command;
    synchronized (this) {
      isToAnnounce = true;
      // What it is given must not be missed.
      if (!isStarted || isAnnouncing || isOver || (isClosed && number == 0)) {
        if (!isAnnouncing) {
          announcement.complete(null);
        }
        return;
      }
      isAnnouncing = true;
      if (announcement.isDone()) {
        announcement = new CompletableFuture<>();
      }
      isToAnnounce = false;
      // Those that it lost still have their threads.
      int lost = 0;
      for (Run run : runs.values()) {
        lost += run.attempt.worker() == number ? 0 : 1;
      }
      int slots = isClosed || isPaused ? 0 : Math.max(0, setting.slots() - lost);
      command =
          new TaskCommand.Announce(
              client, ++announcements, node, slots, roster.skills(), setting.labels());
    }
    submit(command, this::announced);
  }

  private void submit(TaskCommand command, Then then) {
    consensus.submit(command.encode(), setting.timeout()).whenComplete(then::then);
  }

  /** What is done with an answer. */
  private interface Then {
    void then(@Nullable Committed done, @Nullable Throwable failure);
  }

  private void announced(@Nullable Committed done, @Nullable Throwable failure) {
    boolean again;
    long late = 0;
    synchronized (this) {
      isAnnouncing = false;
      if (done != null && TaskAnswer.decode(done.result()) instanceof TaskAnswer.Id id) {
        if (id.it() == 0) {
          LOG.warn("a later start of this node runs its tasks; this one does not any more");
          isClosed = true;
        } else if (isOver) {
          late = id.it();
        } else if (id.it() > lastGone) {
          number = Math.max(number, id.it());
          // It may have gone already, as far as this node has been told in a snapshot.
          isToAnnounce |= !machine.workers().containsKey(id.it());
        }
      }
      // That no entries will come is told once more at once: soon it could not be.
      again = isToAnnounce && (failure == null || isPaused);
      if (!again) {
        announcement.complete(null);
      }
    }
    if (late > 0) {
      submit(new TaskCommand.Leave(late), (left, lost) -> {});
    } else if (failure != null && !again) {
      CoordinationException cause = Asking.cause(failure);
      if (cause.reason() != CoordinationException.Reason.TIMEOUT) {
        LOG.warn("the cluster does not know yet what this node runs: {}", cause.getMessage());
      }
      timer.after(AGAIN_MAX, this::announce);
    } else if (again) {
      announce();
    }
  }

  @Override
  public void gone(Worker worker) {
    if (worker.client == client) {
      synchronized (this) {
        if (worker.number < number || machine.position() <= lastPosition) {
          return; // It is told again of what was.
        }
        lastGone = Math.max(lastGone, worker.number);
      }
      lose();
    }
  }

  /** Whatever it was given is somebody else's. */
  private void lose() {
    boolean isToGoOn;
    synchronized (this) {
      number = 0;
      reports.clear();
      runs.values().forEach(run -> run.stop(Run.Stop.REVOKED));
      isToGoOn = !isClosed;
    }
    if (isToGoOn) {
      announce();
    }
  }

  // ---- running ---------------------------------------------------------------------------------

  @Override
  public void given(Worker worker, Attempt attempt, Task task) {
    if (worker.client != client) {
      return;
    }
    Run run;
    synchronized (this) {
      if (attempt.token() <= lastToken) {
        return;
      }
      run = take(worker, attempt, task);
    }
    if (run != null) {
      begin(run);
    }
  }

  private @Nullable Run take(Worker worker, Attempt attempt, Task task) {
    number = worker.number;
    lastToken = attempt.token();
    Roster.Entry entry = isClosed ? null : roster.handler(attempt.pattern());
    if (entry == null) {
      reports.add(new Report.GivenBack(attempt.token(), false));
      timer.execute(this::report);
      return null;
    }
    Run run = new Run(attempt, task, entry, this);
    runs.put(attempt.token(), run);
    return run;
  }

  private void begin(Run run) {
    long timeout = run.entry.skill().timeoutMillis();
    if (timeout > 0) {
      run.callOff = timer.after(Duration.ofMillis(timeout), () -> run.stop(Run.Stop.TIMED_OUT));
    }
    hands.take(run);
    tellLater();
  }

  @Override
  public void revoked(Attempt attempt) {
    Run run;
    synchronized (this) {
      run = runs.get(attempt.token());
    }
    if (run != null) {
      run.stop(Run.Stop.REVOKED);
    }
  }

  @Override
  public synchronized void applied() {
    lastPosition = Math.max(lastPosition, machine.position());
  }

  /** The replica begins again: with something older, which it will be told of, or much later. */
  @Override
  public void restored() {
    Board board = machine.board();
    Worker me = board.floor().worker(node);
    Worker mine = me != null && me.client == client ? me : null;
    List<Run> begun = new ArrayList<>();
    boolean isLost;
    synchronized (this) {
      boolean isLater = board.counters().lastToken() >= lastToken;
      isLost = isLater && mine == null && number != 0;
      if (isLater && mine != null) {
        number = mine.number;
        stopOthers(board);
        for (Attempt attempt : mine.given().values()) {
          Task task = board.task(attempt.task());
          boolean isNew = attempt.token() > lastToken;
          if (isNew && task != null && task.token() == attempt.token()) {
            Run run = take(mine, attempt, task);
            if (run != null) {
              begun.add(run);
            }
          } else if (isNew) {
            // Its task has gone on before this node heard of it: only its slot is to be freed.
            lastToken = attempt.token();
            reports.add(new Report.GivenBack(attempt.token(), false));
          }
        }
      }
    }
    if (isLost) {
      lose();
    }
    begun.forEach(this::begin);
    timer.execute(this::report);
  }

  /** It runs on what it has, and is given no more until it hears of it again. */
  @Override
  public CompletableFuture<@Nullable Void> pause() {
    synchronized (this) {
      isPaused = true;
    }
    announce();
    return announcement();
  }

  @Override
  public void resume() {
    synchronized (this) {
      isPaused = false;
    }
    announce();
  }

  private void stopOthers(Board board) {
    for (Run run : runs.values()) {
      Task task = board.task(run.attempt.task());
      if (task == null || task.token() != run.attempt.token()) {
        run.stop(Run.Stop.REVOKED);
      }
    }
  }

  @Override
  public void through(Run run, Report report) {
    boolean wasLost;
    synchronized (this) {
      runs.remove(run.attempt.token());
      wasLost = run.attempt.worker() != number;
      if (!wasLost) {
        reports.add(report);
      }
    }
    run.end.complete(null);
    if (wasLost) {
      announce();
    } else {
      report();
    }
  }

  // ---- reporting -------------------------------------------------------------------------------

  /** Sends what is to be told, one batch at a time; what was not heard is sent again. */
  private void report() {
    report(List.of(), AGAIN);
  }

  private void report(List<Report> unheard, Duration backOff) {
    List<Report> batch = new ArrayList<>(unheard);
    TaskCommand.Reports command;
    synchronized (this) {
      if (unheard.isEmpty() && isReporting) {
        return;
      }
      int bytes = 0;
      while (unheard.isEmpty()
          && !reports.isEmpty()
          && batch.size() < REPORTS_MAX
          && bytes < REPORT_BYTES_MAX) {
        Report next = reports.remove();
        bytes += size(next);
        batch.add(next);
      }
      isReporting = !batch.isEmpty() && number != 0;
      if (!isReporting) {
        return;
      }
      command = new TaskCommand.Reports(number, batch);
    }
    submit(
        command,
        (done, failure) -> {
          if (done != null) {
            reported(command.worker(), (TaskAnswer.Is) TaskAnswer.decode(done.result()));
          } else {
            Duration longer = backOff.multipliedBy(2);
            Duration next = longer.compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : longer;
            timer.after(backOff, () -> report(batch, next));
          }
        });
  }

  private void reported(long worker, TaskAnswer.Is known) {
    boolean isLost;
    synchronized (this) {
      isReporting = false;
      isLost = !known.it() && worker == number;
    }
    if (isLost) {
      lose(); // It was passed over in a snapshot.
    } else {
      report();
    }
  }

  private static int size(Report report) {
    if (report instanceof Report.Done done) {
      return done.value().length + 32;
    } else if (report instanceof Report.Threw threw) {
      return 4 * threw.error().length() + 32;
    } else if (report instanceof Report.Progress progress) {
      return 4 * progress.note().length() + 32;
    }
    return 32;
  }

  private void tellLater() {
    synchronized (this) {
      if (isTelling) {
        return;
      }
      isTelling = true;
    }
    long valid = consensus.session().validNanos(timer.nanoTime(), timer.wallMillis());
    boolean isSooner = valid > 0 && valid < TELLING.toNanos();
    timer.after(isSooner ? Duration.ofNanos(Math.max(1_000_000, valid)) : TELLING, this::tell);
  }

  /** Tells what runs, and how far it is; and looks whether this node is still heard. */
  private void tell() {
    boolean isMore;
    synchronized (this) {
      isTelling = false;
      long now = timer.nanoTime();
      boolean isHeard = consensus.session().isValid(now, timer.wallMillis());
      for (Run run : runs.values()) {
        if (!isHeard && !run.isCancelled()) {
          // Somebody else may be given it soon.
          run.stop(Run.Stop.GIVEN_BACK);
        }
        if (run.attempt.worker() != number) {
          continue;
        }
        if (!run.wasTold) {
          run.wasTold = true;
          run.toBeTold();
        }
        Report.Progress progress = reports.size() < REPORTS_MAX ? run.takeProgress() : null;
        if (progress != null) {
          reports.add(progress);
        }
      }
      isMore = !runs.isEmpty();
    }
    report();
    if (isMore) {
      tellLater();
    }
  }

  // ---- the end ---------------------------------------------------------------------------------

  /** Takes no more, lets end what runs, gives back the rest, and leaves. Waits for that. */
  void close(Duration drain) {
    List<CompletableFuture<?>> ends = new ArrayList<>();
    synchronized (this) {
      isClosed = true;
      runs.values().forEach(run -> ends.add(run.end));
    }
    announce();
    await(ends, drain);
    giveBack(null);
    // One that is on its way would make a worker that runs nothing.
    await(List.of(announcement()), SOON);
    long last;
    synchronized (this) {
      last = number;
      number = 0;
      isOver = true;
    }
    if (last != 0) {
      leave(last);
    }
    machine.remove(this);
  }

  private synchronized CompletableFuture<@Nullable Void> announcement() {
    return announcement;
  }

  private void leave(long last) {
    List<Report> rest;
    synchronized (this) {
      rest = new ArrayList<>(reports);
      reports.clear();
    }
    try {
      if (!rest.isEmpty()) {
        var unused =
            consensus
                .submit(new TaskCommand.Reports(last, rest).encode(), SOON)
                .toCompletableFuture()
                .get(SOON.toMillis(), TimeUnit.MILLISECONDS);
      }
      var unused =
          consensus
              .submit(new TaskCommand.Leave(last).encode(), SOON)
              .toCompletableFuture()
              .get(SOON.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException | CoordinationException e) {
      LOG.info("the cluster did not hear that this node runs no tasks any more: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
