// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.LockService;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.task.TaskScheduler;
import java.io.File;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The shell's {@code clowder:bench}. Ends what still runs when its bundle stops. */
@Component(
    service = Bench.class,
    property = {"osgi.command.scope=clowder", "osgi.command.function=bench"})
public final class Bench {
  private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final BundleContext bundle;
  private final Set<Thread> callers = new HashSet<>();

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable KvStore kv;

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable LockService locks;

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable TaskScheduler tasks;

  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<ReplicatedStore> stores = List.of();

  @Reference(
      target = "(machine=kv)",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable ConsensusService consensus;

  /** For the component runtime. */
  @Activate
  public Bench(BundleContext bundle) {
    this.bundle = bundle;
  }

  /** Measures the cluster; {@code --help} names the options. Interrupting the caller ends it. */
  public String bench(String... words) throws Exception {
    // The framework keeps this folder beside the node's own data, so on the same disk.
    File folder = bundle.getDataFile("");
    if (folder == null) {
      throw new IOException("the framework gives no folder to measure the disk in");
    }
    synchronized (callers) {
      callers.add(Thread.currentThread());
    }
    try {
      return new BenchCommand(
              () -> kv,
              () -> locks,
              () -> tasks,
              this::store,
              this::syncs,
              folder.toPath(),
              System.err)
          .run(words);
    } finally {
      synchronized (callers) {
        callers.remove(Thread.currentThread());
        callers.notifyAll();
      }
    }
  }

  private @Nullable ReplicatedStore store(String name) {
    for (ReplicatedStore store : stores) {
      if (store.name().equals(name)) {
        return store;
      }
    }
    return null;
  }

  private @Nullable Long syncs() {
    ConsensusService service = consensus;
    return service == null ? null : service.status().syncs();
  }

  /**
   * For the component runtime. Waits a moment for what runs to end: it removes its keys, for which
   * it needs the services that are still bound here.
   */
  @Deactivate
  public void close() throws InterruptedException {
    long deadline = System.nanoTime() + CLOSE_NANOS;
    synchronized (callers) {
      callers.forEach(Thread::interrupt);
      long left = CLOSE_NANOS;
      while (!callers.isEmpty() && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(callers, left);
        left = deadline - System.nanoTime();
      }
    }
  }
}
