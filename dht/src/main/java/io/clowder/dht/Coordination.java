// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.DhtVersion;
import io.clowder.dht.Answer.Code;
import io.clowder.dht.KeeperMessage.Keep;
import io.clowder.dht.KeeperMessage.Look;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What this node does as the owner of keys: one operation at a time on each key, so that what one
 * has decided the next one sees.
 *
 * <p>An operation asks as many others as it must for what they have, decides, and has the outcome
 * kept by as many as it must: a write its value, and a read, where it is not sure that enough have
 * it, what it is about to tell (Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message
 * passing systems", 1995). With a committed assignment, under which all that must have a value do,
 * it asks nobody and tells at once.
 */
final class Coordination {
  /** Who gets an answer, once. */
  interface Asker {
    void told(Answer answer);
  }

  private final Shelf shelf;
  private final Placement placement;
  private final Map<Identifier, Deque<Operation>> queues = new HashMap<>();
  private final Map<Long, Operation> active = new HashMap<>();
  private final Deque<Identifier> toStart = new ArrayDeque<>();
  private boolean isStarting;
  private int count;
  private long bytes;
  private long resendAt = Ring.NEVER;

  private enum Phase {
    WAITING,
    READING,
    KEEPING,
    CONFIRMING
  }

  private static final class Operation {
    final Ask ask;
    final List<Asker> askers = new ArrayList<>();
    final Map<Seat, @Nullable Value> seen = new HashMap<>();
    final Set<Seat> acked = new HashSet<>();
    final long ticket;
    final int size;
    long since;
    Phase phase = Phase.WAITING;
    @Nullable Tenure tenure;
    @Nullable Value value;
    boolean isDurable;
    Answer outcome = Answer.of(Code.NOT_READY);
    int copies;

    Operation(Ask ask, Asker asker, long ticket, long now) {
      this.ask = ask;
      askers.add(asker);
      this.ticket = ticket;
      this.size = ask.size();
      this.since = now;
    }

    Tenure tenure() {
      if (tenure == null) {
        throw new AssertionError("not begun");
      }
      return tenure;
    }

    /** Whether it is undecided outside whether it happens. */
    boolean isWriting() {
      boolean isBegun = phase == Phase.KEEPING || phase == Phase.CONFIRMING;
      return isBegun && outcome.code() == Code.DONE && ask.isWrite();
    }
  }

  Coordination(Shelf shelf, Placement placement) {
    this.shelf = shelf;
    this.placement = placement;
  }

  /** The keys for which something is under way. */
  Set<Identifier> keys() {
    return queues.keySet();
  }

  /** Does what a user wants, now or when its turn comes. */
  void take(Ask ask, Asker asker) {
    if (!placement.accepts(ask.id())) {
      asker.told(Answer.of(Code.NOT_OWNER));
      return;
    }
    Deque<Operation> queue = queues.get(ask.id());
    if (ask.isQuestion() && queue != null) {
      for (Operation operation : queue) {
        if (operation.ask.request().equals(ask.request()) && !operation.ask.isQuestion()) {
          operation.askers.add(asker);
          return;
        }
      }
    }
    if (count >= shelf.settings.operationsMax()
        || bytes + ask.size() > shelf.settings.operationBytesMax()) {
      asker.told(Answer.of(Code.BUSY));
      return;
    }
    Operation operation = new Operation(ask, asker, shelf.ticket(), shelf.now);
    count++;
    bytes += operation.size;
    queues.computeIfAbsent(ask.id(), it -> new ArrayDeque<>(2)).add(operation);
    active.put(operation.ticket, operation);
    if (resendAt == Ring.NEVER) {
      resendAt = shelf.now + shelf.settings.resendNanos();
    }
    startNext(ask.id());
  }

  /**
   * Begins the first of a key, and the next ones as long as they end at once. One that ends while
   * another one begins leaves its key to the loop that is running: thousands may wait for a key.
   */
  private void startNext(Identifier id) {
    toStart.add(id);
    if (isStarting) {
      return;
    }
    isStarting = true;
    while (!toStart.isEmpty()) {
      Identifier next = toStart.remove();
      Deque<Operation> queue = queues.get(next);
      while (queue != null && !queue.isEmpty() && queue.peek().phase == Phase.WAITING) {
        start(queue.peek());
        queue = queues.get(next);
      }
    }
    isStarting = false;
  }

  private void start(Operation operation) {
    Tenure tenure = placement.tenure(operation.ask.id());
    if (tenure == null || !placement.accepts(operation.ask.id())) {
      end(operation, Answer.of(Code.NOT_OWNER));
      return;
    }
    operation.tenure = tenure;
    operation.since = shelf.now;
    operation.phase = Phase.READING;
    if (tenure.toRead().size() < tenure.reads()) {
      end(operation, new Answer(Code.TOO_FEW, DhtVersion.NONE, null, tenure.copiesMax()));
    } else if (tenure.reads() == 0) {
      decide(operation);
    } else {
      look(operation);
    }
  }

  private void look(Operation operation) {
    for (Seat seat : operation.tenure().toRead()) {
      if (!operation.seen.containsKey(seat)) {
        shelf.port.send(seat, new Look(operation.ticket, operation.ask.id()));
      }
    }
  }

  /** What a node has of the key. */
  void seen(Seat seat, long ticket, @Nullable Value value) {
    Operation operation = active.get(ticket);
    if (operation != null && operation.phase == Phase.READING) {
      operation.seen.put(seat, value);
      decideIfRead(operation);
    }
  }

  private void decideIfRead(Operation operation) {
    Tenure tenure = operation.tenure();
    long answers = tenure.toRead().stream().filter(operation.seen::containsKey).count();
    if (answers >= tenure.reads()) {
      decide(operation);
    }
  }

  // ---- what comes of it ----------------------------------------------------------------------

  private void decide(Operation operation) {
    Ask ask = operation.ask;
    Value newest = shelf.values.get(ask.id());
    for (Value seen : operation.seen.values()) {
      if (seen != null && seen.isNewerThan(newest)) {
        newest = seen;
      }
    }
    long wall = shelf.port.wallMillis();
    Value there = newest != null && newest.isThere(wall) ? newest : null;
    DhtVersion version = there == null ? DhtVersion.NONE : there.version();
    operation.copies = Math.max(ask.copies(), operation.tenure().copies());
    if (ask.isQuestion()) {
      boolean hasHappened = newest != null && newest.request().equals(ask.request());
      if (newest == null || !hasHappened) {
        end(operation, Answer.of(Code.UNSEEN));
      } else {
        tell(operation, newest, Answer.of(Code.DONE, newest.version()));
      }
    } else if (!ask.isWrite()) {
      tell(operation, newest, new Answer(Code.DONE, version, there, 0));
    } else if (ask.condition() != null && !ask.condition().equals(version)) {
      tell(operation, newest, Answer.of(Code.CONFLICT, version));
    } else if (ask.kind() == Ask.Kind.REMOVE && there == null) {
      tell(operation, newest, Answer.of(Code.ABSENT));
    } else if (operation.copies > operation.tenure().copiesMax()) {
      int most = operation.tenure().copiesMax();
      end(operation, new Answer(Code.TOO_FEW, DhtVersion.NONE, null, most));
    } else {
      write(operation, newest, wall);
    }
  }

  private void write(Operation operation, @Nullable Value newest, long wall) {
    Ask ask = operation.ask;
    DhtVersion next = next(operation.tenure().major(), newest, wall);
    if (next == null) {
      end(operation, Answer.of(Code.NOT_READY));
      return;
    }
    long until = ask.ttlMillis() == 0 ? 0 : wall + ask.ttlMillis();
    if (ask.kind() == Ask.Kind.REMOVE) {
      until = wall + shelf.settings.tombstoneMillis();
    }
    Value value = new Value(ask.id(), ask.key(), next, ask.content(), until, ask.request());
    keep(operation, value, Answer.of(Code.DONE, next));
  }

  /** Larger than what is there; null if a later assignment than this node knows gave that. */
  private @Nullable DhtVersion next(long major, @Nullable Value newest, long wall) {
    if (major == 0) {
      long before = newest == null ? shelf.forgottenMajor() : newest.version().major();
      return new DhtVersion(Math.max(before + 1, wall * 1_000), shelf.me.life());
    } else if (newest == null) {
      return new DhtVersion(major, shelf.forgottenMinor() + 1);
    }
    DhtVersion before = newest.version();
    if (before.major() > major) {
      return null;
    }
    return new DhtVersion(major, before.major() == major ? before.minor() + 1 : 1);
  }

  /** Tells what is there, once enough have it. */
  private void tell(Operation operation, @Nullable Value newest, Answer answer) {
    Tenure tenure = operation.tenure();
    boolean isKept = newest == null || (tenure.isSettled() && tenure.reads() == 0);
    if (isKept) {
      operation.outcome = answer;
      confirm(operation);
      return;
    }
    operation.seen.forEach(
        (seat, value) -> {
          if (value != null && value.version().equals(newest.version())) {
            operation.acked.add(seat);
          }
        });
    operation.copies = Math.min(tenure.copies(), tenure.copiesMax());
    keep(operation, newest, answer);
  }

  private void keep(Operation operation, Value value, Answer answer) {
    operation.phase = Phase.KEEPING;
    operation.value = value;
    operation.outcome = answer;
    shelf.keep(value);
    send(operation);
    shelf.whenDurable(
        () -> {
          operation.isDurable = true;
          endIfKept(operation);
        });
  }

  private void send(Operation operation) {
    Tenure tenure = operation.tenure();
    Value value = operation.value;
    if (value == null) {
      return;
    }
    Keep keep = new Keep(operation.ticket, tenure.stamp(), value);
    for (Collection<Seat> seats : List.of(tenure.must(), tenure.others())) {
      for (Seat seat : seats) {
        if (!operation.acked.contains(seat)) {
          shelf.port.send(seat, keep);
        }
      }
    }
  }

  /** A node keeps the value. */
  void kept(Seat seat, long ticket) {
    Operation operation = active.get(ticket);
    if (operation != null && operation.phase == Phase.KEEPING) {
      operation.acked.add(seat);
      endIfKept(operation);
    }
  }

  private void endIfKept(Operation operation) {
    if (operation.phase != Phase.KEEPING || !operation.isDurable) {
      return;
    }
    Tenure tenure = operation.tenure();
    Set<Seat> seats = new LinkedHashSet<>(tenure.must());
    seats.addAll(tenure.others());
    seats.retainAll(operation.acked);
    if (seats.size() + 1 < operation.copies || !operation.acked.containsAll(tenure.must())) {
      return;
    }
    // Whoever has it can say no; where nobody else has, only consensus could.
    if (operation.isWriting() && seats.size() > 0) {
      end(operation, operation.outcome);
    } else {
      confirm(operation);
    }
  }

  /** What is told must be the newest there is: nobody else may own the key by now. */
  private void confirm(Operation operation) {
    operation.phase = Phase.CONFIRMING;
    if (placement.isSure(shelf.now)) {
      end(operation, operation.outcome);
      return;
    }
    placement.confirm(
        () -> {
          if (active.containsKey(operation.ticket)) {
            Tenure present = placement.tenure(operation.ask.id());
            boolean isOwner = present != null && present.major() == operation.tenure().major();
            boolean isSure = isOwner && placement.isSure(shelf.now);
            Code otherwise = operation.isWriting() ? Code.LOST : Code.NOT_READY;
            end(operation, isSure ? operation.outcome : Answer.of(otherwise));
          }
        });
  }

  private void end(Operation operation, Answer answer) {
    if (active.remove(operation.ticket) == null) {
      return;
    }
    count--;
    bytes -= operation.size;
    Deque<Operation> queue = queues.get(operation.ask.id());
    if (queue != null) {
      queue.remove(operation);
      if (queue.isEmpty()) {
        queues.remove(operation.ask.id());
      }
    }
    if (active.isEmpty()) {
      resendAt = Ring.NEVER;
    }
    operation.askers.forEach(it -> it.told(answer));
    startNext(operation.ask.id());
  }

  // ---- changes and time ----------------------------------------------------------------------

  /** Who keeps what is another than before. */
  void placementChanged() {
    for (Operation operation : List.copyOf(active.values())) {
      if (operation.phase != Phase.WAITING && active.containsKey(operation.ticket)) {
        adapt(operation);
      }
    }
  }

  private void adapt(Operation operation) {
    Tenure next = placement.tenure(operation.ask.id());
    if (next == null) {
      end(operation, Answer.of(operation.isWriting() ? Code.LOST : Code.NOT_OWNER));
      return;
    }
    if (next.equals(operation.tenure)) {
      return;
    }
    operation.tenure = next;
    if (operation.phase == Phase.READING) {
      look(operation);
      decideIfRead(operation);
    } else if (operation.phase == Phase.KEEPING) {
      send(operation);
      endIfKept(operation);
    }
  }

  long dueAt() {
    return resendAt;
  }

  void tick() {
    if (resendAt > shelf.now) {
      return;
    }
    resendAt = shelf.now + shelf.settings.resendNanos();
    for (Operation operation : List.copyOf(active.values())) {
      if (operation.phase == Phase.WAITING || !active.containsKey(operation.ticket)) {
        continue;
      }
      boolean isLong = shelf.now - operation.since > 2 * shelf.settings.attemptNanos();
      if (operation.phase == Phase.READING) {
        if (isLong) {
          end(operation, Answer.of(Code.NOT_READY));
        } else {
          look(operation);
        }
      } else if (operation.phase == Phase.KEEPING) {
        // With a committed assignment others may not read what is not sure to stay: it goes on.
        if (isLong && operation.tenure().major() == 0) {
          end(operation, Answer.of(operation.isWriting() ? Code.LOST : Code.NOT_READY));
        } else {
          send(operation);
        }
      }
    }
    if (active.isEmpty()) {
      resendAt = Ring.NEVER;
    }
  }
}
