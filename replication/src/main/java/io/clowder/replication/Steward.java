// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreStatus;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.Reply.Described;
import io.clowder.replication.Reply.Digested;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Does what operators ask for. Each task is a conversation with consensus and with copies, some of
 * which may not answer; it ends after a time, and says how far it came.
 */
final class Steward implements StoreAdmin {
  private static final Duration ANSWER = Duration.ofSeconds(2);
  private static final Duration HAND_OVER = Duration.ofSeconds(10);
  private static final Duration VERIFY = Duration.ofSeconds(60);
  private static final long PAUSE_MILLIS = 50;
  private static final int ATTEMPTS = 5;
  private static final int LOG_MAX = 1_000;

  private final String store;
  private final Clerk clerk;
  private final Registrar registrar;
  private final NodeStore node;

  Steward(String store, Clerk clerk, Registrar registrar, NodeStore node) {
    this.store = store;
    this.clerk = clerk;
    this.registrar = registrar;
    this.node = node;
  }

  private static <T> CompletionStage<T> failed(Reason reason, String message) {
    return CompletableFuture.failedStage(refused(reason, message));
  }

  /** The configuration as it is now. */
  private CompletionStage<StoreConfig> config() {
    return registrar
        .confirm(store)
        .thenApply(
            found -> {
              if (found == null) {
                throw refused(
                    Reason.UNAVAILABLE,
                    "store %s is not made yet: a node with a copy has to come".formatted(store));
              }
              node.configured(found);
              return found;
            });
  }

  // ---- who holds it --------------------------------------------------------------------------

  @Override
  public CompletionStage<StoreStatus> switchover(@Nullable NodeId to) {
    return config()
        .thenCompose(
            config -> {
              ReplicaId primary = config.primary();
              if (primary == null) {
                return failed(Reason.CONFLICT, about("there is no primary to hand over"));
              } else if (to != null && to.equals(primary.node())) {
                return failed(Reason.INVALID, about(to + " is the primary already"));
              } else if (to != null && !isIn(config.insync(), to)) {
                return failed(
                    Reason.CONFLICT,
                    about("%s is not in sync: %s are".formatted(to, names(config.insync()))));
              }
              return clerk
                  .ask(primary.node(), new Question.HandOver(to), ANSWER)
                  .thenCompose(
                      reply ->
                          reply instanceof Reply.Begun
                              ? until(
                                  it -> isAfter(it, config, to),
                                  HAND_OVER,
                                  primary.node() + " kept its place: its backup did not take over")
                              : failed(
                                  Reason.CONFLICT,
                                  about(
                                      primary.node()
                                          + " cannot hand over now: no backup is"
                                          + " ready")));
            });
  }

  private static boolean isAfter(StoreConfig config, StoreConfig before, @Nullable NodeId to) {
    ReplicaId primary = config.primary();
    return config.epoch() > before.epoch()
        && primary != null
        && (to == null || primary.node().equals(to));
  }

  @Override
  public CompletionStage<StoreStatus> fail(NodeId failed) {
    return change(
        config -> {
          if (!isIn(config.insync(), failed)) {
            throw refused(
                Reason.CONFLICT,
                about("%s is not in sync: %s are".formatted(failed, names(config.insync()))));
          } else if (config.insync().size() < 2) {
            throw refused(
                Reason.CONFLICT,
                about(
                    failed + " has the only copy in sync: store:force-promote is the last resort"));
          }
          return new ConfigCommand.Fail(At.of(config), failed);
        },
        config -> !isIn(config.insync(), failed));
  }

  @Override
  public CompletionStage<StoreStatus> add(NodeId added) {
    return change(
        config -> {
          if (isIn(config.members(), added)) {
            throw refused(Reason.CONFLICT, about(added + " has a copy already"));
          }
          return new ConfigCommand.Invite(At.of(config), added);
        },
        config ->
            isIn(config.members(), added)
                || (!config.removed().contains(added)
                    && config.members().size() < config.replicas()));
  }

  @Override
  public CompletionStage<StoreStatus> remove(NodeId removed) {
    return change(
        config -> {
          ReplicaId primary = config.primary();
          if (primary != null && primary.node().equals(removed)) {
            throw refused(
                Reason.CONFLICT, about(removed + " is the primary: store:switchover first"));
          } else if (!isIn(config.members(), removed)) {
            throw refused(Reason.CONFLICT, about(removed + " has no copy"));
          } else if (isIn(config.insync(), removed)
              && config.insync().size() <= config.minInsync()) {
            throw refused(
                Reason.CONFLICT,
                about(
                    "without %s fewer than %d copies were in sync"
                        .formatted(removed, config.minInsync())));
          }
          return new ConfigCommand.Expel(At.of(config), removed);
        },
        config -> !isIn(config.members(), removed));
  }

