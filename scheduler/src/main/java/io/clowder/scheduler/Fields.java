// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The fields of which commands, answers and snapshots are made, as bytes. */
final class Fields {
  /** The longest text: a type, a key, a label, a cron expression, four bytes for a character. */
  static final int TEXT_BYTES = 1024;

  /** The longest error or note. */
  static final int NOTE_BYTES = 2000;

  private static final int MAP_MAX = Math.max(16, Limits.TASK_HANDLERS);

  /** By their numbers in bytes, which never change. */
  static final List<TaskState> STATES =
      List.of(
          TaskState.SUBMITTED,
          TaskState.READY,
          TaskState.ASSIGNED,
          TaskState.RUNNING,
          TaskState.SUCCEEDED,
          TaskState.FAILED,
          TaskState.CANCELLED,
          TaskState.EXPIRED,
          TaskState.DEAD);

  private static final List<TaskMode> MODES =
      List.of(TaskMode.AT_LEAST_ONCE, TaskMode.AT_MOST_ONCE);

  private static final List<Schedule.Misfire> MISFIRES =
      List.of(Schedule.Misfire.SKIP, Schedule.Misfire.FIRE_ONCE, Schedule.Misfire.CATCH_UP);

  private static final List<Schedule.Overlap> OVERLAPS =
      List.of(Schedule.Overlap.SKIP, Schedule.Overlap.QUEUE, Schedule.Overlap.ALLOW);

  private Fields() {}

  /** What a constructor refuses is a fault of the bytes. */
  static <T> T checked(Supplier<T> made) {
    try {
      return made.get();
    } catch (IllegalArgumentException | DateTimeException | ArithmeticException e) {
      throw new WireFormatException(e.getMessage());
    }
  }

  /** One of a list, by its number there. */
  static <E> E readOne(List<E> of, WireReader in) {
    int number = in.readByte();
    if (number >= of.size()) {
      throw new WireFormatException("number " + number + " is none of " + of);
    }
    return of.get(number);
  }

  static int readInt(WireReader in, int min, int max) {
    long value = in.readVarLong();
    if (value < min || value > max) {
      throw new WireFormatException(value + " where " + min + " to " + max + " should be");
    }
    return (int) value;
  }

  static void writeText(@Nullable String text, WireWriter out) {
    out.writeBoolean(text != null);
    if (text != null) {
      out.writeString(text);
    }
  }

  static @Nullable String readText(WireReader in, int limit) {
    return in.readBoolean() ? in.readString(limit) : null;
  }

  static void writeLabels(Map<String, String> labels, WireWriter out) {
    out.writeVarLong(labels.size());
    labels.forEach((name, value) -> out.writeString(name).writeString(value));
  }

