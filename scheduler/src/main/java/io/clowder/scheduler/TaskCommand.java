// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Function;

/** What goes through the log: a byte of kind, a byte of version, the fields. */
sealed interface TaskCommand {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** Tasks of one node that came together, and how many there may be that are not over. */
  record Submit(List<Work> works, int queueMax) implements TaskCommand {}

  /**
   * What a node runs.
   *
   * @param client drawn at each start of its scheduler
   * @param count how many there were since then, with this: one that comes late is not taken
   */
  record Announce(
      long client,
      long count,
      NodeId node,
      int slots,
      SortedMap<String, Skill> skills,
      SortedMap<String, String> labels)
      implements TaskCommand {}

  /** What became of attempts. */
  record Reports(long worker, List<Report> reports) implements TaskCommand {}

  /** A worker stops. */
  record Leave(long worker) implements TaskCommand {}

  /** A worker is taken for dead. */
  record Evict(long worker) implements TaskCommand {}

  /** Nothing but time: what is due happens. */
  record Tick() implements TaskCommand {}

  /** Calls a task off. */
  record Cancel(long task) implements TaskCommand {}

  /** Has a task tried anew. */
  record Retry(long task) implements TaskCommand {}

  /** Forgets a task that is over. */
  record Forget(long task) implements TaskCommand {}

  /** Gives a node no more tasks, or again. */
  record Drain(NodeId node, boolean isDrained) implements TaskCommand {}

  /** Has no task of a type begin, or again. */
  record Pause(String type, boolean isPaused) implements TaskCommand {}

  /** Limits a type. */
  record Limit(String type, TypeLimits limits) implements TaskCommand {}

  /** Makes or changes a schedule. */
  record Arrange(Plan plan) implements TaskCommand {}

  /** Ends a schedule. */
  record Disband(String schedule) implements TaskCommand {}

  /** Pauses a schedule, or has it go on with this instant. */
  record PausePlan(String schedule, boolean isPaused, long next, long due) implements TaskCommand {}

  /** Instants of schedules that have come. */
  record Fire(List<Firing> firings, int queueMax) implements TaskCommand {}

  /** Has a schedule make a task besides its instants. */
  record FireNow(String schedule, int queueMax) implements TaskCommand {}

  /** The bytes of this command. */
  default byte[] encode() {
    WireWriter out = new WireWriter(128);
    if (this instanceof Submit submit) {
      begin(1, out).writeVarLong(submit.queueMax).writeVarLong(submit.works.size());
      submit.works.forEach(work -> Fields.write(work, out));
    } else if (this instanceof Announce announce) {
      begin(2, out).writeLong(announce.client).writeVarLong(announce.count);
      out.writeString(announce.node.value()).writeVarLong(announce.slots);
      Fields.writeSkills(announce.skills, out);
      Fields.writeLabels(announce.labels, out);
    } else if (this instanceof Reports reports) {
      begin(3, out).writeVarLong(reports.worker).writeVarLong(reports.reports.size());
      reports.reports.forEach(report -> Fields.write(report, out));
    } else if (this instanceof Leave leave) {
      begin(4, out).writeVarLong(leave.worker);
    } else if (this instanceof Evict evict) {
      begin(5, out).writeVarLong(evict.worker);
    } else if (this instanceof Tick) {
      begin(6, out);
    } else if (this instanceof Cancel cancel) {
      begin(7, out).writeVarLong(cancel.task);
    } else if (this instanceof Retry retry) {
      begin(8, out).writeVarLong(retry.task);
    } else if (this instanceof Forget forget) {
      begin(9, out).writeVarLong(forget.task);
    } else if (this instanceof Drain drain) {
      begin(10, out).writeString(drain.node.value()).writeBoolean(drain.isDrained);
    } else if (this instanceof Pause pause) {
      begin(11, out).writeString(pause.type).writeBoolean(pause.isPaused);
    } else if (this instanceof Limit limit) {
      begin(12, out).writeString(limit.type).writeVarLong(limit.limits.concurrency());
      out.writeVarLong(limit.limits.perSecond()).writeVarLong(limit.limits.queue());
    } else if (this instanceof Arrange arrange) {
      Fields.write(arrange.plan, begin(13, out));
    } else if (this instanceof Disband disband) {
      begin(14, out).writeString(disband.schedule);
    } else if (this instanceof PausePlan pause) {
      begin(15, out).writeString(pause.schedule).writeBoolean(pause.isPaused);
      out.writeVarLong(pause.next).writeVarLong(pause.due);
    } else if (this instanceof Fire fire) {
      begin(16, out).writeVarLong(fire.queueMax).writeVarLong(fire.firings.size());
      fire.firings.forEach(firing -> Fields.write(firing, out));
    } else if (this instanceof FireNow fire) {
      begin(17, out).writeString(fire.schedule).writeVarLong(fire.queueMax);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  private static WireWriter begin(int kind, WireWriter out) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  /**
   * Reads a command.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static TaskCommand decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("task command of kind " + kind + " in version " + version);
    }
    TaskCommand command =
        switch (kind) {
          case 1 -> {
            int queueMax = readMax(in);
            yield new Submit(readList(in, Fields::readWork), queueMax);
          }
          case 2 ->
              new Announce(
                  in.readLong(),
                  in.readVarLong(),
                  in.readNode(),
                  Fields.readInt(in, 0, Limits.TASKS),
                  Fields.readSkills(in),
                  Fields.readLabels(in));
          case 3 -> new Reports(in.readVarLong(), readList(in, Fields::readReport));
          case 4 -> new Leave(in.readVarLong());
          case 5 -> new Evict(in.readVarLong());
          case 6 -> new Tick();
          case 7 -> new Cancel(in.readVarLong());
          case 8 -> new Retry(in.readVarLong());
          case 9 -> new Forget(in.readVarLong());
          case 10 -> new Drain(in.readNode(), in.readBoolean());
          case 11 -> new Pause(readName(in), in.readBoolean());
          case 12 -> new Limit(readName(in), Fields.readLimits(in));
          case 13 -> new Arrange(Fields.readPlan(in));
          case 14 -> new Disband(readName(in));
          case 15 ->
              new PausePlan(readName(in), in.readBoolean(), in.readVarLong(), in.readVarLong());
          case 16 -> {
            int queueMax = readMax(in);
            yield new Fire(readList(in, Fields::readFiring), queueMax);
          }
          case 17 -> new FireNow(readName(in), readMax(in));
          default -> throw new WireFormatException("task command of unknown kind " + kind);
        };
    in.expectEnd();
    return command;
  }

  private static String readName(WireReader in) {
    return in.readString(Fields.TEXT_BYTES);
  }

  private static int readMax(WireReader in) {
    return Fields.readInt(in, 0, Limits.TASKS);
  }

  private static <T> List<T> readList(WireReader in, Function<WireReader, T> element) {
    int count = in.readCount();
    List<T> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(element.apply(in));
    }
    return list;
  }
}
