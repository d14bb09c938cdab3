// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.task.TaskState;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import org.jspecify.annotations.Nullable;

/** What is answered from the present state: a byte of kind, the fields. */
sealed interface TaskQuestion {
  /** How a task stands. */
  record Outcome(long task) implements TaskQuestion {}

  /** All of one task. */
  record Show(long task) implements TaskQuestion {}

  /** Tasks after a number. */
  record Page(@Nullable TaskState state, @Nullable String type, long after, int limit)
      implements TaskQuestion {}

  /** Schedules after a name. */
  record Schedules(String after, int limit) implements TaskQuestion {}

  /** A schedule. */
  record OneSchedule(String name) implements TaskQuestion {}

  /** Schedules that are due. */
  record Due(long nowMillis, int limit) implements TaskQuestion {}

  /** What a type is limited to. */
  record LimitsOf(String type) implements TaskQuestion {}

  /** The whole. */
  record Whole() implements TaskQuestion {}

  /** The bytes of this question. */
  default byte[] encode() {
    WireWriter out = new WireWriter(64);
    if (this instanceof Outcome outcome) {
      out.writeByte(1).writeVarLong(outcome.task);
    } else if (this instanceof Show show) {
      out.writeByte(2).writeVarLong(show.task);
    } else if (this instanceof Page page) {
      out.writeByte(3).writeBoolean(page.state != null);
      if (page.state != null) {
        out.writeByte(Fields.STATES.indexOf(page.state));
      }
      Fields.writeText(page.type, out);
      out.writeVarLong(page.after).writeVarLong(page.limit);
    } else if (this instanceof Schedules schedules) {
      out.writeByte(4).writeString(schedules.after).writeVarLong(schedules.limit);
    } else if (this instanceof OneSchedule one) {
      out.writeByte(5).writeString(one.name);
    } else if (this instanceof Due due) {
      out.writeByte(6).writeVarLong(due.nowMillis).writeVarLong(due.limit);
    } else if (this instanceof LimitsOf limits) {
      out.writeByte(7).writeString(limits.type);
    } else if (this instanceof Whole) {
      out.writeByte(8);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a question.
   *
   * @throws WireFormatException if the bytes are none
   */
  static TaskQuestion decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    TaskQuestion question =
        switch (kind) {
          case 1 -> new Outcome(in.readVarLong());
          case 2 -> new Show(in.readVarLong());
          case 3 ->
              new Page(
                  in.readBoolean() ? Fields.readOne(Fields.STATES, in) : null,
                  Fields.readText(in, Fields.TEXT_BYTES),
                  in.readVarLong(),
                  readLimit(in));
          case 4 -> new Schedules(in.readString(Fields.TEXT_BYTES), readLimit(in));
          case 5 -> new OneSchedule(in.readString(Fields.TEXT_BYTES));
          case 6 -> new Due(in.readVarLong(), readLimit(in));
          case 7 -> new LimitsOf(in.readString(Fields.TEXT_BYTES));
          case 8 -> new Whole();
          default -> throw new WireFormatException("task question of unknown kind " + kind);
        };
    in.expectEnd();
    return question;
  }

  private static int readLimit(WireReader in) {
    return Fields.readInt(in, 1, Limits.PAGE_ENTRIES);
  }
}
