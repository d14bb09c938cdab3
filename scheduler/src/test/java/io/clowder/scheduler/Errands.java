// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a simulated cluster is asked to do, by users who remember what they were told; handlers that
 * take a while, fail, do not hear, take their node with them; and a store that checks tokens. In
 * the end every task that was taken must be over, once, and what it wrote through a fence must be
 * what counts.
 */
final class Errands {
  private static final long MILLI = 1_000_000;

  /** Longer than all clocks together jump: nothing may be forgotten before the end. */
  static final Duration KEEP = Duration.ofDays(30);

  private static final List<String> TYPES = List.of("mail/send", "mail/list", "report");

  /** The world that it happens in. */
  interface Stage {
    /** True time, nanoseconds. */
    long now();

    /** Has something happen, whoever dies meanwhile. */
    void at(long delayNanos, Runnable task);
  }

  /** One run of a node. */
  interface Place {
    ReplicatedScheduler scheduler();

    long wallMillis();

    /** Has something happen unless this run is over by then. */
    void after(long delayNanos, Runnable task);

    /** A handler takes the node with it. */
    void crash(Run run);
  }

  private record Written(long token, int times) {}

  private final long seed;
  private final RandomGenerator random;
  private final Stage stage;
  private final boolean isTraced = Boolean.getBoolean("scheduler.trace");

  /** By resource the largest token that wrote. */
  private final Map<String, Written> store = new HashMap<>();

  private final Map<Long, Integer> begun = new HashMap<>();
  private final Map<Long, TaskRequest> taken = new TreeMap<>();

  /** By the number in their payload: those that are said not to have been taken. */
  private final Set<Long> refused = new HashSet<>();

  private final Map<String, Long> byDedupe = new HashMap<>();
  private long submitted;
  private @Nullable AssertionError wrong;
  boolean isCalm;
  int overlaps;
  int unknown;

  Errands(long seed, RandomGenerator random, Stage stage) {
    this.seed = seed;
    this.random = random;
    this.stage = stage;
  }

  /** With {@code -Dscheduler.trace=true}, for the eyes of who looks for a cause. */
  void trace(String text) {
    if (isTraced) {
      System.out.println(stage.now() / MILLI + " " + text);
    }
  }

  /** The first thing that was wrong: it may be found where an exception is not heard. */
  AssertionError wrong(String what) {
    if (wrong == null) {
      wrong = new AssertionError("seed " + seed + " at " + stage.now() / MILLI + " ms: " + what);
    }
    return wrong;
  }

  // ---- what a replica says ---------------------------------------------------------------------

  /** What the log says, as a replica says it. */
  final class Watch implements Events {
    private final TaskMachine machine;
    private final Map<Long, Integer> ended = new HashMap<>();
    private final Map<String, Long> lastOfKey = new HashMap<>();
    private long lastToken;

    Watch(TaskMachine machine) {
      this.machine = machine;
    }

    @Override
    public void given(Worker worker, Attempt attempt, Task task) {
      trace("given " + task.id() + " token " + attempt.token() + " to " + worker.node);
      if (attempt.token() <= lastToken) {
        throw wrong("token " + attempt.token() + " after " + lastToken);
      }
      lastToken = attempt.token();
      if (worker.given().size() > worker.slots() && worker.slots() > 0) {
        throw wrong(worker.node + " has " + worker.given().size() + " tasks");
      }
      String key = task.work().orderingKey();
      if (key != null) {
        String name = task.work().type() + " " + key;
        long last = lastOfKey.getOrDefault(name, 0L);
        Task former = machine.board().task(last);
        if (task.id() < last) {
          throw wrong("task " + task.id() + " of key " + name + " after " + last);
        } else if (former != null && task.id() != last && !former.state().isEnd()) {
          throw wrong("task " + task.id() + " of key " + name + " beside " + last);
        }
        lastOfKey.put(name, task.id());
      }
    }

