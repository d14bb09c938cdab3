// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Limits;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Gift;
import io.clowder.dht.KeeperMessage.Give;
import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.KeeperMessage.Listing;
import io.clowder.dht.KeeperMessage.Parts;
import io.clowder.dht.KeeperMessage.Same;
import io.clowder.dht.KeeperMessage.Want;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Brings copies in order: compares an interval with another node by a hash tree (Merkle, 1987; as
 * Dynamo does, DeCandia and others, 2007), from the top down, and sends what differs and nothing
 * else. The one that begins has one question out at a time, and asks again if it is not answered;
 * the other remembers nothing. So what was interrupted is taken up by comparing again.
 */
final class Reconciliation {
  /** Up to how many values in an interval are listed instead of split. */
  private static final int LISTED_MAX = 512;

  /** How many are under way at the same time. */
  private static final int AT_ONCE = 8;

  private static final int TRIES = 5;
  private static final int VALUES_MAX = 1_000;

  /** How long a giver may have this node wait at most. */
  private static final long WAIT_NANOS_MAX = 60_000_000_000L;

  /** What becomes of what differs. */
  enum Mode {
    /** Both have the newer of all values afterwards. */
    MERGE,
    /** The other one has what this one has, and nothing else. */
    MIRROR,
    /** The other one has the newer of all that this one has. */
    PUSH,
    /** This one has the newer of all that the other one has. */
    PULL
  }

  /**
   * What is to be brought in order.
   *
   * @param isReplica whether this node owns it, and the other one keeps it for that
   */
  record Job(Interval interval, Seat with, Mode mode, long stamp, boolean isReplica) {}

  /** How one ended. */
  interface Outcome {
    /**
     * It is over.
     *
     * @param isDone whether both have now what they should
     * @param moved how many values were sent or fetched
     * @param isWhole whether the other one owns it, and said that its copies are in order
     */
    void ended(boolean isDone, long moved, boolean isWhole);

    /** Something newer has come from the other one. */
    default void fetched() {}
  }

  private final Shelf shelf;
  private final Deque<Run> queue = new ArrayDeque<>();
  private final Map<Long, Run> running = new HashMap<>();

  /** How many bytes may still be sent; below zero, it waits. */
  private double allowance;

  private long allowedAt;

  private static final class Run {
    final Job job;
    final Outcome outcome;
    final Deque<Interval> intervals = new ArrayDeque<>();
    final Deque<Value> toGive = new ArrayDeque<>();
    final Deque<Item> toForget = new ArrayDeque<>();
    final Deque<Identifier> toFetch = new ArrayDeque<>();
    @Nullable KeeperMessage question;
    Interval compared = Interval.ALL;
    long ticket;
    long nextAt;

    /** Until when it fetches nothing. */
    long fetchAt = Long.MIN_VALUE;

    int tries;
    long moved;
    boolean isWhole = true;
    boolean isPaused;

    Run(Job job, Outcome outcome) {
      this.job = job;
      this.outcome = outcome;
      intervals.push(job.interval());
    }
  }

  Reconciliation(Shelf shelf) {
    this.shelf = shelf;
    this.allowedAt = shelf.now;
  }

  /** Begins now, or when others have ended. */
  void begin(Job job, Outcome outcome) {
    queue.add(new Run(job, outcome));
    startQueued();
  }

  /** How many are under way or wait. */
  int count() {
    return queue.size() + running.size();
  }

  /** Ends those that are of no use any more. */
  void cancelIf(Predicate<Job> isUseless) {
    List<Run> useless = new ArrayList<>(queue);
    useless.addAll(running.values());
    useless.removeIf(it -> !isUseless.test(it.job));
    queue.removeAll(useless);
    running.values().removeAll(useless);
    useless.forEach(it -> it.outcome.ended(false, it.moved, false));
    startQueued();
  }

  private void startQueued() {
    while (running.size() < AT_ONCE && !queue.isEmpty()) {
      step(queue.remove());
    }
  }

