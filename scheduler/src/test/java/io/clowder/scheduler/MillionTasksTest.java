// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.consensus.Entry;
import io.clowder.api.task.TaskRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * As many tasks as there may be wait: what they take of the heap, and how soon a node that starts
 * has them from a snapshot. No part of the build; {@code -Dscheduler.million=true}.
 */
@EnabledIfSystemProperty(named = "scheduler.million", matches = "true")
class MillionTasksTest {
  private static final int TASKS = Limits.TASKS;
  private static final int BATCH = 1_000;

  private static long heap() {
    for (int i = 0; i < 4; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static TaskMachine full() {
    TaskMachine machine = new TaskMachine();
    for (int i = 0; i < TASKS / BATCH; i++) {
      List<Work> works = new ArrayList<>();
      for (int j = 0; j < BATCH; j++) {
        byte[] payload = ByteBuffer.allocate(8).putLong(i * (long) BATCH + j).array();
        works.add(Desk.work(TaskRequest.of("mail/send", payload)));
      }
      byte[] command = new TaskCommand.Submit(works, TASKS).encode();
      machine.apply(new Entry(Entry.Kind.COMMAND, i + 1L, Desk.BEGIN + i, 1, command));
    }
    return machine;
  }

  @Test
  void aMillionTasksWaitInLittleRoomAndAreSoonThereAgain() throws IOException {
    long before = heap();
    long began = System.nanoTime();
    TaskMachine machine = full();
    double applied = (System.nanoTime() - began) / 1e9;
    double bytes = (heap() - before) / (double) TASKS;
    assertEquals(TASKS, machine.board().pending());
    byte[] snapshot = TaskWorld.snapshot(machine);
    machine = new TaskMachine();
    before = heap();
    began = System.nanoTime();
    machine.restore(new ByteArrayInputStream(snapshot));
    double restored = (System.nanoTime() - began) / 1e9;
    double bytesAfter = (heap() - before) / (double) TASKS;
    assertEquals(TASKS, machine.board().pending());
    System.out.printf(
        "%,d tasks wait: %.0f B of heap each, %.0f B after a restart; applied in %.1f s, a snapshot"
            + " of %,d MB restored in %.1f s%n",
        TASKS, bytes, bytesAfter, applied, snapshot.length >> 20, restored);
    assertTrue(bytes <= 300 && bytesAfter <= 300, bytes + " and " + bytesAfter + " B");
    assertTrue(restored <= 10, restored + " s");
  }
}
