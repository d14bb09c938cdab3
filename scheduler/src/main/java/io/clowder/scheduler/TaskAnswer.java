// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a command or a question is answered with: a byte of kind, the fields. */
sealed interface TaskAnswer {
  /** For each task of a submission its id, or why it was not taken. */
  record Taken(List<Ticket> tickets) implements TaskAnswer {}

  /** The id of a task, 0 if it was refused; then why. */
  record Ticket(long task, @Nullable String refusal) {}

  /** Yes or no. */
  record Is(boolean it) implements TaskAnswer {}

  /** A number that was given, or 0. */
  record Id(long it) implements TaskAnswer {}

  /** It could not be done, and nothing has changed. */
  record Refused(String why) implements TaskAnswer {}

  /** How a task stands, as far as who waits for it wants to know; unknown if it is null. */
  record Outcome(@Nullable TaskState state, byte[] value, @Nullable String error, int attempts)
      implements TaskAnswer {}

  /**
   * Tasks as they are shown.
   *
   * @param seen up to which number it was looked; 0 if to the end
   */
  record Shown(List<ShownTask> tasks, long seen) implements TaskAnswer {}

  /** A task, where it runs, what its handler said, and what it waits for. */
  record ShownTask(Task task, @Nullable NodeId node, int permille, String note, String why) {}

  /** Schedules. */
  record Schedules(List<Plan> plans) implements TaskAnswer {}

  /** What a type is limited to. */
  record Limited(TypeLimits limits) implements TaskAnswer {}

  /** The whole. */
  record Whole(SystemStatus status) implements TaskAnswer {}