  /** Asks the next question, or ends. */
  private void step(Run run) {
    running.remove(run.ticket);
    run.tries = 0;
    run.ticket = shelf.ticket();
    KeeperMessage next = next(run);
    if (next == null) {
      run.outcome.ended(true, run.moved, run.isWhole);
      startQueued();
      return;
    }
    run.question = next;
    running.put(run.ticket, run);
    long from = next instanceof Give ? shelf.now + excess() : shelf.now;
    from = next instanceof Want ? Math.max(from, run.fetchAt) : from;
    if (from > shelf.now) {
      run.isPaused = true;
      run.nextAt = from;
    } else {
      ask(run);
    }
  }

  /** How long nothing more is to be sent, as this node has sent so much. */
  private long excess() {
    spend(0);
    return allowance < 0 ? (long) (-allowance / shelf.settings.transferBytes() * 1e9) + 1 : 0;
  }

  private void spend(long bytes) {
    double perNano = shelf.settings.transferBytes() / 1e9;
    // What was not used in a tenth of a second is not used later.
    allowance =
        Math.min(
            allowance + (shelf.now - allowedAt) * perNano, shelf.settings.transferBytes() / 10.0);
    allowedAt = shelf.now;
    allowance -= bytes;
  }

  private void ask(Run run) {
    run.isPaused = false;
    run.nextAt = shelf.now + shelf.settings.attemptNanos();
    KeeperMessage question = run.question;
    if (question == null) {
      return;
    }
    if (question instanceof Give give) {
      spend(give.values().stream().mapToLong(Value::size).sum());
    }
    shelf.port.send(run.job.with(), question);
  }

  private @Nullable KeeperMessage next(Run run) {
    if (!run.toGive.isEmpty() || !run.toForget.isEmpty()) {
      return give(run);
    } else if (!run.toFetch.isEmpty()) {
      List<Identifier> ids = new ArrayList<>();
      while (ids.size() < VALUES_MAX && !run.toFetch.isEmpty()) {
        ids.add(run.toFetch.remove());
      }
      return new Want(run.ticket, ids);
    } else if (run.intervals.isEmpty()) {
      return null;
    }
    run.compared = run.intervals.pop();
    return new Compare(
        run.ticket,
        run.job.stamp(),
        run.job.isReplica(),
        run.compared,
        shelf.values.digest(run.compared));
  }

  private static Give give(Run run) {
    List<Item> forgotten = new ArrayList<>();
    while (!run.toForget.isEmpty() && forgotten.size() < VALUES_MAX) {
      forgotten.add(run.toForget.remove());
    }
    // What takes the place of something newer comes after that is gone.
    List<Value> values = new ArrayList<>();
    int bytes = 0;
    while (run.toForget.isEmpty()
        && !run.toGive.isEmpty()
        && values.size() < VALUES_MAX
        && (values.isEmpty() || bytes + run.toGive.peek().size() <= Limits.BATCH_BYTES)) {
      bytes += run.toGive.peek().size();
      values.add(run.toGive.remove());
    }
    run.moved += values.size() + forgotten.size();
    return new Give(run.ticket, run.job.stamp(), values, forgotten);
  }

  // ---- what the other one says ---------------------------------------------------------------

  /** There is no difference. */
  void same(long ticket, boolean isWhole) {
    Run run = running.get(ticket);
    if (run != null) {
      run.isWhole &= isWhole;
      step(run);
    }
  }

  /** There are differences in some of these. */
  void parts(long ticket, List<Values.Digest> digests) {
    Run run = running.get(ticket);
    if (run == null) {
      return;
    }
    run.isWhole = false;
    List<Interval> parts = run.compared.split();
    if (digests.size() != parts.size()) {
      fail(run);
      return;
    }
    for (int i = parts.size() - 1; i >= 0; i--) {
      Values.Digest here = shelf.values.digest(parts.get(i));
      Values.Digest there = digests.get(i);
      if (!here.equals(there) && !isOfNoUse(run.job.mode(), here, there)) {
        run.intervals.push(parts.get(i));
      }
    }
    step(run);
  }

  private static boolean isOfNoUse(Mode mode, Values.Digest here, Values.Digest there) {
    return (mode == Mode.PUSH && here.count() == 0) || (mode == Mode.PULL && there.count() == 0);
  }