    @Override
    public void ended(Task task) {
      trace("ended " + task.id() + " " + task.state() + " " + task.error());
      if (ended.merge(task.id(), 1, Integer::sum) > 1) {
        throw wrong("task " + task.id() + " ended twice");
      }
    }

    /** It may begin again with something older. */
    @Override
    public void restored() {
      ended.clear();
      lastOfKey.clear();
      lastToken = 0;
    }
  }

  // ---- work ------------------------------------------------------------------------------------

  static SchedulerSetting setting() {
    return new SchedulerSetting(
        4, new TreeMap<>(), Duration.ofSeconds(5), 100_000, Duration.ofSeconds(2), Duration.ZERO);
  }

  /** What a node runs. */
  static void equip(ReplicatedScheduler scheduler) {
    scheduler.add(entry(List.of("mail/*"), 1));
    scheduler.add(entry(List.of("report", "tick/**"), 2));
  }

  private static Roster.Entry entry(List<String> patterns, long order) {
    return new Roster.Entry(
        context -> {
          throw new AssertionError("the world runs it");
        },
        patterns,
        new Skill(order == 2 ? 3 : 0, order == 2 ? 4_000 : 0),
        0,
        order);
  }

  /** Runs a handler in virtual time. */
  void work(Place place, Run run) {
    long id = run.id().number();
    begun.merge(id, 1, Integer::sum);
    int fate = isCalm ? 0 : random.nextInt(200);
    int longest = isCalm ? 20 : random.nextInt(5) == 0 ? 3_000 : 60;
    long duration = (1 + random.nextInt(longest)) * MILLI;
    if (fate == 199) {
      place.after(duration, () -> place.crash(run));
      return;
    }
    boolean isDeaf = fate % 10 == 8;
    boolean fails = fate >= 180 && fate < 198;
    step(place, run, duration, isDeaf, fails);
  }

  private void step(Place place, Run run, long left, boolean isDeaf, boolean fails) {
    long slice = Math.min(left, 50 * MILLI);
    place.after(
        slice,
        () -> {
          if (run.isCancelled() && !isDeaf) {
            run.finish(new Report.Threw(run.attempt.token(), "interrupted", false));
          } else if (left > slice) {
            if (random.nextInt(4) == 0) {
              run.progress(0.5, "half");
            }
            step(place, run, left - slice, isDeaf, fails);
          } else if (fails) {
            run.finish(new Report.Threw(run.attempt.token(), "failed", random.nextInt(10) == 0));
          } else {
            write(place, run);
          }
        });
  }

  /** Writes through the fence, some time later, and is done when the store has it. */
  private void write(Place place, Run run) {
    long token = run.fence().token();
    String resource = run.fence().resource();
    stage.at(
        (1 + random.nextInt(20)) * MILLI,
        () -> {
          Written last = store.get(resource);
          boolean isStale = last != null && last.token > token;
          if (!isStale) {
            store.put(resource, new Written(token, last == null ? 1 : last.times + 1));
          } else {
            overlaps++;
          }
          place.after(
              MILLI,
              () ->
                  run.finish(
                      isStale
                          ? new Report.Threw(token, "stale", false)
                          : new Report.Done(token, Long.toString(token).getBytes(UTF_8))));
        });
  }

  // ---- users -----------------------------------------------------------------------------------

