// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.Watch;
import io.clowder.api.store.WriteOptions;
import io.clowder.api.wire.Utf8;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A store as its users see it: checks, has the clerk ask, and says what came of it. */
final class OpenStore implements ReplicatedStore {
  private final String name;
  private final Clerk clerk;
  private final Watches watches;
  private final Supplier<StoreStatus> status;
  private final Duration timeout;
  private final long client = new SecureRandom().nextLong() | 1;
  private final AtomicLong requests = new AtomicLong();

  OpenStore(
      String name, Clerk clerk, Watches watches, Supplier<StoreStatus> status, Duration timeout) {
    this.name = name;
    this.clerk = clerk;
    this.watches = watches;
    this.status = status;
    this.timeout = timeout;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value, WriteOptions options) {
    return write(() -> List.of(new Step.Put(key, value)), options, Answer.Changed::version);
  }

  @Override
  public CompletionStage<Boolean> delete(String key, WriteOptions options) {
    return write(() -> List.of(new Step.Delete(key)), options, Answer.Changed::existed);
  }

  @Override
  public CompletionStage<Long> compareAndSet(
      String key, long expected, byte[] value, WriteOptions options) {
    return write(
        () -> List.of(new Step.CompareAndSet(key, expected, value)),
        options,
        Answer.Changed::version);
  }

  @Override
  public CompletionStage<Long> apply(List<Step> steps, WriteOptions options) {
    return write(
        () -> {
          if (steps.isEmpty() || steps.size() > Step.BATCH_MAX) {
            throw refused(
                Reason.INVALID,
                "a batch of %d steps: use 1 to %d".formatted(steps.size(), Step.BATCH_MAX));
          }
          return steps;
        },
        options,
        Answer.Changed::version);
  }

  @Override
  public CompletionStage<@Nullable KvEntry> get(String key, Freshness freshness) {
    return read(
        () -> new Query.Get(name("key", key)),
        freshness,
        rows -> rows.isEmpty() ? null : rows.get(0));
  }

  @Override
  public CompletionStage<List<KvEntry>> scan(
      String prefix, @Nullable String after, int limit, Freshness freshness) {
    return read(
        () -> {
          if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
            throw refused(
                Reason.INVALID, "a scan of " + limit + ": use 1 to " + Limits.PAGE_ENTRIES);
          }
          return new Query.Scan(
              text("prefix", prefix), after == null ? null : text("key", after), limit);
        },
        freshness,
        rows -> rows);
  }

  @Override
  public Watch watch(String prefix, long from, ChangeListener listener) {
    if (from < 0) {
      throw refused(Reason.INVALID, "watch from " + from + ": use 0 or more");
    }
    return watches.begin(text("prefix", prefix), from, listener);
  }

  @Override
  public StoreStatus status() {
    return status.get();
  }

  /** Failures of the request itself are those of the stage: callers look in one place. */
  private <T> CompletionStage<T> write(
      Supplier<List<Step>> wanted, WriteOptions options, Function<Answer.Changed, T> result) {
    Question.Write question;
    try {
      List<Step> steps = wanted.get().stream().map(OpenStore::checked).toList();
      RequestId request = options.request();
      if (request == null) {
        request = new RequestId(client, requests.incrementAndGet());
      } else if (request.client() == 0 || request.number() < 1) {
        throw refused(Reason.INVALID, request + ": use a client other than 0, a number from 1 on");
      }
      Op op = new Op(steps, checked(options.fence()));
      if (op.isTooLarge()) {
        throw refused(
            Reason.TOO_LARGE,
            "at most %d bytes of keys and values go into one write"
                .formatted(Limits.COMMAND_BYTES));
      }
      question = new Question.Write(request, op);
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
    return clerk.run(question, timeout, answer -> result.apply(changed(question.op(), answer)));
  }

  private static Answer.Changed changed(Op op, Answer answer) {
    if (answer instanceof Answer.Changed changed) {
      return changed;
    } else if (answer instanceof Answer.Stale stale && op.fence() != null) {
      throw refused(
          Reason.CONFLICT,
          "token %d is stale: resource %s has seen %d"
              .formatted(op.fence().token(), op.fence().resource(), stale.seen()));
    } else if (answer instanceof Answer.Conflict conflict
        && op.steps().get(conflict.step()) instanceof Step.CompareAndSet cas) {
      String found = conflict.found() == 0 ? " is absent" : " has version " + conflict.found();
      String wanted = cas.expected() == 0 ? ", and should be absent" : ", not " + cas.expected();
      throw refused(Reason.CONFLICT, cas.key() + found + wanted);
    }
    throw new AssertionError("a write answered by " + answer);
  }

  private <T extends @Nullable Object> CompletionStage<T> read(
      Supplier<Query> wanted, Freshness freshness, Function<List<KvEntry>, T> result) {
    Query query;
    try {
      query = wanted.get();
    } catch (CoordinationException e) {
      return CompletableFuture.failedStage(e);
    }
    return clerk.run(
        new Question.Read(freshness, query),
        timeout,
        answer -> {
          if (answer instanceof Answer.Entries entries) {
            return result.apply(entries.rows().stream().map(OpenStore::copied).toList());
          }
          throw new AssertionError("a read answered by " + answer);
        });
  }

  /** The same with a value of its own: the caller may use his array again. */
  private static Step checked(Step step) {
    String key = name("key", step.key());
    if (step instanceof Step.Put put) {
      return new Step.Put(key, copied(put.value()));
    } else if (step instanceof Step.CompareAndSet cas) {
      if (cas.expected() < 0) {
        throw refused(Reason.INVALID, "expected version " + cas.expected() + ": use 0 or more");
      }
      return new Step.CompareAndSet(key, cas.expected(), copied(cas.value()));
    }
    return step;
  }

  private static byte[] copied(byte[] value) {
    within("value", value.length, Limits.VALUE_BYTES);
    return value.clone();
  }

  /** What the store has is not the caller's to change. */
  private static KvEntry copied(KvEntry entry) {
    return new KvEntry(entry.key(), entry.value().clone(), entry.version());
  }

  private static @Nullable Fence checked(@Nullable Fence fence) {
    if (fence != null) {
      String unused = name("resource", fence.resource());
      if (fence.token() < 1) {
        throw refused(Reason.INVALID, "token " + fence.token() + ": use 1 or more");
      }
    }
    return fence;
  }

  private static String name(String what, String name) {
    if (name.isEmpty()) {
      throw refused(Reason.INVALID, "the " + what + " is empty");
    }
    return text(what, name);
  }

  private static String text(String what, String text) {
    if (text.startsWith(Contents.OWN)) {
      throw refused(Reason.INVALID, "the " + what + " begins with the character 0");
    }
    int length = Utf8.length(text);
    if (length < 0) {
      throw refused(
          Reason.INVALID, "the " + what + " is not Unicode: it holds half of a surrogate pair");
    }
    within(what, length, Limits.KEY_BYTES);
    return text;
  }

  private static void within(String what, int bytes, int limit) {
    if (bytes > limit) {
      throw refused(
          Reason.TOO_LARGE, "the %s has %d bytes: at most %d".formatted(what, bytes, limit));
    }
  }
}
