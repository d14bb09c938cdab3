// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CompletionsTest {
  private final List<Runnable> tasks = new ArrayList<>();
  private final Completions completions = new Completions(tasks::add);

  @Test
  void aRoundIsOneTaskInOrder() {
    List<String> order = new ArrayList<>();
    CompletableFuture<String> done = new CompletableFuture<>();
    CompletableFuture<String> failed = new CompletableFuture<>();
    var unused = done.thenAccept(order::add);
    var unusedToo = failed.whenComplete((value, failure) -> order.add(failure.getMessage()));
    completions.complete(done, "value");
    completions.then(() -> order.add("then"));
    completions.fail(failed, new IllegalStateException("failure"));
    assertEquals(List.of(), tasks);
    completions.flush();
    assertFalse(done.isDone(), "completed on the loop's thread");
    assertEquals(1, tasks.size());
    tasks.get(0).run();
    assertEquals(List.of("value", "then", "failure"), order);
    assertTrue(failed.isCompletedExceptionally());
  }

  @Test
  void anEmptyRoundIsNoTask() {
    completions.then(() -> {});
    completions.flush();
    completions.flush();
    assertEquals(1, tasks.size());
  }
}
