// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Fence;
import io.clowder.api.wire.Utf8;
import io.clowder.kv.KvRequest.CompareAndSet;
import io.clowder.kv.KvRequest.Delete;
import io.clowder.kv.KvRequest.Fenced;
import io.clowder.kv.KvRequest.Get;
import io.clowder.kv.KvRequest.Page;
import io.clowder.kv.KvRequest.Put;
import io.clowder.kv.KvRequest.Write;
import io.clowder.kv.KvResult.Changed;
import io.clowder.kv.KvResult.Conflict;
import io.clowder.kv.KvResult.Entries;
import io.clowder.kv.KvResult.Removed;
import io.clowder.kv.KvResult.Row;
import io.clowder.kv.KvResult.Stale;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The map as others see it: checks, asks the group, and says what came of it. */
public final class ReplicatedKv implements KvStore {
  static final String PID = "io.clowder.kv";
  static final int TIMEOUT_MILLIS_MAX = 600_000;

  private final ConsensusService consensus;
  private final Duration timeout;

  /**
   * A map on any consensus service whose machine is a {@link KvMachine}.
   *
   * @param timeout of every call, 1 ms to 10 minutes
   */
  public ReplicatedKv(ConsensusService consensus, Duration timeout) {
    this.consensus = consensus;
    this.timeout = checked(timeout);
  }

  static Duration checked(Duration timeout) {
    if (timeout.toMillis() < 1 || timeout.toMillis() > TIMEOUT_MILLIS_MAX) {
      throw new IllegalArgumentException(
          "%s: timeout.millis is %d: use 1 to %d"
              .formatted(PID, timeout.toMillis(), TIMEOUT_MILLIS_MAX));
    }
    return timeout;
  }

  @Override
  public CompletionStage<@Nullable KvEntry> get(String key, ReadConsistency consistency) {
    return query(
        () -> new Get(key(key)),
        consistency,
        rows -> rows.isEmpty() ? null : rows.get(0).toEntry());
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value) {
    return submit(() -> putting(key, value), result -> version(key, 0, result));
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value, Fence fence) {
    return submit(fence, () -> putting(key, value), result -> version(key, 0, result));
  }

  @Override
  public CompletionStage<Boolean> delete(String key) {
    return submit(() -> new Delete(key(key)), ReplicatedKv::existed);
  }

  @Override
  public CompletionStage<Boolean> delete(String key, Fence fence) {
    return submit(fence, () -> new Delete(key(key)), ReplicatedKv::existed);
  }

  @Override
  public CompletionStage<Long> compareAndSet(String key, long expected, byte[] value) {
    return submit(() -> comparing(key, expected, value), result -> version(key, expected, result));
  }

  @Override
  public CompletionStage<Long> compareAndSet(String key, long expected, byte[] value, Fence fence) {
    return submit(
        fence, () -> comparing(key, expected, value), result -> version(key, expected, result));
  }

  private static Put putting(String key, byte[] value) {
    return new Put(key(key), checked(value));
  }

  private static CompareAndSet comparing(String key, long expected, byte[] value) {
    if (expected < 0) {
      throw refused(Reason.INVALID, "expected version " + expected + ": use 0 or more");
    }
    return new CompareAndSet(key(key), expected, checked(value));
  }

  @Override
  public CompletionStage<List<KvEntry>> list(
      String prefix, @Nullable String after, int limit, ReadConsistency consistency) {
    return query(
        () -> {
          if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
            throw refused(
                Reason.INVALID, "a list of " + limit + ": use 1 to " + Limits.PAGE_ENTRIES);
          }
          return new Page(utf8("prefix", prefix), after == null ? null : utf8("key", after), limit);
        },
        consistency,
        rows -> rows.stream().map(Row::toEntry).toList());
  }

  private <T> CompletionStage<T> submit(
      Fence fence, Supplier<Write> write, Function<KvResult, T> answer) {
    return submit(
        () -> new Fenced(name("resource", fence.resource()), token(fence), write.get()),
        result -> {
          if (result instanceof Stale stale) {
            throw refused(
                Reason.CONFLICT,
                "token %d is stale: resource %s has seen %d"
                    .formatted(fence.token(), fence.resource(), stale.seen()));
          }
          return answer.apply(result);
        });
  }

  /** Failures of {@code request} itself are those of the stage: callers look in one place. */
  private <T> CompletionStage<T> submit(
      Supplier<KvRequest.Change> request, Function<KvResult, T> answer) {
    byte[] command;
    try {
      command = request.get().encode();
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
    return consensus
        .submit(command, timeout)
        .thenApply(committed -> answer.apply(KvResult.decode(committed.result())));
  }

  private <T extends @Nullable Object> CompletionStage<T> query(
      Supplier<KvRequest.Question> request,
      ReadConsistency consistency,
      Function<List<Row>, T> answer) {
    byte[] query;
    try {
      query = request.get().encode();
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
    return consensus
        .query(query, consistency, timeout)
        .thenApply(
            bytes -> {
              if (KvResult.decode(bytes) instanceof Entries entries) {
                return answer.apply(entries.rows());
              }
              throw new AssertionError("a question answered by something else than entries");
            });
  }

  private static long version(String key, long expected, KvResult result) {
    if (result instanceof Changed changed) {
      return changed.version();
    } else if (result instanceof Conflict conflict) {
      String found = conflict.found() == 0 ? " is absent" : " has version " + conflict.found();
      String wanted = expected == 0 ? ", and should be absent" : ", not " + expected;
      throw refused(Reason.CONFLICT, key + found + wanted);
    }
    throw new AssertionError("change answered by " + result);
  }

  private static boolean existed(KvResult result) {
    if (result instanceof Removed removed) {
      return removed.existed();
    }
    throw new AssertionError("delete answered by " + result);
  }

  private static long token(Fence fence) {
    if (fence.token() < 1) {
      throw refused(Reason.INVALID, "token " + fence.token() + ": use 1 or more");
    }
    return fence.token();
  }

  private static byte[] key(String key) {
    return name("key", key);
  }

  private static byte[] name(String what, String name) {
    if (name.isEmpty()) {
      throw refused(Reason.INVALID, "the " + what + " is empty");
    }
    return utf8(what, name);
  }

  private static byte[] utf8(String what, String text) {
    byte[] bytes;
    try {
      bytes = Utf8.encode(text);
    } catch (CharacterCodingException e) {
      throw new CoordinationException(
          Reason.INVALID,
          CoordinationException.Outcome.DID_NOT_HAPPEN,
          "the " + what + " is not Unicode: it holds half of a surrogate pair",
          e);
    }
    return within(what, bytes, Limits.KEY_BYTES);
  }

  private static byte[] checked(byte[] value) {
    return within("value", value, Limits.VALUE_BYTES);
  }

  private static byte[] within(String what, byte[] bytes, int limit) {
    if (bytes.length > limit) {
      throw refused(
          Reason.TOO_LARGE, "the %s has %d bytes: at most %d".formatted(what, bytes.length, limit));
    }
    return bytes;
  }
}
