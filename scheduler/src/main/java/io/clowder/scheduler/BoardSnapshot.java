// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The board as a file: a byte of format; then records of four bytes of length and that many of
 * content: what is counted; drained nodes; types that have settings; workers with what they were
 * given; tasks by number; schedules by name; each but the first with eight bytes of count before.
 * Nothing at all stands for the board of the beginning. Tasks and schedules do not change, so all
 * that has to be done at once is to note which ones there are.
 */
final class BoardSnapshot implements StateMachine.Snapshot {
  private static final int FORMAT = 1;
  private static final int FLUSH_BYTES = 64 << 10;
  private static final int RECORD_BYTES_MAX = 64 << 20;

  private final Board.Counters counters;
  private final List<byte[]> drained = new ArrayList<>();
  private final List<byte[]> types = new ArrayList<>();
  private final List<byte[]> workers = new ArrayList<>();
  private final Task[] tasks;
  private final Plan[] plans;

  BoardSnapshot(Board board) {
    counters = board.counters();
    WireWriter record = new WireWriter(256);
    board.floor().drained().forEach(node -> drained.add(taken(record.writeString(node.value()))));
    for (Type type : board.floor().types().values()) {
      if (type.isPaused || !type.limits().equals(TypeLimits.NONE)) {
        record.writeString(type.name).writeBoolean(type.isPaused);
        record.writeVarLong(type.limits().concurrency()).writeVarLong(type.limits().perSecond());
        record.writeVarLong(type.limits().queue()).writeVarLong(type.nextNanos);
        types.add(taken(record));
      }
    }
    for (Worker worker : board.floor().workers().values()) {
      write(worker, record);
      workers.add(taken(record));
    }
    tasks = board.tasks().values().toArray(new Task[0]);
    plans = board.plans().all().values().toArray(new Plan[0]);
  }

  private static byte[] taken(WireWriter record) {
    byte[] bytes = record.toByteArray();
    record.reset();
    return bytes;
  }

  private static void write(Worker worker, WireWriter record) {
    record.writeVarLong(worker.number).writeString(worker.node.value()).writeLong(worker.client);
    record.writeVarLong(worker.session).writeVarLong(worker.announced());
    record.writeVarLong(worker.slots());
    Fields.writeSkills(worker.skills(), record);
    Fields.writeLabels(worker.labels(), record);
    record.writeVarLong(worker.done).writeVarLong(worker.failed).writeVarLong(worker.failing);
    record.writeVarLong(worker.lastGiven).writeVarLong(worker.given().size());
    for (Attempt attempt : worker.given().values()) {
      Fields.write(attempt, record);
      Report.Progress progress = worker.progress(attempt.token());
      record.writeBoolean(progress != null);
      if (progress != null) {
        Fields.write(progress, record);
      }
    }
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    WireWriter chunk = new WireWriter(FLUSH_BYTES * 2);
    WireWriter record = new WireWriter(256);
    chunk.writeByte(FORMAT);
    record.writeLong(counters.now()).writeLong(counters.lastTask()).writeLong(counters.lastToken());
    record.writeLong(counters.lastOrder()).writeLong(counters.lastWorker());
    record.writeLong(counters.succeeded()).writeLong(counters.failed());
    append(record, chunk, out);
    for (List<byte[]> list : List.of(drained, types, workers)) {
      chunk.writeLong(list.size());
      for (byte[] bytes : list) {
        append(record.writeRaw(bytes, 0, bytes.length), chunk, out);
      }
    }
    chunk.writeLong(tasks.length);
    for (Task task : tasks) {
      Fields.write(task, record);
      append(record, chunk, out);
    }
    chunk.writeLong(plans.length);
    for (Plan plan : plans) {
      Fields.write(plan, record);
      append(record, chunk, out);
    }
    out.write(chunk.array(), 0, chunk.size());
  }

  private static void append(WireWriter record, WireWriter chunk, OutputStream out)
      throws IOException {
    chunk.writeInt(record.size()).writeRaw(record.array(), 0, record.size());
    record.reset();
    if (chunk.size() >= FLUSH_BYTES) {
      out.write(chunk.array(), 0, chunk.size());
      chunk.reset();
    }
  }

  /** Reads what {@link #writeTo} wrote, and refuses anything else with an {@link IOException}. */
  static Board read(InputStream stream, Events events) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    Board board = new Board(events);
    int format = in.read();
    if (format < 0) {
      return board;
    }
    if (format != FORMAT) {
      throw new IOException("task snapshot of format " + format + ", which is not known here");
    }
    try {
      WireReader counters = readRecord(in);
      board.restore(
          new Board.Counters(
              counters.readLong(),
              counters.readLong(),
              counters.readLong(),
              counters.readLong(),
              counters.readLong(),
              counters.readLong(),
              counters.readLong()));
      counters.expectEnd();
      readAll(in, board, (record, to) -> to.drain(record.readNode(), true));
      readAll(in, board, BoardSnapshot::readType);
      readAll(in, board, BoardSnapshot::readWorker);
      readAll(in, board, (record, to) -> to.restore(Fields.readTask(record)));
      readAll(in, board, (record, to) -> to.plans().set(Fields.readPlan(record)));
      board.restored();
    } catch (EOFException e) {
      throw new IOException("task snapshot is corrupt: cut short", e);
    } catch (WireFormatException e) {
      throw new IOException("task snapshot is corrupt: " + e.getMessage(), e);
    }
    if (in.read() >= 0) {
      throw new IOException("task snapshot is corrupt: it goes on after its end");
    }
    return board;
  }

  private static void readAll(
      DataInputStream in, Board board, BiConsumer<WireReader, Board> element) throws IOException {
    for (long left = in.readLong(); left != 0; left--) {
      WireReader record = readRecord(in);
      element.accept(record, board);
      record.expectEnd();
    }
  }

  private static void readType(WireReader record, Board board) {
    Type type = board.floor().enter(record.readString(Fields.TEXT_BYTES));
    if (type == null) {
      throw new WireFormatException("too many types");
    }
    type.isPaused = record.readBoolean();
    type.limit(Fields.readLimits(record));
    type.nextNanos = record.readVarLong();
  }

  private static void readWorker(WireReader record, Board board) {
    Worker worker =
        new Worker(
            record.readVarLong(), record.readNode(), record.readLong(), record.readVarLong());
    worker.announce(
        record.readVarLong(),
        Fields.readInt(record, 0, Limits.TASKS),
        Fields.readSkills(record),
        Fields.readLabels(record));
    worker.done = record.readVarLong();
    worker.failed = record.readVarLong();
    worker.failing = Fields.readInt(record, 0, Worker.FAILING_MAX);
    worker.lastGiven = record.readVarLong();
    int count = record.readCount();
    for (int i = 0; i < count; i++) {
      worker.give(Fields.readAttempt(record));
      if (record.readBoolean() && Fields.readReport(record) instanceof Report.Progress progress) {
        worker.says(progress);
      }
    }
    board.floor().add(worker);
  }

  private static WireReader readRecord(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > RECORD_BYTES_MAX) {
      throw new WireFormatException("a record of " + length + " bytes");
    }
    byte[] record = in.readNBytes(length);
    if (record.length < length) {
      throw new EOFException();
    }
    return new WireReader(record);
  }
}
