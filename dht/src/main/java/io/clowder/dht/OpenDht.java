// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtEntry;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.SafeToLeave;
import io.clowder.api.dht.StoreOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A ring as its users see it: checks what they say, and tells them what came of it. */
final class OpenDht implements Dht {
  private final String name;
  private final DhtSetting setting;
  private final Supplier<@Nullable NodeRing> ring;
  private final Supplier<NodeRing.Glance> glance;
  private final long client = ThreadLocalRandom.current().nextLong();
  private final AtomicLong requests = new AtomicLong();

  /**
   * A ring on this node.
   *
   * @param ring the present life; null while there is none
   */
  OpenDht(
      String name,
      DhtSetting setting,
      Supplier<@Nullable NodeRing> ring,
      Supplier<NodeRing.Glance> glance) {
    this.name = name;
    this.setting = setting;
    this.ring = ring;
    this.glance = glance;
  }

  @Override
  public String name() {
    return name;
  }

  // ---- values --------------------------------------------------------------------------------

  @Override
  public CompletionStage<DhtVersion> store(byte[] key, byte[] value, StoreOptions options) {
    if (value.length > Limits.VALUE_BYTES) {
      return failed(
          Reason.TOO_LARGE,
          "the value has " + value.length + " bytes, more than " + Limits.VALUE_BYTES);
    }
    return write(Ask.Kind.STORE, key, value.clone(), options).thenApply(Answer::version);
  }

  @Override
  public CompletionStage<Boolean> remove(byte[] key, StoreOptions options) {
    if (options.ttl() != null) {
      return failed(Reason.INVALID, "a removal has no time to live");
    }
    return write(Ask.Kind.REMOVE, key, null, options)
        .thenApply(answer -> answer.code() == Answer.Code.DONE);
  }

  private CompletionStage<Answer> write(
      Ask.Kind kind, byte[] key, byte @Nullable [] content, StoreOptions options) {
    if (options.copies() > setting.keeper().replicas()) {
      return failed(
          Reason.INVALID,
          "%d copies were asked for; ring %s keeps %d (replicas of %s~%s)"
              .formatted(
                  options.copies(), name, setting.keeper().replicas(), DhtSetting.PID, name));
    }
    Duration ttl = options.ttl();
    long millis = ttl == null ? 0 : ttl.toMillis();
    return ask(kind, key, content, options.condition(), millis, options.copies());
  }

  @Override
  public CompletionStage<@Nullable DhtEntry> fetch(byte[] key, Reading reading) {
    if (reading == Reading.NEWEST) {
      return ask(Ask.Kind.FETCH, key, null, null, 0, 0).thenApply(OpenDht::entry);
    }
    Identifier id = identifier(key);
    if (id == null) {
      return badKey(key);
    }
    return asked(it -> it.look(id, setting.timeout().toNanos()))
        .thenApply(
            reply -> {
              if (reply.answer().code() == Answer.Code.BUSY) {
                throw refused(
                    Reason.OVERLOADED, "ring " + name + ": too much waits on this node: try later");
              } else if (reply.isOver()) {
                throw refused(
                    Reason.UNAVAILABLE,
                    "ring %s: no node that keeps the key can be reached (dht:check)"
                        .formatted(name));
              }
              return entry(reply.answer());
            });
  }

  private static @Nullable DhtEntry entry(Answer answer) {
    Value value = answer.value();
    byte[] content = value == null ? null : value.content();
    if (value == null || content == null) {
      return null;
    }
    Duration left =
        value.until() == 0
            ? null
            : Duration.ofMillis(Math.max(0, value.until() - System.currentTimeMillis()));
    return new DhtEntry(content.clone(), value.version(), left);
  }

  private CompletionStage<Answer> ask(
      Ask.Kind kind,
      byte[] key,
      byte @Nullable [] content,
      @Nullable DhtVersion condition,
      long ttlMillis,
      int copies) {
    Identifier id = identifier(key);
    if (id == null) {
      return badKey(key);
    }
    RequestKey request = new RequestKey(client, requests.incrementAndGet());
    Ask ask = new Ask(kind, id, key.clone(), content, condition, ttlMillis, copies, request, false);
    return asked(it -> it.ask(ask, setting.timeout().toNanos()))
        .thenApply(reply -> answer(ask, reply));
  }

  private CompletionStage<Reply> asked(Function<NodeRing, @Nullable CompletableFuture<Reply>> how) {
    NodeRing present = ring.get();
    CompletableFuture<Reply> future = present == null ? null : how.apply(present);
    if (present == null) {
      return failed(Reason.UNAVAILABLE, away());
    }
    return future == null
        ? failed(Reason.OVERLOADED, "ring " + name + ": too much waits on this node: try later")
        : future;
  }

  private String away() {
    String problem = String.join("; ", glance.get().problems());
    return "ring %s does not run on this node: %s".formatted(name, problem);
  }

  /** Where a key is; null if it is none. */
  private @Nullable Identifier identifier(byte[] key) {
    return key.length == 0 || key.length > Limits.KEY_BYTES
        ? null
        : Identifier.hash(setting.table().hash(), key);
  }

  private static <T> CompletionStage<T> badKey(byte[] key) {
    return key.length == 0
        ? failed(Reason.INVALID, "the key is empty: use 1 to " + Limits.KEY_BYTES + " bytes")
        : failed(
            Reason.TOO_LARGE,
            "the key has " + key.length + " bytes, more than " + Limits.KEY_BYTES);
  }

