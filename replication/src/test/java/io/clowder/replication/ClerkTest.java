// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.store.Freshness;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On whose threads users are told. */
@Timeout(60)
final class ClerkTest {
  private static final NodeId SELF = new NodeId("n1");
  private static final Reply.Answered NOTHING = new Reply.Answered(new Answer.Entries(List.of()));

  private final Exchange exchange = new Exchange();
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final ExecutorService completions = Executors.newSingleThreadExecutor();
  private final AtomicReference<Clerk.Desk> desk = new AtomicReference<>();
  private final Clerk clerk =
      new Clerk("s", SELF, exchange.of(SELF), desk::get, timer, completions);

  @AfterEach
  void close() {
    clerk.close();
    timer.shutdownNow();
    completions.shutdown();
    exchange.close();
  }

  private static StoreConfig config() {
    ConfigCommand create =
        new ConfigCommand.Create(1, 1, new TreeSet<>(List.of(new ReplicaId(SELF, 7))));
    Entry entry = new Entry(Entry.Kind.COMMAND, 1, 0, 1, ConfigMachine.encode("s", create));
    StoreConfig config = ConfigMachine.decode(new ConfigMachine((store, it) -> {}).apply(entry));
    if (config == null) {
      throw new AssertionError("there is no store");
    }
    return config;
  }

  /** A read of a user who waits in the continuation until he is let go. */
  private CompletableFuture<Thread> read(CompletableFuture<?> letGo) {
    Question read = new Question.Read(Freshness.LOCAL, new Query.Get("k"));
    return clerk
        .run(read, Duration.ofSeconds(30), answer -> answer)
        .thenApply(
            answer -> {
              letGo.join();
              return Thread.currentThread();
            })
        .toCompletableFuture();
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(30, TimeUnit.SECONDS);
  }

  @Test
  void whoeverTellsOfAConfigurationRunsNobodysCode() throws Exception {
    desk.set((question, then) -> then.accept(NOTHING));
    CompletableFuture<Void> letGo = new CompletableFuture<>();
    CompletableFuture<Thread> told = read(letGo);
    clerk.configured(config());
    assertFalse(told.isDone());
    // Neither is the timer held up.
    get(CompletableFuture.runAsync(() -> {}, timer));
    letGo.complete(null);
    assertEquals(get(CompletableFuture.supplyAsync(Thread::currentThread, completions)), get(told));
  }

  @Test
  void whoeverTellsOfACopyRunsNobodysCode() throws Exception {
    clerk.configured(config());
    CompletableFuture<Void> letGo = new CompletableFuture<>();
    CompletableFuture<Thread> told = read(letGo);
    desk.set((question, then) -> then.accept(NOTHING));
    clerk.deskChanged();
    get(CompletableFuture.runAsync(() -> {}, timer));
    letGo.complete(null);
    assertEquals(get(CompletableFuture.supplyAsync(Thread::currentThread, completions)), get(told));
  }

  @Test
  void whatIsAnsweredAtOnceNeedsNoOtherThread() throws Exception {
    clerk.configured(config());
    desk.set((question, then) -> then.accept(NOTHING));
    CompletableFuture<Thread> told = read(CompletableFuture.completedFuture(null));
    assertEquals(Thread.currentThread(), get(told));
  }
}
