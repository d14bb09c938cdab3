// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskHandler;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Component;

/** Runs what {@link TaskLoad} submits, on every node: tasks that only say when they began. */
@Component(property = TaskHandler.TYPE + "=" + TaskLoad.TYPE)
public final class EmptyTasks implements TaskHandler {
  /** The component. */
  public EmptyTasks() {}

  @Override
  public byte[] execute(TaskContext context) {
    return ByteBuffer.allocate(Long.BYTES).putLong(now()).array();
  }

  /** When a task began, from its result. */
  static long began(byte[] result) {
    return ByteBuffer.wrap(result).getLong();
  }

  /** The time in nanoseconds since 1970: of all clocks the one that nodes have in common. */
  static long now() {
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }
}