  /** A user of this node submits a task. */
  void submit(Place place) {
    long number = ++submitted;
    TaskRequest request = request(number, place.wallMillis());
    String dedupe = request.dedupeKey();
    place
        .scheduler()
        .submit(request)
        .whenComplete(
            (id, failure) -> {
              if (failure == null) {
                trace("taken " + id + " " + request.type());
                taken.put(id.number(), request);
                if (dedupe != null) {
                  Long other = byDedupe.put(request.type() + " " + dedupe, id.number());
                  if (other != null && other != id.number()) {
                    throw wrong("dedupe key " + dedupe + " has " + other + " and " + id);
                  }
                }
                if (random.nextInt(20) == 0) {
                  place.after(
                      random.nextInt(2_000) * MILLI,
                      () -> {
                        var unused = place.scheduler().cancel(id);
                      });
                }
                if (random.nextInt(10) == 0) {
                  place
                      .scheduler()
                      .result(id, Duration.ofSeconds(60))
                      .whenComplete(
                          (result, late) -> {
                            if (result != null && !result.state().isEnd()) {
                              throw wrong("a result of " + result.state());
                            }
                          });
                }
              } else if (!(cause(failure) instanceof CoordinationException known)) {
                throw wrong("failed: " + failure);
              } else if (known.outcome() == Outcome.MAY_HAVE_HAPPENED) {
                unknown++;
              } else if (known.reason() == CoordinationException.Reason.INVALID) {
                throw wrong("refused: " + known);
              } else {
                refused.add(number);
              }
            });
  }

  private TaskRequest request(long number, long wallMillis) {
    TaskRequest request =
        TaskRequest.of(
                TYPES.get(random.nextInt(TYPES.size())),
                ByteBuffer.allocate(8 + random.nextInt(20)).putLong(number).array())
            .withPriority(random.nextInt(10))
            .withRetry(
                new Retry(20, Duration.ofMillis(50), Duration.ofSeconds(2), 1 + random.nextInt(8)))
            .withKeep(KEEP);
    Instant time = Instant.ofEpochMilli(wallMillis);
    if (random.nextInt(10) == 0) {
      request = request.withNotBefore(time.plusMillis(random.nextInt(5_000)));
    }
    if (random.nextInt(10) == 0) {
      request = request.withDeadline(time.plusMillis(5_001 + random.nextInt(10_000)));
    }
    if (random.nextInt(6) == 0) {
      request = request.withOrderingKey("k" + random.nextInt(4));
    }
    if (random.nextInt(8) == 0) {
      request = request.withMode(TaskMode.AT_MOST_ONCE);
    }
    return random.nextInt(8) == 0 ? request.withDedupeKey("d" + random.nextInt(40)) : request;
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  // ---- the end ---------------------------------------------------------------------------------

  /** Nothing was lost, and nothing counts twice. */
  void check(Board board) {
    if (wrong != null) {
      throw wrong;
    }
    for (long id : taken.keySet()) {
      if (board.task(id) == null) {
        throw wrong("task " + id + " is lost");
      }
    }
    for (Task task : board.tasks().values()) {
      if (!task.state().isEnd()) {
        throw wrong("task " + task + " is not over; " + board.floor().workers().keySet());
      }
      checkEnd(task);
    }
  }

  /** A node that is well runs as many as it says. */
  void checkWorks(Board board, NodeId node) {
    Worker worker = board.floor().worker(node);
    if (worker == null || worker.slots() != setting().slots()) {
      throw wrong(node + " has " + (worker == null ? "no worker" : worker.slots() + " slots"));
    }
  }

  private void checkEnd(Task task) {
    byte[] payload = task.work().payload();
    if (payload.length >= 8 && refused.contains(ByteBuffer.wrap(payload).getLong())) {
      throw wrong("task " + task.id() + " is there, though it was refused");
    }
    if (task.work().terms().mode() == TaskMode.AT_MOST_ONCE
        && begun.getOrDefault(task.id(), 0) > 1) {
      throw wrong("task " + task.id() + " began " + begun.get(task.id()) + " times");
    }
    if (task.state() == TaskState.SUCCEEDED && task.work().orderingKey() == null) {
      Written written = store.get("task/" + task.id());
      long token = Long.parseLong(new String(task.value(), UTF_8));
      if (written == null || written.token != token) {
        throw wrong(
            "task " + task.id() + " succeeded with " + token + ", the store has " + written);
      }
    }
  }

  int tasks() {
    return taken.size();
  }

  int attempts() {
    return begun.values().stream().mapToInt(Integer::intValue).sum();
  }
}
