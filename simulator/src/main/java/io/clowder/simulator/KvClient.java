// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.simulator.Operation.Kind;
import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Asks the map one thing after the other, and writes down what it asked and was told. Lives and
 * dies with one incarnation of a node.
 */
final class KvClient {
  private final int number;
  private final KvStore kv;
  private final SimulatedProcess process;
  private final Workload workload;
  private final RandomGenerator random;
  private final SortedMap<String, Long> versions = new TreeMap<>();

  /** What the clients of a cluster have in common. */
  static final class Workload {
    final History history = new History();
    final Judge judge;
    final int keys;
    final long thinkNanos;
    private long values;
    private int clients;
    private boolean over;

    Workload(Judge judge, int keys, long thinkNanos) {
      this.judge = judge;
      this.keys = keys;
      this.thinkNanos = thinkNanos;
    }

    /** Clients ask nothing more by themselves. */
    void end() {
      over = true;
    }
  }

  KvClient(KvStore kv, SimulatedProcess process, Workload workload) {
    this.number = ++workload.clients;
    this.kv = kv;
    this.process = process;
    this.workload = workload;
    this.random = process.world().random("client " + number);
  }

  /** Asks, and asks again after a while. */
  void begin() {
    long wait = (long) (-Math.log(1 - random.nextDouble()) * workload.thinkNanos);
    process.after(
        wait,
        "ask",
        () -> {
          if (!workload.over) {
            ask(this::begin);
          }
        });
  }

  private void ask(Runnable then) {
    String key = "k" + random.nextInt(workload.keys);
    int dice = random.nextInt(20);
    if (dice < 8) {
      get(key, then);
    } else if (dice < 14) {
      long value = ++workload.values;
      int asked = workload.history.begin(number, key, Kind.PUT, value, 0);
      follow(kv.put(key, bytes(value)), asked, then, version -> told(asked, key, value, version));
    } else if (dice < 16) {
      int asked = workload.history.begin(number, key, Kind.DELETE, 0, 0);
      follow(
          kv.delete(key), asked, then, existed -> workload.history.done(asked, existed ? 1 : 0, 0));
    } else {
      long value = ++workload.values;
      long expected = versions.getOrDefault(key, 0L);
      int asked = workload.history.begin(number, key, Kind.CAS, value, expected);
      follow(
          kv.compareAndSet(key, expected, bytes(value)),
          asked,
          then,
          version -> told(asked, key, value, version));
    }
  }

  /** Reads a key, then does {@code then}, whatever came of it. */
  void get(String key, Runnable then) {
    get(key, () -> {}, then);
  }

  /** Reads a key; does {@code done} if it was told the value, and then {@code then}. */
  void get(String key, Runnable done, Runnable then) {
    int asked = workload.history.begin(number, key, Kind.GET, 0, 0);
    follow(
        kv.get(key, ReadConsistency.LINEARIZABLE),
        asked,
        then,
        entry -> {
          told(asked, key, value(entry), entry == null ? 0 : entry.version());
          done.run();
        });
  }

  private void told(int asked, String key, long value, long version) {
    versions.put(key, version);
    workload.history.done(asked, value, version);
  }

  private <T extends @Nullable Object> void follow(
      CompletionStage<T> stage, int asked, Runnable then, Consumer<T> done) {
    int incarnation = process.incarnation();
    var unused =
        stage.whenComplete(
            (result, failure) -> {
              // A stage swallows what its callbacks throw; and the dead tell nothing.
              if (process.incarnation() != incarnation || !process.isUp()) {
                return;
              }
              try {
                if (failure == null) {
                  done.accept(result);
                } else {
                  failed(asked, failure);
                }
              } catch (RuntimeException | AssertionError e) {
                workload.judge.fail(e);
              }
              then.run();
            });
  }

  private void failed(int asked, Throwable failure) {
    var cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (!(cause instanceof CoordinationException refusal)
        || refusal.reason() == Reason.STATE_MACHINE_FAILED) {
      workload.judge.fail(cause);
    } else if (workload.judge.isCalm() && refusal.reason() != Reason.CONFLICT) {
      workload.judge.fail(
          new AssertionError("refused, though nothing was wrong: " + refusal, refusal));
    } else if (refusal.outcome() == Outcome.MAY_HAVE_HAPPENED) {
      process.world().sighted("unknown outcome");
    } else if (refusal.reason() == Reason.CONFLICT) {
      workload.history.conflict(asked);
    } else {
      process.world().sighted("refused: " + refusal.reason());
      workload.history.didNotHappen(asked);
    }
  }

  /** Eight bytes that say the value, and now and then a kilobyte of nothing. */
  private byte[] bytes(long value) {
    return ByteBuffer.allocate(random.nextInt(10) == 0 ? 1_000 : 8).putLong(value).array();
  }

  private static long value(@Nullable KvEntry entry) {
    return entry == null ? 0 : ByteBuffer.wrap(entry.value()).getLong();
  }
}
