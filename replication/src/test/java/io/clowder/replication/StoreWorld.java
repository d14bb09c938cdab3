// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.clowder.api.CoordinationException;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.storage.Storage;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A store on several nodes in one process, as users and operators have it. */
final class StoreWorld implements Registrar, AutoCloseable {
  static final String STORE = "s";

  final SortedMap<NodeId, NodeStore> nodes = new ConcurrentSkipListMap<>();
  final Exchange exchange = new Exchange();
  StoreSetting setting =
      new StoreSetting(3, 2, Duration.ofSeconds(20), Duration.ofSeconds(1), 64 << 20, 100 << 20);
  UnaryOperator<Storage> around = UnaryOperator.identity();

  /** Whether consensus does not answer. */
  volatile boolean isMute;

  /** Whether it is known to hear this node, all the same. */
  volatile boolean isReached = true;

  private final Path directory;
  private final ExecutorService council = Executors.newSingleThreadExecutor();
  private final Map<String, StoreConfig> configs = new ConcurrentHashMap<>();
  private final ConfigMachine machine = new ConfigMachine(this::decided);
  private final Map<NodeId, DiskStorage> disks = new TreeMap<>();
  private final SortedSet<NodeId> suspects = new TreeSet<>();
  private long position;

  StoreWorld(Path directory) {
    this.directory = directory;
  }

  NodeId id(int number) {
    return new NodeId("n" + number);
  }

  NodeStore node(int number) {
    NodeStore node = nodes.get(id(number));
    if (node == null) {
      throw new AssertionError("n" + number + " is down");
    }
    return node;
  }

  StoreWorld start(int... numbers) throws IOException {
    for (int number : numbers) {
      NodeId id = id(number);
      Path path = Files.createDirectories(directory.resolve(id.value()));
      DiskStorage disk = DiskStorage.open(path, id, "c", new Random(number));
      disks.put(id, disk);
      NodeStore node =
          new NodeStore(STORE, id, setting, around.apply(disk), exchange.of(id), this, () -> {});
      nodes.put(id, node);
      suspects.remove(id);
      StoreConfig config = configs.get(STORE);
      if (config != null) {
        node.configured(config);
      }
      node.start();
    }
    tellSuspects();
    return this;
  }

  /** It ends in order, with a hand-over, or as if it was killed. */
  void stop(int number, boolean isKilled) throws IOException {
    NodeStore node = node(number);
    nodes.remove(id(number));
    if (isKilled) {
      node.abort();
    } else {
      node.close();
    }
    disks.remove(id(number)).close();
    suspects.add(id(number));
    tellSuspects();
  }

  /** Flips a byte in the middle of the journal's records, behind the back of its owner. */
  void damage(int number) throws IOException {
    Path journals = directory.resolve(id(number).value()).resolve("journals/stores/" + STORE);
    try (Stream<Path> files = Files.walk(journals)) {
      Path journal =
          files.filter(it -> it.toString().endsWith(".journal")).findFirst().orElseThrow();
      try (FileChannel channel = FileChannel.open(journal, READ, WRITE)) {
        ByteBuffer one = ByteBuffer.allocate(1);
        long at = 8_192;
        channel.read(one, at);
        one.put(0, (byte) ~one.get(0)).rewind();
        channel.write(one, at);
      }
    }
  }

  private void tellSuspects() {
    nodes.values().forEach(it -> it.suspects(new TreeSet<>(suspects)));
  }

  int primary() {
    CopyWorld.await("a primary", () -> config().primary() != null);
    ReplicaId primary = config().primary();
    return primary == null ? primary() : Integer.parseInt(primary.node().value().substring(1));
  }

  int backup() {
    int primary = primary();
    return nodes.keySet().stream()
        .mapToInt(it -> Integer.parseInt(it.value().substring(1)))
        .filter(it -> it != primary)
        .findFirst()
        .orElseThrow();
  }

  StoreConfig config() {
    CopyWorld.await("a configuration", () -> configs.get(STORE) != null);
    StoreConfig config = configs.get(STORE);
    return config == null ? config() : config;
  }

  StoreWorld awaitInSync(int count) {
    CopyWorld.await(
        count + " in sync",
        () -> {
          StoreConfig config = config();
          return config.insync().size() == count
              && config.primary() != null
              && nodes.values().stream().allMatch(it -> isKnown(config, it.view()));
        });
    return this;
  }

  /** A copy is told of what is decided a little later. */
  private static boolean isKnown(StoreConfig config, @Nullable View view) {
    return view == null || config.equals(view.config());
  }

  static <T> T get(CompletionStage<T> stage) throws CoordinationException {
    try {
      return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CoordinationException failure) {
        throw failure;
      }
      throw new AssertionError(e);
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() throws IOException {
    nodes.values().forEach(NodeStore::abort);
    for (DiskStorage disk : disks.values()) {
      disk.close();
    }
    council.shutdown();
    exchange.close();
  }

  // ---- consensus -----------------------------------------------------------------------------

  private void decided(String store, StoreConfig config) {
    configs.put(store, config);
    nodes.values().forEach(it -> it.configured(config));
  }

  @Override
  public CompletionStage<@Nullable StoreConfig> submit(String store, ConfigCommand command) {
    if (isMute) {
      return new CompletableFuture<>();
    }
    return CompletableFuture.supplyAsync(
        () -> {
          byte[] bytes = ConfigMachine.encode(store, command);
          Entry entry = new Entry(Entry.Kind.COMMAND, ++position, 0, 1, bytes);
          return ConfigMachine.decode(machine.apply(entry));
        },
        council);
  }

  @Override
  public CompletionStage<@Nullable StoreConfig> confirm(String store) {
    if (isMute) {
      return new CompletableFuture<>();
    }
    return CompletableFuture.supplyAsync(
        () -> ConfigMachine.decode(machine.query(store.getBytes(StandardCharsets.UTF_8))), council);
  }

  @Override
  public boolean isReached() {
    return isReached;
  }

  @Override
  public int load(NodeId node) {
    return 0;
  }
}
