// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.Step;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreRole;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.StoreStatus.Copy;
import io.clowder.api.store.StoreStatus.Lag;
import io.clowder.api.store.Watch;
import io.clowder.api.store.WriteOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A store on one node alone, which notes how it was asked; and what one may be told of it. */
final class NotedStore implements ReplicatedStore, StoreAdmin {
  final List<WriteOptions> writes = new ArrayList<>();
  final List<Freshness> reads = new ArrayList<>();
  final List<String> orders = new ArrayList<>();
  final List<Verification> copies = new ArrayList<>();

  StoreRole role = StoreRole.PRIMARY;
  @Nullable NodeId primary = new NodeId("n1");
  @Nullable Copy copy = new Copy(1, 12, 12, 11, 3, 512, 0);
  SortedSet<NodeId> learners = new TreeSet<>();

  /** How many entries a page has at most. */
  int pageEntries = 2;

  private final String name;
  private final TreeMap<String, KvEntry> entries = new TreeMap<>();
  private long seq;

  NotedStore(String name) {
    this.name = name;
  }

  static SortedSet<NodeId> nodes(String... names) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    for (String node : names) {
      nodes.add(new NodeId(node));
    }
    return nodes;
  }

  Map<String, Object> properties() {
    return Map.of(NAME, name);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Long> put(String key, byte[] value, WriteOptions options) {
    writes.add(options);
    entries.put(key, new KvEntry(key, value, ++seq));
    return CompletableFuture.completedStage(seq);
  }

  @Override
  public CompletionStage<Boolean> delete(String key, WriteOptions options) {
    writes.add(options);
    seq++;
    return CompletableFuture.completedStage(entries.remove(key) != null);
  }

  @Override
  public CompletionStage<Long> compareAndSet(
      String key, long expected, byte[] value, WriteOptions options) {
    KvEntry found = entries.get(key);
    long version = found == null ? 0 : found.version();
    return version == expected
        ? put(key, value, options)
        : CompletableFuture.failedStage(refused(Reason.CONFLICT, key + " has " + version));
  }

  @Override
  public CompletionStage<Long> apply(List<Step> steps, WriteOptions options) {
    throw new AssertionError("no command does batches");
  }

  @Override
  public CompletionStage<@Nullable KvEntry> get(String key, Freshness freshness) {
    reads.add(freshness);
    return CompletableFuture.completedStage(entries.get(key));
  }

  @Override
  public CompletionStage<List<KvEntry>> scan(
      String prefix, @Nullable String after, int limit, Freshness freshness) {
    reads.add(freshness);
    return CompletableFuture.completedStage(
        entries.values().stream()
            .filter(it -> it.key().startsWith(prefix))
            .filter(it -> after == null || it.key().compareTo(after) > 0)
            .limit(Math.min(limit, pageEntries))
            .toList());
  }

  @Override
  public Watch watch(String prefix, long from, ChangeListener listener) {
    throw new AssertionError("no command watches");
  }

  @Override
  public StoreStatus status() {
    return new StoreStatus(
        name,
        role,
        4,
        primary,
        2,
        nodes("n1", "n2"),
        nodes(),
        learners,
        nodes(),
        copy,
        role == StoreRole.PRIMARY
            ? List.of(
                new Lag(new NodeId("n2"), 12, 0, 0, 0), new Lag(new NodeId("n3"), 2, 10, -1, 900))
            : List.of());
  }

  private CompletionStage<StoreStatus> ordered(String order) {
    orders.add(order);
    return CompletableFuture.completedStage(status());
  }

  @Override
  public CompletionStage<StoreStatus> switchover(@Nullable NodeId to) {
    return ordered("switchover " + to);
  }

  @Override
  public CompletionStage<StoreStatus> fail(NodeId node) {
    return ordered("fail " + node);
  }

  @Override
  public CompletionStage<StoreStatus> add(NodeId node) {
    return ordered("add " + node);
  }

  @Override
  public CompletionStage<StoreStatus> remove(NodeId node) {
    return ordered("remove " + node);
  }

  @Override
  public CompletionStage<List<Verification>> verify(boolean isRepairing) {
    orders.add("verify " + isRepairing);
    return CompletableFuture.completedStage(copies);
  }

  @Override
  public CompletionStage<LossReport> forecast(NodeId node) {
    return CompletableFuture.completedStage(
        new LossReport(
            node, 4, 12, 15, List.of("n1 is down", "3 writes of n1 would be lost"), "c0ffee"));
  }

  @Override
  public CompletionStage<StoreStatus> forcePromote(NodeId node, String consent) {
    return ordered("force-promote " + node + " " + consent);
  }

  @Override
  public List<LogLine> log(int count) {
    LogLine all = new LogLine(12, 4, false, 40, "put a (1 byte)");
    return List.of(new LogLine(11, 4, true, 30, "delete b"), all)
        .subList(Math.max(0, 2 - count), 2);
  }

  /** A value that is set behind the commands' back. */
  void set(String key, byte... value) {
    entries.put(key, new KvEntry(key, value, ++seq));
  }

  void set(String key, String value) {
    set(key, value.getBytes(StandardCharsets.UTF_8));
  }
}
