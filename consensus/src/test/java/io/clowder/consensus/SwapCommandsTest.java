// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.transport.Transport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SwapCommandsTest {
  private static final SortedMap<NodeId, Address> MEMBERS =
      new TreeMap<>(
          Map.of(
              new NodeId("n1"), new Address("127.0.0.1", 7001),
              new NodeId("n2"), new Address("127.0.0.1", 7002),
              new NodeId("n3"), new Address("127.0.0.1", 7003)));

  private final Steered group = new Steered();

  @Test
  void everyStageIsALine() throws Exception {
    group.stages = List.of("prepared paxos (segment 1) on n1, n2, n3", "sealed at 81245");
    assertEquals(
        "prepared paxos (segment 1) on n1, n2, n3\nsealed at 81245\n",
        run(new SwapCommands.SwapCommand(this::named), "paxos"));
    assertEquals(Successor.of("paxos", new TreeMap<>()), group.asked.get(0));
    assertEquals(Duration.ofSeconds(30), group.deadline);
  }

  @Test
  void linesAreReadOnTheThreadThatWaits() throws Exception {
    SwapProgress progress = new SwapProgress();
    CompletableFuture<Swap> swap = new CompletableFuture<>();
    Thread runtime =
        new Thread(
            () -> {
              progress.accept("one");
              progress.accept("two");
              swap.complete(group.result);
            });
    List<String> read = new ArrayList<>();
    Thread self = Thread.currentThread();
    runtime.start();
    Swap result =
        progress.follow(
            swap,
            line -> {
              assertEquals(self, Thread.currentThread());
              read.add(line);
            },
            Duration.ofSeconds(30));
    runtime.join();
    assertEquals(group.result, result);
    assertEquals(List.of("one", "two"), read);
  }

  @Test
  void aGroupThatNeverAnswersIsNotWaitedForForever() {
    SwapProgress progress = new SwapProgress();
    CoordinationException failure =
        assertThrows(
            CoordinationException.class,
            () -> progress.follow(new CompletableFuture<>(), line -> {}, Duration.ofSeconds(-10)));
    assertEquals(Reason.TIMEOUT, failure.reason());
    assertEquals(CoordinationException.Outcome.MAY_HAVE_HAPPENED, failure.outcome());
  }

  @Test
  void jsonIsTheResultAlone() throws Exception {
    group.stages = List.of("prepared");
    assertEquals(
        "[\n  {\"group\": \"main\", \"segment\": 1, \"protocol\": \"paxos\", \"sealed_at\": 81245,"
            + " \"gap_ms\": 14}\n]",
        run(new SwapCommands.SwapCommand(this::named), "paxos", "-o", "json"));
  }

  @Test
  void withoutAProtocolTheSameFollows() throws Exception {
    assertEquals("", run(new SwapCommands.SwapCommand(this::named), "--timeout", "5"));
    assertEquals(Successor.same(), group.asked.get(0));
    assertEquals(Duration.ofSeconds(5), group.deadline);
  }

  @Test
  void parametersGoWithTheProtocol() throws Exception {
    run(
        new SwapCommands.SwapCommand(this::named),
        "paxos",
        "-p",
        "quorum.accept=2",
        "--parameter",
        "other=a=b");
    assertEquals(
        new TreeMap<>(Map.of("quorum.accept", "2", "other", "a=b")),
        group.asked.get(0).parameters());
  }

  @Test
  void aRefusalIsTheFailureInOneLine() {
    group.failure =
        CoordinationException.refused(
            Reason.UNAVAILABLE, "refused, nothing has changed; n2: no provider");
    assertEquals(
        "refused, nothing has changed; n2: no provider",
        error(new SwapCommands.SwapCommand(this::named), "paxos"));
  }

  @Test
  void whatMakesNoSenseNeverReachesTheGroup() {
    wrong("--timeout 0: use 1 to 3600", new SwapCommands.SwapCommand(this::named), "--timeout=0");
    wrong("--timeout 3601", new SwapCommands.SwapCommand(this::named), "--timeout", "3601");
    wrong("'soon' is not an int", new SwapCommands.SwapCommand(this::named), "--timeout", "soon");
    wrong("-p needs the PROTOCOL", new SwapCommands.SwapCommand(this::named), "-p", "a=1");
    wrong("NAME=VALUE", new SwapCommands.SwapCommand(this::named), "paxos", "-p", "a");
    wrong("Unmatched argument", new SwapCommands.SwapCommand(this::named), "paxos", "raft");
    wrong("no group 'side'", new SwapCommands.SwapCommand(this::named), "--group", "side");
    wrong("no group 'side'", new SwapCommands.Remove(this::named), "n1", "--group", "side");
    wrong("Missing required parameter", new SwapCommands.Add(this::named));
    wrong("write NODE=HOST:PORT", new SwapCommands.Add(this::named), "n4");
    wrong("write HOST:PORT", new SwapCommands.Add(this::named), "n4=here");
    wrong("the port is not a number", new SwapCommands.Add(this::named), "n4=here:x");
    wrong("use 1 to 65535", new SwapCommands.Add(this::named), "n4=here:0");
    wrong("node id 'n 4'", new SwapCommands.Add(this::named), "n 4=here:1");
    wrong("Missing required parameter", new SwapCommands.Remove(this::named));
    wrong("node id '-'", new SwapCommands.Remove(this::named), "-");
    assertEquals(List.of(), group.asked);
  }

  @Test
  void membersComeAndGo() throws Exception {
    run(new SwapCommands.Add(this::named), "n4=127.0.0.1:7004");
    assertEquals(Duration.ofSeconds(60), group.deadline);
    run(new SwapCommands.Remove(this::named), "n2");
    assertEquals(
        List.of(
            Successor.adding(new NodeId("n4"), new Address("127.0.0.1", 7004)),
            Successor.removing(new NodeId("n2"))),
        group.asked);
  }

  @Test
  void membersAreATable() throws Exception {
    List<Transport.Link> links =
        List.of(
            new Transport.Link(new NodeId("n2"), true, 0, "", 0),
            new Transport.Link(new NodeId("n3"), false, 0, "connection refused", -1));
    assertEquals(
        """
        NODE  ADDRESS         ROLE      LINK                      DIRECTORY
        n1    127.0.0.1:7001  follower  self                      ab
        n2    127.0.0.1:7002  leader    up                        -
        n3    127.0.0.1:7003  member    down: connection refused  -""",
        run(new SwapCommands.Members(this::named, new Self("n1"), new Links(links))));
    // Whoever is not a member sees itself, too.
    assertTrue(
        run(new SwapCommands.Members(this::named, new Self("n9"), new Links(links)))
            .contains("n9    -               follower  self"));
  }

  private SwapCommands.Steering named(String name) {
    if (!name.equals("main")) {
      throw new IllegalArgumentException("no group '" + name + "' runs here; there are: main");
    }
    return group;
  }

  /** What the command prints and gives. */
  private static String run(ShellCommand command, String... words) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      String result = command.run(words);
      return out.toString(StandardCharsets.UTF_8) + result;
    } finally {
      System.setOut(before);
    }
  }

  private static String error(ShellCommand command, String... words) {
    Executable run = () -> command.run(words);
    return String.valueOf(assertThrows(Exception.class, run).getMessage());
  }

  private static void wrong(String part, ShellCommand command, String... words) {
    String message = error(command, words);
    assertTrue(message.contains(part), message);
    assertEquals(1, message.lines().count());
  }

  /** A group that does at once what it is asked for. */
  private static final class Steered implements SwapCommands.Steering {
    final Swap result = new Swap(1, "paxos", 81_245, 14);
    final List<Successor> asked = new ArrayList<>();
    List<String> stages = List.of();
    CoordinationException failure;
    Duration deadline = Duration.ZERO;

    @Override
    public String name() {
      return "main";
    }

    @Override
    public CompletionStage<GroupStatus> status() {
      return CompletableFuture.completedFuture(
          new GroupStatus(
              "main",
              new NodeId("n1"),
              "raft",
              0,
              "follower",
              new NodeId("n2"),
              1,
              9,
              9,
              0,
              1,
              MEMBERS,
              "",
              List.of()));
    }

    @Override
    public CompletionStage<Swap> swap(
        Successor successor, Consumer<String> progress, Duration limit) {
      asked.add(successor);
      deadline = limit;
      stages.forEach(progress);
      return failure == null
          ? CompletableFuture.completedFuture(result)
          : CompletableFuture.failedFuture(failure);
    }
  }

  /** This node. */
  private record Self(NodeId id) implements Node {
    Self(String name) {
      this(new NodeId(name));
    }

    @Override
    public String cluster() {
      return "test";
    }

    @Override
    public long incarnation() {
      return 0xab;
    }

    @Override
    public SortedMap<NodeId, Address> members() {
      return MEMBERS;
    }
  }

  /** A transport that has links and nothing else. */
  private record Links(List<Transport.Link> links) implements Transport {
    @Override
    public boolean send(NodeId to, String topic, ByteBuffer payload) {
      throw new AssertionError("nothing is sent");
    }

    @Override
    public boolean sendUrgent(NodeId to, String topic, ByteBuffer payload) {
      throw new AssertionError("nothing is sent");
    }

    @Override
    public Registration listen(String topic, Receiver receiver) {
      throw new AssertionError("nobody listens");
    }

    @Override
    public Registration meet(NodeId id, Address address) {
      throw new AssertionError("nobody is met");
    }
  }
}
