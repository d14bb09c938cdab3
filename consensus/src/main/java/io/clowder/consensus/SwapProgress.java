// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.Swap;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Brings the lines of a swap from the runtime's thread to the one that waits for its result: the
 * shell knows where to print by the thread that prints.
 */
final class SwapProgress implements Consumer<String> {
  /** What a group may take to say that its own deadline has passed. */
  private static final Duration MARGIN = Duration.ofSeconds(5);

  /** Lines; nothing after the last. */
  private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

  @Override
  public void accept(String line) {
    lines.add(Optional.of(line));
  }

  /**
   * Hands every line to {@code reader}, on this thread, until the swap is over.
   *
   * @param limit the deadline that the swap was given
   */
  Swap follow(CompletionStage<Swap> swap, Consumer<String> reader, Duration limit)
      throws Exception {
    Future<Swap> result =
        swap.whenComplete((done, failure) -> lines.add(Optional.empty())).toCompletableFuture();
    long end = System.nanoTime() + limit.plus(MARGIN).toNanos();
    Optional<String> line;
    do {
      line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (line == null) {
        throw new CoordinationException(
            Reason.TIMEOUT,
            Outcome.MAY_HAVE_HAPPENED,
            "the group does not say what became of it; see: clowder:status");
      }
      line.ifPresent(reader);
    } while (line.isPresent());
    try {
      return result.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CoordinationException failure) {
        throw failure;
      }
      throw e;
    }
  }
}
