// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.storage.Storage;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.api.transport.Transport;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Copies of one store in one process: real threads and disks, and consensus on one thread. */
final class CopyWorld implements AutoCloseable {
  static final String STORE = "s";
  static final NodeId N1 = new NodeId("n1");
  static final NodeId N2 = new NodeId("n2");
  static final NodeId N3 = new NodeId("n3");

  private static final long DEADLINE_NANOS = 60_000_000_000L;
  private static final long PAUSE_NANOS = 1_000_000L;

  final Map<NodeId, Box> boxes = new TreeMap<>();
  private final Path directory;
  private final Exchange exchange = new Exchange();
  private final ExecutorService council = Executors.newSingleThreadExecutor();
  private final ConfigMachine machine = new ConfigMachine((store, config) -> tell(config));
  private final SortedSet<NodeId> suspects = new TreeSet<>();
  private final long logBytes;
  private volatile @Nullable StoreConfig config;
  private long position;
  private long requests;

  /** A node. */
  final class Box implements Copy.Surroundings {
    final NodeId node;
    final Transport transport;
    final List<Long> applied = Collections.synchronizedList(new ArrayList<>());
    volatile @Nullable Copy copy;
    volatile String failure = "";
    long floor;

    /** What it throws when it is told of a record. */
    volatile @Nullable RuntimeException fault;

    UnaryOperator<Storage> around = UnaryOperator.identity();
    private @Nullable DiskStorage storage;
    private final Map<Long, Consumer<Reply>> asked = new TreeMap<>();
    private long questions;

    Box(NodeId node) {
      this.node = node;
      this.transport = exchange.of(node);
      var unused =
          transport.listen(
              StoreMessage.topic(STORE),
              (from, payload) -> received(from, StoreMessage.decode(payload)));
    }

    private void received(NodeId from, StoreMessage message) {
      Copy present = copy;
      if (message instanceof StoreMessage.Told told) {
        Consumer<Reply> then;
        synchronized (asked) {
          then = asked.remove(told.number());
        }
        if (then != null) {
          then.accept(told.reply());
        }
      } else if (present != null) {
        present.received(from, message);
      }
    }

    Copy copy() {
      Copy present = copy;
      if (present == null) {
        throw new AssertionError(node + " is down");
      }
      return present;
    }

    View view() {
      return copy().view();
    }

    Path path() {
      return directory.resolve(node.value());
    }

    Copy start() throws IOException {
      Files.createDirectories(path());
      storage = DiskStorage.open(path(), node, "c", new Random(node.hashCode()));
      Copy opened =
          Copy.open(
              new Copy.Setting(STORE, Timing.USUAL, logBytes, 1 << 30),
              node,
              around.apply(storage),
              transport,
              floor,
              this);
      copy = opened;
      StoreConfig present = config;
      if (present != null) {
        opened.configured(present);
      }
      synchronized (suspects) {
        suspects.remove(node);
      }
      tellSuspects();
      return opened;
    }

    /** As a process ends that is killed: the others come to suspect it. */
    void kill() throws IOException {
      end(Copy::abort);
      synchronized (suspects) {
        suspects.add(node);
      }
      tellSuspects();
    }

    /** As a process ends that is stopped. */
    void stop() throws IOException {
      end(Copy::close);
    }

    private void end(Consumer<Copy> how) throws IOException {
      Copy ended = copy();
      how.accept(ended);
      floor = ended.floor();
      copy = null;
      DiskStorage present = storage;
      if (present != null) {
        present.close();
      }
    }

    /** Asks a node's copy over the network. */
    CompletableFuture<Reply> ask(NodeId other, Question question) {
      CompletableFuture<Reply> told = new CompletableFuture<>();
      long number;
      synchronized (asked) {
        number = ++questions;
        asked.put(number, told::complete);
      }
      transport.send(
          other, StoreMessage.topic(STORE), new StoreMessage.Ask(number, question).encode());
      return told;
    }

    @Override
    public void propose(ConfigCommand command) {
      CopyWorld.this.propose(command);
    }

    @Override
    public void confirm(Consumer<StoreConfig> then) {
      council.execute(
          () -> {
            StoreConfig present = config;
            if (present != null) {
              then.accept(present);
            }
          });
    }

    @Override
    public void roleMayHaveChanged() {}

    @Override
    public void failed(String why, Throwable cause) {
      failure = why;
    }

    @Override
    public void applied(LogRecord record) {
      RuntimeException thrown = fault;
      if (thrown != null) {
        throw thrown;
      }
      applied.add(record.seq());
    }
  }

