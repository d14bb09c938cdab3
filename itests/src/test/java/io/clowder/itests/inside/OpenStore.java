// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.RoleListener;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.Watch;
import io.clowder.api.store.WriteOptions;
import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Store;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;

/** The services of one store. */
final class OpenStore implements Store {
  private final BundleContext context;
  private final ServiceTracker<ReplicatedStore, ReplicatedStore> stores;
  private final ServiceTracker<StoreAdmin, StoreAdmin> admins;

  OpenStore(BundleContext context, String name) {
    this.context = context;
    this.stores = tracker(context, ReplicatedStore.class, ReplicatedStore.NAME, name);
    this.admins = tracker(context, StoreAdmin.class, ReplicatedStore.NAME, name);
  }

  /** Tracks the services of a type whose property is this name. */
  static <T> ServiceTracker<T, T> tracker(
      BundleContext context, Class<T> type, String property, String name) {
    String filter = "(&(objectClass=%s)(%s=%s))".formatted(type.getName(), property, name);
    try {
      ServiceTracker<T, T> tracker =
          new ServiceTracker<>(context, context.createFilter(filter), null);
      tracker.open();
      return tracker;
    } catch (InvalidSyntaxException e) {
      throw new AssertionError(filter, e);
    }
  }

  void close() {
    stores.close();
    admins.close();
  }

  private ReplicatedStore store() throws InterruptedException {
    return Inside.present(stores);
  }

  /** Waits for the end of a call; fails as the service did, in words. */
  static <T extends @Nullable Object> T await(CompletionStage<T> stage) throws Exception {
    try {
      return Inside.await(stage);
    } catch (ExecutionException e) {
      // The test does not know the classes of this framework.
      if (e.getCause() instanceof CoordinationException failure) {
        throw new Failure(
            failure.reason().name(),
            failure.outcome().name(),
            String.valueOf(failure.getMessage()));
      }
      throw e;
    }
  }

  private static WriteOptions options(With with) {
    return new WriteOptions(
        with.resource().isEmpty() ? null : new Fence(with.resource(), with.token()),
        with.client() == 0 ? null : new RequestId(with.client(), with.number()));
  }

  @Override
  public long put(String key, String value, With with) throws Exception {
    return await(store().put(key, value.getBytes(UTF_8), options(with)));
  }

  @Override
  public long compareAndSet(String key, long expected, String value, With with) throws Exception {
    return await(store().compareAndSet(key, expected, value.getBytes(UTF_8), options(with)));
  }

  @Override
  public boolean delete(String key) throws Exception {
    return await(store().delete(key, WriteOptions.NONE));
  }

  @Override
  public long apply(List<String> steps) throws Exception {
    return await(store().apply(steps.stream().map(OpenStore::step).toList(), WriteOptions.NONE));
  }

  private static Step step(String text) {
    String[] words = text.split(" ", -1);
    return switch (words[0]) {
      case "put" -> new Step.Put(words[1], words[2].getBytes(UTF_8));
      case "delete" -> new Step.Delete(words[1]);
      case "cas" ->
          new Step.CompareAndSet(words[1], Long.parseLong(words[2]), words[3].getBytes(UTF_8));
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static Freshness freshness(String text) {
    return switch (text) {
      case "linearizable" -> Freshness.LINEARIZABLE;
      case "local" -> Freshness.LOCAL;
      default ->
          Freshness.bounded(Duration.ofMillis(Long.parseLong(text.replaceFirst("bounded:", ""))));
    };
  }

  private static Entry entry(KvEntry entry) {
    return new Entry(entry.key(), new String(entry.value(), UTF_8), entry.version());
  }

  @Override
  public @Nullable Entry get(String key, String freshness) throws Exception {
    KvEntry found = await(store().get(key, freshness(freshness)));
    return found == null ? null : entry(found);
  }

  @Override
  public List<Entry> scan(String prefix, @Nullable String after, int limit, String freshness)
      throws Exception {
    return await(store().scan(prefix, after, limit, freshness(freshness))).stream()
        .map(OpenStore::entry)
        .toList();
  }

  @Override
  public @Nullable Offer offer() {
    ServiceReference<ReplicatedStore> found = stores.getServiceReference();
    return found == null ? null : offer(found);
  }

  private static Offer offer(ServiceReference<?> reference) {
    return new Offer(
        String.valueOf(reference.getProperty(ReplicatedStore.ROLE)),
        (Long) reference.getProperty(ReplicatedStore.EPOCH),
        List.of((String[]) reference.getProperty(ReplicatedStore.INSYNC)));
  }

  @Override
  public boolean isLookedAfter() {
    ServiceReference<StoreAdmin> found = admins.getServiceReference();
    return found != null && offer(found).equals(offer());
  }

  @Override
  public Role status() throws Exception {
    return role(store().status());
  }

  private static Role role(StoreStatus it) {
    NodeId primary = it.primary();
    return new Role(
        it.name(),
        it.role().name().toLowerCase(Locale.ROOT),
        it.epoch(),
        primary == null ? null : primary.value(),
        names(it.insync()),
        names(it.removed()));
  }

  private static List<String> names(Collection<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).toList();
  }

  @Override
  public Ear watch(String prefix, long from) throws Exception {
    Listener listener = new Listener();
    try {
      listener.watch = store().watch(prefix, from, listener);
    } catch (CoordinationException e) {
      throw new Failure(e.reason().name(), e.outcome().name(), String.valueOf(e.getMessage()));
    }
    return listener;
  }

  /** Notes changes. */
  private static final class Listener implements ChangeListener, Ear {
    private final List<Change> heard = new CopyOnWriteArrayList<>();
    private volatile String ended = "";
    private volatile @Nullable Watch watch;

    @Override
    public void changed(List<io.clowder.api.store.Change> changes) {
      for (io.clowder.api.store.Change it : changes) {
        byte[] value = it.value();
        heard.add(new Change(it.seq(), it.key(), value == null ? null : new String(value, UTF_8)));
      }
    }

    @Override
    public void ended(CoordinationException reason) {
      ended = reason.reason() + ": " + reason.getMessage();
    }

    @Override
    public List<Change> changes() {
      return List.copyOf(heard);
    }

    @Override
    public String ended() {
      return ended;
    }

    @Override
    public void close() {
      Watch open = watch;
      if (open != null) {
        open.close();
      }
    }
  }

  @Override
  public Roles listen(String... names) {
    List<Role> heard = new CopyOnWriteArrayList<>();
    RoleListener listener = it -> heard.add(role(it));
    Map<String, Object> properties =
        names.length == 0 ? Map.of() : Map.of(RoleListener.STORES, names);
    ServiceRegistration<RoleListener> registration =
        context.registerService(
            RoleListener.class, listener, FrameworkUtil.asDictionary(properties));
    return new Roles() {
      @Override
      public List<Role> heard() {
        return List.copyOf(heard);
      }

      @Override
      public void rename(String... stores) {
        registration.setProperties(FrameworkUtil.asDictionary(Map.of(RoleListener.STORES, stores)));
      }

      @Override
      public void close() {
        registration.unregister();
      }
    };
  }

  @Override
  public Load load(String name) {
    return new RunningLoad(name, RunningLoad.FEW_KEYS, this::putAndReadBack, null);
  }

  /** Of keys that nobody else writes. */
  private void putAndReadBack(String key, String value) throws Exception {
    long version = put(key, value);
    Entry expected = new Entry(key, value, version);
    Entry found = get(key, "linearizable");
    if (!expected.equals(found)) {
      throw new IllegalStateException(found + " was read after " + expected + " was acknowledged");
    }
  }
}