  private static <T> CompletionStage<T> failed(Reason reason, String message) {
    return CompletableFuture.failedStage(refused(reason, message));
  }

  /** What came of it, or why nothing did. */
  private Answer answer(Ask ask, Reply reply) {
    Answer answer = reply.answer();
    if (!reply.isOver()) {
      switch (answer.code()) {
        case DONE, ABSENT -> {
          return answer;
        }
        case CONFLICT ->
            throw refused(
                Reason.CONFLICT,
                "the key has %s, not version %s"
                    .formatted(
                        answer.version().equals(DhtVersion.NONE)
                            ? "no value"
                            : "version " + answer.version(),
                        ask.condition()));
        case TOO_FEW ->
            throw refused(
                Reason.UNAVAILABLE,
                "ring %s: %d copies are needed, and there can be %d now (dht:check)"
                    .formatted(
                        name,
                        Math.max(ask.copies(), setting.keeper().writeQuorum()),
                        answer.count()));
        default -> {
          // The owner was lost on the way; below.
        }
      }
    }
    Outcome outcome = reply.mayHaveHappened() ? Outcome.MAY_HAVE_HAPPENED : Outcome.DID_NOT_HAPPEN;
    throw new CoordinationException(
        reason(reply), outcome, "ring %s: %s".formatted(name, why(reply)));
  }

  private Reason reason(Reply reply) {
    if (isOutside(reply)) {
      return Reason.UNAVAILABLE;
    } else if (reply.isOver() && reply.answer().code() == Answer.Code.BUSY) {
      return Reason.OVERLOADED;
    }
    return reply.isOver() ? Reason.TIMEOUT : Reason.UNAVAILABLE;
  }

  /** In mode peer only members find an owner. */
  private boolean isOutside(Reply reply) {
    return setting.mode() == Mode.PEER
        && reply.isOver()
        && !reply.mayHaveHappened()
        && !glance.get().view().isMember();
  }

  private String why(Reply reply) {
    if (isOutside(reply)) {
      return String.join("; ", glanceProblems());
    }
    String within = " within " + setting.timeout().toMillis() + " ms";
    if (!reply.isOver()) {
      return "the owner of the key was lost when it wrote: read the key to see what came of it";
    }
    return switch (reply.answer().code()) {
      case BUSY -> "the owner of the key had too much to do" + within;
      case NOT_READY -> "the owner of the key could not tell what is newest" + within;
      case TOO_FEW -> "too few copies could be made" + within + " (dht:check)";
      default ->
          reply.mayHaveHappened()
              ? "enough nodes did not say that they have it" + within
              : "no owner of the key was found, or none that answered" + within + " (dht:check)";
    };
  }

  // ---- the ring ------------------------------------------------------------------------------

  @Override
  public CompletionStage<LookupResult> lookup(byte[] key) {
    Identifier id = identifier(key);
    if (id == null) {
      return badKey(key);
    }
    NodeRing.Glance seen = glance.get();
    return this.<@Nullable LookupResult>with(
            (ring, future) -> ring.mode().lookup(id, found -> ring.node().complete(future, found)))
        .thenApply(
            found -> {
              if (found == null) {
                throw refused(
                    Reason.UNAVAILABLE,
                    "ring %s: the owner was not found: %s"
                        .formatted(name, String.join("; ", seen.problems())));
              }
              return found;
            });
  }

  @Override
  public RingView view() {
    return glance.get().view();
  }

  @Override
  public List<Range> ranges() {
    return glance.get().owned();
  }

  @Override
  public CompletionStage<SafeToLeave> safeToLeave(NodeId node) {
    return with(
        (ring, future) ->
            ring.node().complete(future, new SafeToLeave(ring.mode().reasonsToStay(node))));
  }

  /** What is not as it should be, as this node sees it. */
  List<String> glanceProblems() {
    return glance.get().problems();
  }

  /** The present life, on its thread. */
  record Here(NodeRing node, RingMode mode) {}

  /** Has something be asked on the ring's thread, with an answer in time. */
  <T> CompletionStage<T> with(BiConsumer<Here, CompletableFuture<T>> what) {
    return with(what, setting.timeout());
  }

  /** The same, within another time. */
  <T> CompletionStage<T> with(BiConsumer<Here, CompletableFuture<T>> what, Duration timeout) {
    NodeRing present = ring.get();
    if (present == null) {
      return failed(Reason.UNAVAILABLE, away());
    }
    CompletableFuture<T> future =
        present.with((mode, answer) -> what.accept(new Here(present, mode), answer));
    if (future == null) {
      return failed(Reason.OVERLOADED, "ring " + name + ": too much waits on this node: try later");
    }
    return inTime(future, timeout);
  }

  /** A stage that fails when the time is over. */
  <T> CompletionStage<T> inTime(CompletableFuture<T> future, Duration timeout) {
    return future
        .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS)
        .exceptionally(
            failure -> {
              if (failure instanceof TimeoutException) {
                throw refused(
                    Reason.TIMEOUT,
                    "ring %s: no answer within %d ms (dht:check)"
                        .formatted(name, timeout.toMillis()));
              }
              throw failure instanceof RuntimeException cause
                  ? cause
                  : new IllegalStateException(failure);
            });
  }
}