  static SortedMap<String, String> readLabels(WireReader in) {
    int count = readInt(in, 0, MAP_MAX);
    SortedMap<String, String> labels = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      labels.put(in.readString(TEXT_BYTES), in.readString(TEXT_BYTES));
    }
    return Collections.unmodifiableSortedMap(labels);
  }

  static void writeSkills(Map<String, Skill> skills, WireWriter out) {
    out.writeVarLong(skills.size());
    skills.forEach(
        (pattern, skill) ->
            out.writeString(pattern)
                .writeVarLong(skill.concurrency())
                .writeVarLong(skill.timeoutMillis()));
  }

  static SortedMap<String, Skill> readSkills(WireReader in) {
    int count = readInt(in, 0, Limits.TASK_HANDLERS);
    SortedMap<String, Skill> skills = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String pattern = in.readString(TEXT_BYTES);
      checked(() -> Pattern.checked(pattern));
      skills.put(pattern, new Skill(readInt(in, 0, Integer.MAX_VALUE), in.readVarLong()));
    }
    return skills;
  }

  static TypeLimits readLimits(WireReader in) {
    return new TypeLimits(
        readInt(in, 0, Limits.TASKS), readInt(in, 0, Limits.TASKS), readInt(in, 0, Limits.TASKS));
  }

  static void write(Terms terms, WireWriter out) {
    Retry retry = terms.retry();
    out.writeVarLong(retry.attempts());
    out.writeVarLong(retry.base().toMillis()).writeVarLong(retry.cap().toMillis());
    out.writeVarLong(retry.crashes());
    writeLabels(terms.labels(), out);
    out.writeByte(MODES.indexOf(terms.mode()));
    out.writeVarLong(terms.keepMillis()).writeVarLong(terms.agingMillis());
  }

  static Terms readTerms(WireReader in) {
    int attempts = readInt(in, 1, 1000);
    long base = in.readVarLong();
    long cap = in.readVarLong();
    int crashes = readInt(in, 1, 1000);
    Retry retry =
        checked(
            () -> new Retry(attempts, Duration.ofMillis(base), Duration.ofMillis(cap), crashes));
    return new Terms(
        retry,
        readLabels(in),
        readOne(MODES, in),
        in.readVarLong(),
        readInt(in, 1, Integer.MAX_VALUE));
  }

  static void write(Work work, WireWriter out) {
    out.writeString(work.type()).writeBytes(work.payload()).writeByte(work.priority());
    writeText(work.dedupeKey(), out);
    writeText(work.orderingKey(), out);
    out.writeVarLong(work.notBefore()).writeVarLong(work.deadline());
    write(work.terms(), out);
    writeText(work.schedule(), out);
  }

  static Work readWork(WireReader in) {
    return new Work(
        in.readString(TEXT_BYTES),
        in.readBytes(Limits.TASK_BYTES),
        (byte) readInt(in, 0, 9),
        readText(in, TEXT_BYTES),
        readText(in, TEXT_BYTES),
        in.readVarLong(),
        in.readVarLong(),
        readTerms(in),
        readText(in, TEXT_BYTES));
  }

  static void write(List<TaskStatus.Past> past, WireWriter out) {
    out.writeVarLong(past.size());
    for (TaskStatus.Past it : past) {
      out.writeVarLong(it.attempt()).writeString(it.node().value()).writeVarLong(it.token());
      out.writeVarLong(it.began().toEpochMilli()).writeVarLong(it.ended().toEpochMilli());
      out.writeString(it.error());
    }
  }

  static List<TaskStatus.Past> readPast(WireReader in) {
    int count = readInt(in, 0, TaskStatus.PAST);
    if (count == 0) {
      return List.of();
    }
    List<TaskStatus.Past> past = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      past.add(
          new TaskStatus.Past(
              readInt(in, 0, Integer.MAX_VALUE),
              in.readNode(),
              in.readVarLong(),
              instant(in.readVarLong()),
              instant(in.readVarLong()),
              in.readString(NOTE_BYTES * 4)));
    }
    return List.copyOf(past);
  }

  private static Instant instant(long millis) {
    return checked(() -> Instant.ofEpochMilli(millis));
  }

  static void write(Task task, WireWriter out) {
    out.writeVarLong(task.id());
    write(task.work(), out);
    out.writeVarLong(task.submitted()).writeByte(STATES.indexOf(task.state()));
    out.writeVarLong(task.since()).writeVarLong(task.order()).writeVarLong(task.due() + 1);
    out.writeVarLong(task.token()).writeVarLong(task.attempts());
    out.writeVarLong(task.failures()).writeVarLong(task.crashes());
    out.writeBytes(task.value());
    writeText(task.error(), out);
    write(task.past(), out);
  }

  static Task readTask(WireReader in) {
    return new Task(
        in.readVarLong(),
        readWork(in),
        in.readVarLong(),
        readOne(STATES, in),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong() - 1,
        in.readVarLong(),
        readInt(in, 0, Integer.MAX_VALUE),
        readInt(in, 0, Integer.MAX_VALUE),
        readInt(in, 0, Integer.MAX_VALUE),
        readValue(in),
        readText(in, NOTE_BYTES * 4),
        readPast(in));
  }

  private static byte[] readValue(WireReader in) {
    byte[] value = in.readBytes(Limits.TASK_BYTES);
    return value.length == 0 ? Task.NO_VALUE : value;
  }

  static void write(Attempt attempt, WireWriter out) {
    out.writeVarLong(attempt.token()).writeVarLong(attempt.task()).writeVarLong(attempt.attempt());
    out.writeVarLong(attempt.worker()).writeString(attempt.node().value());
    out.writeString(attempt.pattern()).writeBoolean(attempt.isSuspect());
    out.writeVarLong(attempt.readySince()).writeVarLong(attempt.began());
    out.writeVarLong(attempt.until());
  }

  static Attempt readAttempt(WireReader in) {
    return new Attempt(
        in.readVarLong(),
        in.readVarLong(),
        readInt(in, 1, Integer.MAX_VALUE),
        in.readVarLong(),
        in.readNode(),
        in.readString(TEXT_BYTES),
        in.readBoolean(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong());
  }

  static void write(Trigger trigger, WireWriter out) {
    if (trigger instanceof Trigger.Cron cron) {
      out.writeByte(1).writeString(cron.expression()).writeString(cron.zone());
    } else if (trigger instanceof Trigger.FixedRate rate) {
      out.writeByte(2).writeVarLong(rate.first().toEpochMilli());
      out.writeVarLong(rate.period().toMillis());
    } else if (trigger instanceof Trigger.FixedDelay delay) {
      out.writeByte(3).writeVarLong(delay.first().toEpochMilli());
      out.writeVarLong(delay.delay().toMillis());
    } else if (trigger instanceof Trigger.At at) {
      out.writeByte(4).writeVarLong(at.instant().toEpochMilli());
    }
  }

  static Trigger readTrigger(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Trigger.Cron(in.readString(TEXT_BYTES), in.readString(TEXT_BYTES));
      case 2 -> {
        Instant first = instant(in.readVarLong());
        long period = in.readVarLong();
        yield checked(() -> new Trigger.FixedRate(first, Duration.ofMillis(period)));
      }
      case 3 -> {
        Instant first = instant(in.readVarLong());
        long delay = in.readVarLong();
        yield checked(() -> new Trigger.FixedDelay(first, Duration.ofMillis(delay)));
      }
      case 4 -> new Trigger.At(instant(in.readVarLong()));
      default -> throw new WireFormatException("trigger of unknown kind " + kind);
    };
  }

  static void write(Plan plan, WireWriter out) {
    out.writeString(plan.name());
    write(plan.trigger(), out);
    write(plan.work(), out);
    out.writeByte(MISFIRES.indexOf(plan.misfire())).writeVarLong(plan.catchUp());
    out.writeByte(OVERLAPS.indexOf(plan.overlap())).writeVarLong(plan.jitter().toMillis());
    out.writeBoolean(plan.isPaused()).writeVarLong(plan.next()).writeVarLong(plan.due());
    out.writeVarLong(plan.last()).writeVarLong(plan.lastTask()).writeVarLong(plan.fired());
    out.writeVarLong(plan.missed()).writeVarLong(plan.skipped());
  }

  static Plan readPlan(WireReader in) {
    return new Plan(
        in.readString(TEXT_BYTES),
        readTrigger(in),
        readWork(in),
        readOne(MISFIRES, in),
        readInt(in, 1, 1000),
        readOne(OVERLAPS, in),
        Duration.ofMillis(in.readVarLong()),
        in.readBoolean(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong(),
        in.readVarLong());
  }

  static void write(Report report, WireWriter out) {
    if (report instanceof Report.Done done) {
      out.writeByte(1).writeVarLong(done.token()).writeBytes(done.value());
    } else if (report instanceof Report.Threw threw) {
      out.writeByte(2).writeVarLong(threw.token()).writeString(threw.error());
      out.writeBoolean(threw.isPermanent());
    } else if (report instanceof Report.GivenBack back) {
      out.writeByte(3).writeVarLong(back.token()).writeBoolean(back.hasBegun());
    } else if (report instanceof Report.Progress progress) {
      out.writeByte(4).writeVarLong(progress.token()).writeVarLong(progress.permille());
      out.writeString(progress.note());
    }
  }

  static Report readReport(WireReader in) {
    int kind = in.readByte();
    long token = in.readVarLong();
    return switch (kind) {
      case 1 -> new Report.Done(token, readValue(in));
      case 2 -> new Report.Threw(token, in.readString(NOTE_BYTES * 4), in.readBoolean());
      case 3 -> new Report.GivenBack(token, in.readBoolean());
      case 4 -> new Report.Progress(token, readInt(in, 0, 1000), in.readString(NOTE_BYTES * 4));
      default -> throw new WireFormatException("report of unknown kind " + kind);
    };
  }

  static void write(Firing firing, WireWriter out) {
    out.writeString(firing.name()).writeVarLong(firing.expected());
    out.writeVarLong(firing.instants().size());
    firing.instants().forEach(out::writeVarLong);
    out.writeVarLong(firing.missed()).writeVarLong(firing.next()).writeVarLong(firing.due());
  }

  static Firing readFiring(WireReader in) {
    String name = in.readString(TEXT_BYTES);
    long expected = in.readVarLong();
    int count = in.readCount();
    List<Long> instants = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      instants.add(in.readVarLong());
    }
    return new Firing(
        name, expected, instants, in.readVarLong(), in.readVarLong(), in.readVarLong());
  }
}