  /** What there is. */
  void listing(long ticket, List<Item> items) {
    Run run = running.get(ticket);
    if (run == null) {
      return;
    }
    run.isWhole = false;
    Map<Identifier, Item> there = new HashMap<>();
    items.forEach(it -> there.put(it.id(), it));
    for (Value value : shelf.values.in(run.compared)) {
      Item item = there.remove(value.id());
      int order = item == null ? 1 : value.version().compareTo(item.version());
      if (order > 0 && run.job.mode() != Mode.PULL) {
        run.toGive.add(value);
      } else if (order < 0) {
        if (run.job.mode() == Mode.MIRROR) {
          run.toGive.add(value);
        }
        isOnlyThere(run, item);
      }
    }
    there.values().forEach(it -> isOnlyThere(run, it));
    step(run);
  }

  private static void isOnlyThere(Run run, Item there) {
    if (run.job.mode() == Mode.MERGE || run.job.mode() == Mode.PULL) {
      run.toFetch.add(there.id());
    } else if (run.job.mode() == Mode.MIRROR) {
      run.toForget.add(there);
    }
  }

  /** It has taken what was given. */
  void given(long ticket) {
    Run run = running.get(ticket);
    if (run != null && run.question instanceof Give) {
      step(run);
    }
  }

  /** What was wanted. */
  void gift(Gift gift) {
    Run run = running.get(gift.ticket());
    if (run == null || !(run.question instanceof Want want)) {
      return;
    }
    for (Value value : gift.values()) {
      if (run.job.interval().contains(value.id()) && shelf.keep(value)) {
        run.moved++;
        run.outcome.fetched();
      }
    }
    run.fetchAt = shelf.now + Math.min(gift.waitNanos(), WAIT_NANOS_MAX);
    int handled = Math.min(Math.max(1, gift.handled()), want.ids().size());
    run.toFetch.addAll(want.ids().subList(handled, want.ids().size()));
    long ticket = run.ticket;
    shelf.whenDurable(
        () -> {
          // It may have come twice.
          if (running.get(ticket) == run) {
            step(run);
          }
        });
  }

  /** It does not take part. */
  void refused(long ticket) {
    Run run = running.get(ticket);
    if (run != null) {
      fail(run);
    }
  }

  private void fail(Run run) {
    running.remove(run.ticket);
    run.outcome.ended(false, run.moved, false);
    startQueued();
  }

  // ---- what others ask -----------------------------------------------------------------------

  /** Compares with what is here. */
  KeeperMessage compare(Compare compare, boolean isWhole) {
    Interval interval = compare.interval();
    Values.Digest here = shelf.values.digest(interval);
    if (here.equals(compare.digest())) {
      return new Same(compare.ticket(), isWhole);
    }
    List<Interval> parts = interval.split();
    if (Math.max(here.count(), compare.digest().count()) <= LISTED_MAX || parts.size() == 1) {
      return new Listing(
          compare.ticket(), shelf.values.in(interval).stream().map(Item::of).toList());
    }
    return new Parts(compare.ticket(), parts.stream().map(shelf.values::digest).toList());
  }

  /**
   * What is wanted, as much as fits. It counts as what this node gives unasked; but the one that
   * waits is the other one, so that nothing of it has to be remembered here.
   */
  Gift gift(Want want) {
    List<Value> values = new ArrayList<>();
    int bytes = 0;
    int handled = 0;
    for (Identifier id : want.ids()) {
      Value value = shelf.values.get(id);
      bytes += value == null ? 0 : value.size();
      if (bytes > Limits.BATCH_BYTES && !values.isEmpty()) {
        break;
      }
      handled++;
      if (value != null) {
        values.add(value);
        spend(value.size());
      }
    }
    return new Gift(want.ticket(), handled, excess(), values);
  }

  // ---- time ----------------------------------------------------------------------------------

  long dueAt() {
    long due = Ring.NEVER;
    for (Run run : running.values()) {
      due = Math.min(due, run.nextAt);
    }
    return due;
  }

  void tick() {
    for (Run run : List.copyOf(running.values())) {
      if (run.nextAt > shelf.now || !running.containsKey(run.ticket)) {
        continue;
      }
      if (!run.isPaused && ++run.tries >= TRIES) {
        fail(run);
      } else {
        ask(run);
      }
    }
  }
}