  /** The bytes of this answer. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Taken taken) {
      out.writeByte(1).writeVarLong(taken.tickets.size());
      for (Ticket ticket : taken.tickets) {
        out.writeVarLong(ticket.task);
        Fields.writeText(ticket.refusal, out);
      }
    } else if (this instanceof Is is) {
      out.writeByte(2).writeBoolean(is.it);
    } else if (this instanceof Id id) {
      out.writeByte(3).writeVarLong(id.it);
    } else if (this instanceof Refused refused) {
      out.writeByte(4).writeString(refused.why);
    } else if (this instanceof Outcome outcome) {
      out.writeByte(5).writeBoolean(outcome.state != null);
      if (outcome.state != null) {
        out.writeByte(Fields.STATES.indexOf(outcome.state)).writeBytes(outcome.value);
        Fields.writeText(outcome.error, out);
        out.writeVarLong(outcome.attempts);
      }
    } else if (this instanceof Shown shown) {
      out.writeByte(6).writeVarLong(shown.seen).writeVarLong(shown.tasks.size());
      for (ShownTask it : shown.tasks) {
        Fields.write(it.task, out);
        Fields.writeText(it.node == null ? null : it.node.value(), out);
        out.writeVarLong(it.permille).writeString(it.note).writeString(it.why);
      }
    } else if (this instanceof Schedules schedules) {
      out.writeByte(7).writeVarLong(schedules.plans.size());
      schedules.plans.forEach(plan -> Fields.write(plan, out));
    } else if (this instanceof Whole whole) {
      out.writeByte(8);
      write(whole.status, out);
    } else if (this instanceof Limited limited) {
      out.writeByte(9).writeVarLong(limited.limits.concurrency());
      out.writeVarLong(limited.limits.perSecond()).writeVarLong(limited.limits.queue());
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads an answer.
   *
   * @throws WireFormatException if the bytes are none
   */
  static TaskAnswer decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    TaskAnswer answer =
        switch (kind) {
          case 1 -> {
            int count = in.readCount();
            List<Ticket> tickets = new ArrayList<>();
            for (int i = 0; i < count; i++) {
              tickets.add(new Ticket(in.readVarLong(), Fields.readText(in, Fields.TEXT_BYTES)));
            }
            yield new Taken(tickets);
          }
          case 2 -> new Is(in.readBoolean());
          case 3 -> new Id(in.readVarLong());
          case 4 -> new Refused(in.readString(Fields.NOTE_BYTES));
          case 5 ->
              in.readBoolean()
                  ? new Outcome(
                      Fields.readOne(Fields.STATES, in),
                      in.readBytes(Limits.TASK_BYTES),
                      Fields.readText(in, Fields.NOTE_BYTES * 4),
                      Fields.readInt(in, 0, Integer.MAX_VALUE))
                  : new Outcome(null, Task.NO_VALUE, null, 0);
          case 6 -> {
            long seen = in.readVarLong();
            int count = in.readCount();
            List<ShownTask> tasks = new ArrayList<>();
            for (int i = 0; i < count; i++) {
              tasks.add(
                  new ShownTask(
                      Fields.readTask(in),
                      in.readBoolean() ? in.readNode() : null,
                      Fields.readInt(in, 0, 1000),
                      in.readString(Fields.NOTE_BYTES * 4),
                      in.readString(Fields.NOTE_BYTES * 4)));
            }
            yield new Shown(tasks, seen);
          }
          case 7 -> {
            int count = in.readCount();
            List<Plan> plans = new ArrayList<>();
            for (int i = 0; i < count; i++) {
              plans.add(Fields.readPlan(in));
            }
            yield new Schedules(plans);
          }
          case 8 -> new Whole(readStatus(in));
          case 9 -> new Limited(Fields.readLimits(in));
          default -> throw new WireFormatException("task answer of unknown kind " + kind);
        };
    in.expectEnd();
    return answer;
  }

  private static void write(SystemStatus status, WireWriter out) {
    out.writeVarLong(status.queues().size());
    for (SystemStatus.Queue queue : status.queues()) {
      out.writeString(queue.type()).writeByte(queue.priority()).writeVarLong(queue.waiting());
      out.writeVarLong(queue.ready()).writeVarLong(queue.inFlight());
      out.writeVarLong(queue.oldestWait().toMillis()).writeBoolean(queue.isPaused());
      out.writeString(queue.why());
    }
    out.writeVarLong(status.nodes().size());
    for (SystemStatus.Worker node : status.nodes()) {
      out.writeString(node.node().value()).writeVarLong(node.slots());
      out.writeVarLong(node.inFlight()).writeBoolean(node.isDrained());
      out.writeVarLong(node.handlers().size());
      node.handlers().forEach((pattern, limit) -> out.writeString(pattern).writeVarLong(limit));
      Fields.writeLabels(node.labels(), out);
      out.writeVarLong(node.done()).writeVarLong(node.failed());
    }
    out.writeVarLong(status.tasks()).writeVarLong(status.dead()).writeVarLong(status.results());
    out.writeVarLong(status.schedules()).writeVarLong(status.submitted());
    out.writeVarLong(status.succeeded()).writeVarLong(status.failed());
  }

  private static SystemStatus readStatus(WireReader in) {
    int count = in.readCount();
    List<SystemStatus.Queue> queues = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      queues.add(
          new SystemStatus.Queue(
              in.readString(Fields.TEXT_BYTES),
              in.readByte(),
              readInt(in),
              readInt(in),
              readInt(in),
              Duration.ofMillis(in.readVarLong()),
              in.readBoolean(),
              in.readString(Fields.NOTE_BYTES * 4)));
    }
    int nodes = in.readCount();
    List<SystemStatus.Worker> workers = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      NodeId node = in.readNode();
      int slots = readInt(in);
      int inFlight = readInt(in);
      boolean isDrained = in.readBoolean();
      int handlers = in.readCount();
      SortedMap<String, Integer> patterns = new TreeMap<>();
      for (int j = 0; j < handlers; j++) {
        patterns.put(in.readString(Fields.TEXT_BYTES), readInt(in));
      }
      workers.add(
          new SystemStatus.Worker(
              node,
              slots,
              inFlight,
              isDrained,
              patterns,
              Fields.readLabels(in),
              in.readVarLong(),
              in.readVarLong()));
    }
    return new SystemStatus(
        queues,
        workers,
        readInt(in),
        readInt(in),
        readInt(in),
        readInt(in),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong());
  }

  private static int readInt(WireReader in) {
    return Fields.readInt(in, 0, Integer.MAX_VALUE);
  }
}
