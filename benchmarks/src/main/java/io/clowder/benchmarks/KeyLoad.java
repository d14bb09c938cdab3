// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes, or linearizable reads, of the same keys in turn. Keys have the same names in every run,
 * so that runs which were killed leave no more behind than one.
 */
final class KeyLoad implements Load {
  private static final long FILL_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int FILL_OUTSTANDING = 32;

  private final Keyspace space;
  private final boolean reads;
  private final String[] keys;
  private final byte[] value;

  /**
   * A load of {@code keys} keys.
   *
   * @param size bytes of a value
   */
  KeyLoad(Keyspace space, boolean reads, int keys, int size) {
    this.space = space;
    this.reads = reads;
    this.keys = new String[keys];
    Arrays.setAll(this.keys, i -> String.format("%s%06d", PREFIX, i));
    this.value = new byte[size];
    new SplittableRandom(size).nextBytes(value);
  }

  @Override
  public void requireService() {
    space.requireService();
  }

  @Override
  public CompletionStage<?> start(long index, int slot) {
    String key = key(index);
    return reads ? space.get(key) : space.put(key, value);
  }

  @Override
  public @Nullable Throwable fault(@Nullable Object result) {
    return reads && result == null
        ? CoordinationException.refused(
            Reason.CONFLICT, "a key was removed while it was read: does another bench run?")
        : null;
  }

  @Override
  public void prepare(ScheduledExecutorService executor) throws InterruptedException {
    if (reads) {
      ClosedLoop.Operation fill = (index, slot) -> space.put(key(index), value);
      each(fill, FILL_NANOS, "writing the keys that will be read", executor);
    }
  }

  @Override
  public void cleanUp(ScheduledExecutorService executor) throws InterruptedException {
    ClosedLoop.Operation delete = (index, slot) -> space.delete(key(index));
    each(delete, CLEAN_UP_NANOS, "removing the keys under " + PREFIX, executor);
  }

  private void each(
      ClosedLoop.Operation operation, long nanos, String what, ScheduledExecutorService executor)
      throws InterruptedException {
    ClosedLoop.Plan plan = new ClosedLoop.Plan(FILL_OUTSTANDING, keys.length, 0, nanos, 0);
    ClosedLoop.Result result = ClosedLoop.run(operation, plan, executor);
    if (result.operations() < keys.length) {
      throw new CoordinationException(
          Reason.TIMEOUT,
          Outcome.MAY_HAVE_HAPPENED,
          what
              + " came to "
              + result.operations()
              + " of "
              + keys.length
              + ": "
              + result.because());
    }
  }

  private String key(long index) {
    return keys[(int) (index % keys.length)];
  }
}
