// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.task.TaskRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * How long a task is in the system, of 100 workers with one slot, Poisson arrivals and exponential
 * service of mean 1: one queue in the log, from which free slots draw, beside what others do. Few
 * arrivals by default; {@code -Dscheduler.dealing=full} for many.
 */
class DealingFiguresTest {
  private static final int WORKERS = 100;

  /** A time of 1 in the board's milliseconds. */
  private static final double ONE = 1_000_000;

  private final int tasks =
      "full".equals(System.getProperty("scheduler.dealing")) ? 400_000 : 30_000;

  private record Departure(double at, int worker, long token) {}

  /** Exact: the mean time in an M/M/c system, by Erlang's C formula. */
  private static double exact(double load) {
    double offered = WORKERS * load;
    double blocked = 1;
    for (int i = 1; i <= WORKERS; i++) {
      blocked = offered * blocked / (i + offered * blocked);
    }
    double waits = blocked / (1 - load * (1 - blocked));
    return 1 + waits / (WORKERS - offered);
  }

  private static double exponential(Random random, double mean) {
    return -mean * Math.log(1 - random.nextDouble());
  }

  private static PriorityQueue<Departure> departures() {
    return new PriorityQueue<>(Comparator.comparingDouble(Departure::at));
  }

  // ---- ours ------------------------------------------------------------------------------------

  private double ours(double load) {
    Random random = new Random(1);
    PriorityQueue<Departure> departures = departures();
    Map<Long, Double> came = new HashMap<>();
    double[] now = new double[1];
    Board board =
        new Board(
            new Events() {
              @Override
              public void given(Worker worker, Attempt attempt, Task task) {
                departures.add(
                    new Departure(
                        now[0] + exponential(random, 1), (int) attempt.worker(), attempt.token()));
              }
            });
    for (int i = 1; i <= WORKERS; i++) {
      NodeId node = new NodeId("n" + i);
      board.announce(new TaskCommand.Announce(i, 1, node, 1, Desk.skills("t"), new TreeMap<>()), i);
    }
    Work work = Desk.work(TaskRequest.of("t", new byte[0]).withKeep(Duration.ZERO));
    double arrival = 0;
    double total = 0;
    int counted = 0;
    int arrived = 0;
    while (counted < tasks) {
      Departure next = departures.peek();
      boolean isArrival = arrived < tasks && (next == null || arrival < next.at);
      now[0] = isArrival ? arrival : departures.remove().at;
      board.begin(Desk.BEGIN + (long) (now[0] * ONE));
      if (isArrival) {
        came.put(board.submit(work), now[0]);
        arrived++;
        arrival += exponential(random, 1 / (WORKERS * load));
      } else {
        Worker worker = board.floor().worker(next.worker);
        Attempt attempt = worker == null ? null : worker.given().get(next.token);
        if (attempt == null) {
          throw new AssertionError("nobody has " + next);
        }
        total += now[0] - came.getOrDefault(attempt.task(), 0.0);
        counted++;
        came.remove(attempt.task());
        board.report(next.worker, new Report.Done(next.token, Task.NO_VALUE));
      }
      board.settle();
    }
    return total / counted;
  }

  // ---- a queue at each worker ------------------------------------------------------------------

  /** Whom a task is sent to, by how many tasks each worker has, or had. */
  private interface Choice {
    int of(int[] live, int[] old, Random random);
  }

  private static int leastOf(int[] loads, Random random) {
    int best = 0;
    int equals = 0;
    for (int i = 0; i < WORKERS; i++) {
      if (loads[i] < loads[best]) {
        best = i;
        equals = 1;
      } else if (loads[i] == loads[best] && random.nextInt(++equals) == 0) {
        best = i;
      }
    }
    return best;
  }

  private static int leastOfTwo(int[] loads, Random random) {
    int one = random.nextInt(WORKERS);
    int other = random.nextInt(WORKERS);
    return loads[one] <= loads[other] ? one : other;
  }

  private record Change(double at, int worker, int by) {}

  private double queues(double load, Choice choice) {
    Random random = new Random(1);
    PriorityQueue<Departure> departures = departures();
    Deque<Change> reports = new ArrayDeque<>();
    int[] live = new int[WORKERS];
    int[] old = new int[WORKERS];
    List<Deque<Double>> queues = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      queues.add(new ArrayDeque<>());
    }
    double arrival = 0;
    double total = 0;
    int counted = 0;
    int arrived = 0;
    while (counted < tasks) {
      Departure next = departures.peek();
      boolean isArrival = arrived < tasks && (next == null || arrival < next.at);
      double now = isArrival ? arrival : departures.remove().at;
      while (!reports.isEmpty() && reports.peek().at <= now - 1) {
        Change change = reports.remove();
        old[change.worker] += change.by;
      }
      int worker;
      if (isArrival) {
        worker = choice.of(live, old, random);
        queues.get(worker).add(now);
        live[worker]++;
        reports.add(new Change(now, worker, 1));
        arrived++;
        arrival += exponential(random, 1 / (WORKERS * load));
      } else {
        worker = next.worker;
        total += now - queues.get(worker).remove();
        counted++;
        live[worker]--;
        reports.add(new Change(now, worker, -1));
      }
      if (isArrival ? live[worker] == 1 : live[worker] > 0) {
        departures.add(new Departure(now + exponential(random, 1), worker, 0));
      }
    }
    return total / counted;
  }

  @Test
  void oneQueueFromWhichFreeSlotsDrawIsNearlyAsGoodAsCanBe() {
    System.out.printf("mean time in the system, %,d tasks each, service 1:%n", tasks);
    System.out.println("load  M/M/100  ours   least-loaded by old reports  two choices, live");
    for (double load : List.of(0.8, 0.9, 0.95)) {
      double exact = exact(load);
      double ours = ours(load);
      double stale = queues(load, (live, old, random) -> leastOf(old, random));
      double two = queues(load, (live, old, random) -> leastOfTwo(live, random));
      System.out.printf(
          "%.2f  %.3f    %.3f  %.2f                         %.2f%n", load, exact, ours, stale, two);
      assertTrue(ours <= 1.15 * exact, ours + " at " + load + ", " + exact + " can be had");
      assertTrue(ours > 0.95 * exact, ours + " is better than can be");
      assertTrue(two > 1.5 * exact && stale > two, "what we compare with is what it should be");
    }
  }
}