  /** Has consensus make a change of whatever is in force; another change may come before it. */
  private CompletionStage<StoreStatus> change(
      Function<StoreConfig, ConfigCommand> command, Predicate<StoreConfig> isDone) {
    return change(command, isDone, ATTEMPTS);
  }

  private CompletionStage<StoreStatus> change(
      Function<StoreConfig, ConfigCommand> command, Predicate<StoreConfig> isDone, int attempts) {
    return config()
        .thenCompose(
            before ->
                registrar
                    .submit(store, command.apply(before))
                    .thenCompose(
                        after -> {
                          if (after != null && isDone.test(after)) {
                            node.configured(after);
                            return CompletableFuture.completedStage(node.status());
                          } else if (after != null && after.version() == before.version()) {
                            return failed(
                                Reason.CONFLICT,
                                about("consensus has refused this, and nothing has changed"));
                          }
                          return attempts > 1
                              ? change(command, isDone, attempts - 1)
                              : failed(
                                  Reason.CONFLICT,
                                  about("its configuration changes all the time: try again"));
                        }));
  }

  /** The status, once the configuration is as wanted. */
  private CompletionStage<StoreStatus> until(
      Predicate<StoreConfig> wanted, Duration patience, String otherwise) {
    return until(wanted, System.nanoTime() + patience.toNanos(), otherwise);
  }

  private CompletionStage<StoreStatus> until(
      Predicate<StoreConfig> wanted, long deadline, String otherwise) {
    StoreConfig present = node.config();
    if (present != null && wanted.test(present)) {
      return CompletableFuture.completedStage(node.status());
    } else if (System.nanoTime() - deadline >= 0) {
      return CompletableFuture.failedStage(
          new CoordinationException(
              Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED, about(otherwise + " in time")));
    }
    return paused().thenCompose(it -> until(wanted, deadline, otherwise));
  }

  private static CompletableFuture<@Nullable Void> paused() {
    Executor later = CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    return CompletableFuture.runAsync(() -> {}, later);
  }

  // ---- whether it is right -------------------------------------------------------------------

  @Override
  public CompletionStage<List<Verification>> verify(boolean isRepairing) {
    byte[] any = new byte[8];
    SecureRandom random = new SecureRandom();
    random.nextBytes(any);
    Op mark = Op.of(new Step.Put(Contents.MARK, any));
    RequestId request = new RequestId(random.nextLong() | 1, 1);
    return config()
        .thenCompose(
            config ->
                clerk
                    .run(
                        new Question.Write(request, mark),
                        Duration.ofSeconds(10),
                        answer -> ((Answer.Changed) answer).version())
                    .thenCompose(
                        seq ->
                            digests(config, seq)
                                .thenCompose(found -> judge(config, seq, found, isRepairing))));
  }

  private CompletionStage<SortedMap<NodeId, Digested>> digests(StoreConfig config, long seq) {
    long deadline = System.nanoTime() + VERIFY.toNanos();
    SortedMap<NodeId, CompletableFuture<Digested>> asked = new TreeMap<>();
    for (ReplicaId replica : config.members()) {
      asked.put(replica.node(), digest(replica.node(), seq, deadline).toCompletableFuture());
    }
    return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
        .thenApply(
            it -> {
              SortedMap<NodeId, Digested> found = new TreeMap<>();
              asked.forEach((name, future) -> found.put(name, future.join()));
              return found;
            });
  }

  /** What a copy says, or that it does not. */
  private CompletionStage<Digested> digest(NodeId of, long seq, long deadline) {
    return clerk
        .ask(of, new Question.Digest(seq), ANSWER)
        .handle(
            (reply, failure) ->
                reply instanceof Digested digested
                    ? digested
                    : new Digested("", failure == null ? "it has no copy" : message(failure)))
        .thenCompose(
            it -> {
              boolean isOver = System.nanoTime() - deadline >= 0 || node.suspects().contains(of);
              return isOver || !it.digest().isEmpty()
                  ? CompletableFuture.completedStage(it)
                  : paused().thenCompose(ignored -> digest(of, seq, deadline));
            });
  }

  private static String message(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return String.valueOf(cause.getMessage());
  }

