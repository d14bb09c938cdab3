// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskFailure;
import io.clowder.api.task.TaskHandler;
import java.util.Locale;
import org.osgi.service.component.annotations.Component;

/**
 * Tasks to try a cluster with, on every node: {@code try/echo} returns its payload, {@code
 * try/sleep} takes as many milliseconds as its payload says, {@code try/fail} fails.
 */
@Component(property = TaskHandler.TYPE + "=try/*")
public final class TrialTasks implements TaskHandler {
  private static final int SLEEP_MAX = 3_600_000;
  private static final int STEP = 250;

  /** The component. */
  public TrialTasks() {}

  @Override
  public byte[] execute(TaskContext context) throws Exception {
    String payload = new String(context.payload(), UTF_8);
    return switch (context.type()) {
      case "try/echo" -> context.payload();
      case "try/sleep" -> sleep(context, payload);
      case "try/fail" -> throw new IllegalStateException(payload.isEmpty() ? "asked to" : payload);
      default -> throw new TaskFailure("there are try/echo, try/sleep and try/fail");
    };
  }

  private static byte[] sleep(TaskContext context, String payload)
      throws TaskFailure, InterruptedException {
    int millis = payload.matches("\\d{1,7}") ? Integer.parseInt(payload) : -1;
    if (millis < 0 || millis > SLEEP_MAX) {
      throw new TaskFailure("payload '" + payload + "': use 0 to " + SLEEP_MAX + " milliseconds");
    }
    for (int slept = 0; slept < millis; slept += STEP) {
      Thread.sleep(Math.min(STEP, millis - slept));
      context.progress(
          Math.min(1, (slept + STEP) / (double) millis),
          String.format(Locale.ROOT, "%,d of %,d ms", Math.min(slept + STEP, millis), millis));
    }
    return new byte[0];
  }
}