  /** Three nodes that are down. */
  CopyWorld(Path directory, long logBytes) {
    this.directory = directory;
    this.logBytes = logBytes;
    for (NodeId node : List.of(N1, N2, N3)) {
      boxes.put(node, new Box(node));
    }
  }

  /** All nodes run, and their copies are in sync. */
  void found() throws IOException {
    for (Box box : boxes.values()) {
      box.start();
    }
    found(2);
    awaitInSync(3);
  }

  /** Makes the store of the first node's copy alone; the others come by themselves. */
  void found(int minInsync) {
    propose(new ConfigCommand.Create(minInsync, 3, new TreeSet<>(List.of(box(N1).copy().id()))));
  }

  Box box(NodeId node) {
    Box box = boxes.get(node);
    if (box == null) {
      throw new AssertionError("no node " + node);
    }
    return box;
  }

  @Override
  public void close() throws IOException {
    council.shutdown();
    for (Box box : boxes.values()) {
      if (box.copy != null) {
        box.end(Copy::abort);
      }
    }
    exchange.close();
  }

  // ---- consensus and the failure detector ------------------------------------------------------

  void propose(ConfigCommand command) {
    if (!council.isShutdown()) {
      council.execute(
          () -> {
            byte[] bytes = ConfigMachine.encode(STORE, command);
            machine.apply(new Entry(Entry.Kind.COMMAND, ++position, 0, 1, bytes));
          });
    }
  }

  private void tell(StoreConfig next) {
    config = next;
    for (Box box : boxes.values()) {
      Copy copy = box.copy;
      if (copy != null) {
        copy.configured(next);
      }
    }
  }

  private void tellSuspects() {
    SortedSet<NodeId> present;
    synchronized (suspects) {
      present = new TreeSet<>(suspects);
    }
    for (Box box : boxes.values()) {
      Copy copy = box.copy;
      if (copy != null) {
        copy.suspects(present);
      }
    }
  }

  StoreConfig config() {
    StoreConfig present = config;
    if (present == null) {
      throw new AssertionError("there is no store");
    }
    return present;
  }

  /** The node of the primary, when there is one. */
  NodeId primary() {
    await("a primary", () -> config != null && config().primary() != null);
    ReplicaId primary = config().primary();
    return primary == null ? primary() : primary.node();
  }

  /** A node that is not the primary's. */
  NodeId backup() {
    NodeId primary = primary();
    return boxes.keySet().stream().filter(it -> !it.equals(primary)).findFirst().orElseThrow();
  }

  void awaitInSync(int count) {
    await(
        count + " in sync",
        () -> config != null && config().insync().size() == count && config().primary() != null);
  }

  static void await(String what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > DEADLINE_NANOS) {
        throw new AssertionError("not within a minute: " + what);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Nothing reaches a node any more, or leaves it. */
  void cut(NodeId node) {
    exchange.cut(node);
  }

  // ---- clients ---------------------------------------------------------------------------------

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Writes, and tries again, as the same request, until it is told what came of it. */
  long put(String key, String value) {
    return write(Op.of(new Step.Put(key, bytes(value))));
  }

  long write(Op op) {
    Question question = new Question.Write(new RequestId(1, ++requests), op);
    Reply reply = until(question, this::primary, Reply.Answered.class);
    return ((Answer.Changed) ((Reply.Answered) reply).answer()).version();
  }

  /** The value of a key, or nothing; by a linearizable read of one node's copy. */
  String get(NodeId node, String key) {
    Question question = new Question.Read(Freshness.LINEARIZABLE, new Query.Get(key));
    Reply reply = until(question, () -> node, Reply.Answered.class);
    Answer.Entries entries = (Answer.Entries) ((Reply.Answered) reply).answer();
    return entries.rows().isEmpty()
        ? ""
        : new String(entries.rows().get(0).value(), StandardCharsets.UTF_8);
  }

  /** Asks until the reply is of a kind. */
  Reply until(Question question, Supplier<NodeId> whom, Class<? extends Reply> wanted) {
    List<Reply> last = new ArrayList<>();
    await(
        wanted.getSimpleName() + " to " + question,
        () -> {
          last.clear();
          last.add(ask(whom.get(), question));
          return wanted.isInstance(last.get(0));
        });
    return last.get(0);
  }

  /** Asks once; a refusal if there is no copy, or no answer in a second. */
  Reply ask(NodeId node, Question question) {
    Copy copy = box(node).copy;
    Reply.Refused none = new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.MAY_HAVE_HAPPENED);
    if (copy == null) {
      return none;
    }
    CompletableFuture<Reply> told = new CompletableFuture<>();
    copy.ask(question, told::complete);
    try {
      return told.get(1, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      return none;
    } catch (ExecutionException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