  private CompletionStage<List<Verification>> judge(
      StoreConfig config, long seq, SortedMap<NodeId, Digested> found, boolean isRepairing) {
    SortedMap<String, Long> votes =
        new TreeMap<>(
            found.values().stream()
                .filter(it -> !it.digest().isEmpty())
                .collect(Collectors.groupingBy(Digested::digest, Collectors.counting())));
    long most = votes.values().stream().mapToLong(it -> it).max().orElse(0);
    boolean isClear = votes.values().stream().filter(it -> it == most).count() == 1;
    List<Verification> all = new ArrayList<>();
    List<Verification> damaged = new ArrayList<>();
    for (Map.Entry<NodeId, Digested> entry : found.entrySet()) {
      Digested it = entry.getValue();
      String problem = it.problem();
      boolean isDamaged = !problem.isEmpty() && !it.digest().isEmpty();
      if (problem.isEmpty() && it.digest().isEmpty()) {
        problem = "it did not come to write " + seq + " in time";
      } else if (problem.isEmpty() && !isClear) {
        problem = "the copies differ, and there is no majority that agrees";
      } else if (problem.isEmpty() && votes.getOrDefault(it.digest(), 0L) < most) {
        problem = "its entries are not those of most copies";
        isDamaged = true;
      }
      Verification verification =
          new Verification(entry.getKey(), seq, it.digest(), problem, false);
      (isRepairing && isDamaged ? damaged : all).add(verification);
    }
    SortedSet<NodeId> sound = ReplicaId.nodes(config.insync());
    damaged.forEach(it -> sound.remove(it.node()));
    // One after the other: there are enough copies at any time, or it is refused.
    CompletionStage<List<Verification>> done = CompletableFuture.completedStage(all);
    for (Verification bad : damaged) {
      done =
          done.thenCompose(
              list ->
                  repair(bad, sound)
                      .thenApply(
                          it -> {
                            list.add(it);
                            return list;
                          }));
    }
    return done.thenApply(
        list -> {
          list.sort(Comparator.comparing(Verification::node));
          return List.copyOf(list);
        });
  }

  /**
   * Takes a copy away, has it give up what it has, and lets it come again; the primary's place goes
   * to a sound one first.
   */
  private CompletionStage<Verification> repair(Verification bad, SortedSet<NodeId> sound) {
    NodeId of = bad.node();
    return config()
        .thenCompose(
            config -> {
              ReplicaId primary = config.primary();
              if (primary == null || !primary.node().equals(of)) {
                return CompletableFuture.completedStage(node.status());
              } else if (sound.isEmpty()) {
                return failed(Reason.CONFLICT, about("no copy in sync is sound"));
              }
              return switchover(sound.first());
            })
        .thenCompose(it -> remove(of))
        .thenCompose(it -> retired(of, System.nanoTime() + ANSWER.toNanos()))
        .thenCompose(it -> add(of))
        .thenCompose(
            it ->
                until(
                    config -> isIn(config.insync(), of),
                    VERIFY,
                    "it is made anew, and is not in sync yet"))
        .handle(
            (status, failure) ->
                new Verification(
                    of,
                    bad.seq(),
                    bad.digest(),
                    failure == null
                        ? bad.problem()
                        : bad.problem() + "; not repaired: " + message(failure),
                    failure == null));
  }

  /** Its copy has to hear first that it was taken away. */
  private CompletionStage<Reply> retired(NodeId of, long deadline) {
    return clerk
        .ask(of, new Question.Retire(), ANSWER)
        .thenCompose(
            reply -> {
              if (reply instanceof Reply.Begun) {
                return CompletableFuture.completedStage(reply);
              } else if (System.nanoTime() - deadline >= 0) {
                return failed(Reason.CONFLICT, about(of + " does not give up its copy"));
              }
              return paused().thenCompose(it -> retired(of, deadline));
            });
  }

  // ---- the last resort -----------------------------------------------------------------------

  private record Forecast(StoreConfig config, Described chosen, LossReport report) {}

  @Override
  public CompletionStage<LossReport> forecast(NodeId of) {
    return look(of).thenApply(Forecast::report);
  }

  @Override
  public CompletionStage<StoreStatus> forcePromote(NodeId of, String consent) {
    return look(of)
        .thenCompose(
            forecast -> {
              if (!forecast.report.consent().equals(consent)) {
                return failed(
                    Reason.CONFLICT,
                    about(
                        "the consent '%s' is not to what would happen now: ask for the forecast"
                                .formatted(consent)
                            + " again"));
              }
              Described chosen = forecast.chosen;
              At at = At.of(forecast.config);
              return registrar
                  .submit(store, new ConfigCommand.Force(at, chosen.replica(), chosen.life()))
                  .thenCompose(
                      after -> {
                        boolean isDone =
                            after != null
                                && after.epoch() == at.epoch() + 1
                                && after.isServedBy(chosen.replica(), chosen.life());
                        if (!isDone) {
                          return failed(
                              Reason.CONFLICT,
                              about("something has changed: ask for the forecast again"));
                        }
                        node.configured(after);
                        return CompletableFuture.completedStage(node.status());
                      });
            });
  }

