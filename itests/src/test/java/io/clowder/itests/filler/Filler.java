// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.filler;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.Step;
import io.clowder.api.store.WriteOptions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;

/** The command {@code fill:store NAME COUNT}: so many small entries, in batches. */
public final class Filler implements BundleActivator {
  private static final int OUTSTANDING = 8;
  private static final long WAIT_SECONDS = 60;

  private @Nullable BundleContext bundle;

  @Override
  public void start(BundleContext started) {
    bundle = started;
    started.registerService(
        Filler.class,
        this,
        FrameworkUtil.asDictionary(
            Map.of("osgi.command.scope", "fill", "osgi.command.function", "store")));
  }

  @Override
  public void stop(BundleContext stopped) {}

  /** Sets {@code entry/0} and so on; returns when all is acknowledged. */
  public String store(String name, int count) throws Exception {
    BundleContext context = bundle;
    if (context == null) {
      throw new IllegalStateException("not started");
    }
    ServiceReference<ReplicatedStore> reference =
        context
            .getServiceReferences(
                ReplicatedStore.class, "(" + ReplicatedStore.NAME + "=" + name + ")")
            .iterator()
            .next();
    ReplicatedStore store = context.getService(reference);
    Deque<CompletionStage<Long>> waiting = new ArrayDeque<>();
    for (int next = 0; next < count; next += Step.BATCH_MAX) {
      List<Step> steps = new ArrayList<>();
      for (int i = next; i < Math.min(count, next + Step.BATCH_MAX); i++) {
        steps.add(new Step.Put("entry/" + i, ("value-" + i).getBytes(UTF_8)));
      }
      waiting.add(store.apply(steps, WriteOptions.NONE));
      if (waiting.size() == OUTSTANDING) {
        await(waiting.remove());
      }
    }
    for (CompletionStage<Long> one : waiting) {
      await(one);
    }
    context.ungetService(reference);
    return count + " entries";
  }

  private static void await(CompletionStage<Long> stage) throws Exception {
    var unused = stage.toCompletableFuture().get(WAIT_SECONDS, TimeUnit.SECONDS);
  }
}