  private CompletionStage<Forecast> look(NodeId of) {
    return config()
        .thenCompose(
            config -> {
              SortedMap<NodeId, CompletableFuture<@Nullable Described>> asked = new TreeMap<>();
              SortedSet<NodeId> all = ReplicaId.nodes(config.members());
              all.add(of);
              for (NodeId name : all) {
                asked.put(
                    name,
                    clerk
                        .ask(name, new Question.Describe(), ANSWER)
                        .handle((reply, failure) -> reply instanceof Described it ? it : null)
                        .toCompletableFuture());
              }
              return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                  .thenApply(
                      it -> {
                        SortedMap<NodeId, Described> found = new TreeMap<>();
                        asked.forEach(
                            (name, future) -> {
                              Described described = future.join();
                              if (described != null) {
                                found.put(name, described);
                              }
                            });
                        return forecast(config, of, found);
                      });
            });
  }

  private Forecast forecast(StoreConfig config, NodeId of, SortedMap<NodeId, Described> found) {
    Described chosen = found.get(of);
    ReplicaId primary = config.primary();
    Described leading = primary == null ? null : found.get(primary.node());
    if (chosen == null && !isIn(config.members(), of)) {
      throw refused(Reason.INVALID, about(of + " has no copy"));
    } else if (chosen == null) {
      throw refused(Reason.UNAVAILABLE, about(of + " does not answer: it has to run"));
    } else if (chosen.isFetching()) {
      throw refused(
          Reason.CONFLICT,
          about(of + " is getting a snapshot: wait until it has it, or has given up (10 s)"));
    } else if (primary != null
        && leading != null
        && leading.replica().equals(primary)
        && leading.life() == config.life()) {
      throw refused(
          Reason.CONFLICT,
          about(primary.node() + " is the primary and answers: store:switchover loses nothing"));
    }
    long lastKnown = found.values().stream().mapToLong(Described::end).max().orElse(0);
    List<String> lines = new ArrayList<>();
    SortedSet<ReplicaId> whole = config.electable();
    lines.add(
        "%s ends at write %d of epoch %d; committed for certain there: %d"
            .formatted(of, chosen.end(), chosen.epoch(), chosen.commit()));
    if (!config.members().contains(chosen.replica())) {
      lines.add(
          "this copy is another than the one that counted: it was made anew, and has nothing of it");
    }
    if (whole.contains(chosen.replica())) {
      lines.add(
          "it has all that was acknowledged: it is elected by itself when the others are suspected");
    } else {
      lines.add(
          "all that was acknowledged is known to be on %s, and nowhere else"
              .formatted(names(whole)));
      lines.add(
          lastKnown > chosen.end()
              ? "writes %d to %d are on others that answer, and would be undone"
                  .formatted(chosen.end() + 1, lastKnown)
              : "nobody who answers has more; how many writes %s acknowledged after %d is not known"
                  .formatted(names(whole), chosen.end()));
    }
    for (ReplicaId replica : config.members()) {
      Described it = found.get(replica.node());
      lines.add(
          it == null
              ? replica.node() + " does not answer"
              : "%s ends at write %d of epoch %d".formatted(replica.node(), it.end(), it.epoch()));
    }
    lines.add(
        "%s must be down for certain; all others are made anew from %s when they come back"
            .formatted(names(whole), of));
    String consent =
        HexFormat.of()
            .toHexDigits(
                List.of(config.epoch(), config.version(), of.value(), chosen.life(), chosen.end())
                    .hashCode());
    return new Forecast(
        config,
        chosen,
        new LossReport(of, chosen.epoch(), chosen.end(), lastKnown, lines, consent));
  }

  // ---- the log -------------------------------------------------------------------------------

  @Override
  public List<LogLine> log(int count) {
    if (count < 1 || count > LOG_MAX) {
      throw refused(Reason.INVALID, "%d records: use 1 to %d".formatted(count, LOG_MAX));
    }
    Copy.Tail tail;
    try {
      tail = node.tail(count).toCompletableFuture().get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    } catch (ExecutionException | TimeoutException e) {
      throw new CoordinationException(
          Reason.UNAVAILABLE, Outcome.DID_NOT_HAPPEN, about("its copy does not answer"), e);
    }
    return tail.records().stream()
        .map(
            it ->
                new LogLine(
                    it.seq(),
                    it.epoch(),
                    it.seq() <= tail.committed(),
                    it.size(),
                    it.description()))
        .toList();
  }

  // ---- words ---------------------------------------------------------------------------------

  private String about(String what) {
    return "store " + store + ": " + what;
  }

  private static boolean isIn(SortedSet<ReplicaId> replicas, NodeId node) {
    return replicas.stream().anyMatch(it -> it.node().equals(node));
  }

  private static String names(SortedSet<ReplicaId> replicas) {
    return replicas.isEmpty()
        ? "nobody"
        : replicas.stream().map(it -> it.node().value()).collect(Collectors.joining(", "));
  }
}
