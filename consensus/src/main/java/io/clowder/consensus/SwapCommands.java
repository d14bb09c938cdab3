// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import io.clowder.api.transport.Transport;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The shell commands that have a group go on in a next segment, {@code clowder:swap}, {@code
 * clowder:add} and {@code clowder:remove}, and {@code clowder:members}.
 */
@Component(
    service = SwapCommands.class,
    property = {
      "osgi.command.scope=clowder",
      "osgi.command.function=swap",
      "osgi.command.function=members",
      "osgi.command.function=add",
      "osgi.command.function=remove"
    })
public final class SwapCommands {
  /** A group as its commands see it. */
  interface Steering {
    /** Its name. */
    String name();

    /** What this node knows of it. */
    CompletionStage<GroupStatus> status();

    /** Has it go on in a next segment. */
    CompletionStage<Swap> swap(Successor successor, Consumer<String> progress, Duration deadline);
  }

  private final Node node;
  private final Transport transport;

  @Reference(
      name = "groups",
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<ConsensusGroup> groups = List.of();

  /** For Declarative Services. */
  @Activate
  public SwapCommands(
      @Reference(name = "node") Node node, @Reference(name = "transport") Transport transport) {
    this.node = node;
    this.transport = transport;
  }

  /** {@code clowder:swap [PROTOCOL]}. */
  public String swap(String... words) throws Exception {
    return new SwapCommand(this::group).run(words);
  }

  /** {@code clowder:members}. */
  public String members(String... words) throws Exception {
    return new Members(this::group, node, transport).run(words);
  }

  /** {@code clowder:add NODE=HOST:PORT}. */
  public String add(String... words) throws Exception {
    return new Add(this::group).run(words);
  }

  /** {@code clowder:remove NODE}. */
  public String remove(String... words) throws Exception {
    return new Remove(this::group).run(words);
  }

  private Steering group(String name) {
    List<ConsensusGroup> present = groups;
    return present.stream()
        .filter(group -> group.name().equals(name))
        .findFirst()
        .map(SwapCommands::steering)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no group '"
                        + name
                        + "' runs here; there are: "
                        + present.stream()
                            .map(ConsensusGroup::name)
                            .sorted()
                            .collect(Collectors.joining(", "))));
  }

  private static Steering steering(ConsensusGroup group) {
    return new Steering() {
      @Override
      public String name() {
        return group.name();
      }

      @Override
      public CompletionStage<GroupStatus> status() {
        return group.status();
      }

      @Override
      public CompletionStage<Swap> swap(
          Successor successor, Consumer<String> progress, Duration deadline) {
        return group.swap(successor, progress, deadline);
      }
    };
  }

  /** Finds groups by name; an {@link IllegalArgumentException} says that there is none. */
  interface Groups {
    /** The group of this node with this name. */
    Steering named(String name);
  }

  /** A command on one group. */
  private abstract static class GroupCommand extends ShellCommand {
    @Option(names = "--group", paramLabel = "NAME", description = "Which group (default main).")
    private String groupName = "main";

    private final Groups groups;

    GroupCommand(Groups groups) {
      this.groups = groups;
    }

    final Steering group() {
      return groups.named(groupName);
    }
  }

  /** A command that has a group go on in a next segment, and prints each stage as it comes. */
  private abstract static class SuccessorCommand extends GroupCommand {
    private static final int SECONDS_MAX = 3_600;

    @Option(
        names = "--timeout",
        paramLabel = "SECONDS",
        description = {
          "How long it may take, 1 to 3600 (default ${DEFAULT-VALUE});",
          "what does not stand by in three quarters of that is abandoned."
        })
    private int timeout;

    /** With the time that it may take unless told otherwise. */
    SuccessorCommand(Groups groups, int seconds) {
      super(groups);
      this.timeout = seconds;
    }

    /** What is to follow; an {@link IllegalArgumentException} says that the words are wrong. */
    abstract Successor successor();

    @Override
    protected Table execute() throws Exception {
      if (timeout < 1 || timeout > SECONDS_MAX) {
        throw new IllegalArgumentException(
            "--timeout " + timeout + ": use 1 to " + SECONDS_MAX + " seconds");
      }
      Duration limit = Duration.ofSeconds(timeout);
      Steering group = group();
      SwapProgress progress = new SwapProgress();
      Swap swap =
          progress.follow(
              group.swap(successor(), progress, limit),
              line -> {
                if (format() == Format.table) {
                  System.out.println(line);
                }
              },
              limit);
      return new Table("group", "segment", "protocol", "sealed_at", "gap_ms")
          .row(group.name(), swap.segment(), swap.protocol(), swap.sealedAt(), swap.gapMillis());
    }

    /** All was said while it happened. */
    @Override
    protected String toText(Table result) {
      return "";
    }
  }

  @Command(
      name = "clowder:swap",
      description = {
        "Has a group go on with another protocol while it serves.",
        "Without PROTOCOL, with the same one on its newest provider."
      })
  static final class SwapCommand extends SuccessorCommand {
    @Option(
        names = {"-p", "--parameter"},
        paramLabel = "NAME=VALUE",
        description = "A parameter of the protocol; may be given several times.")
    private Map<String, String> parameters = new TreeMap<>();

    @Parameters(
        index = "0",
        arity = "0..1",
        paramLabel = "PROTOCOL",
        description = "Such as raft or paxos.")
    private @Nullable String protocol;

    SwapCommand(Groups groups) {
      super(groups, 30);
    }

    @Override
    Successor successor() {
      if (protocol == null && !parameters.isEmpty()) {
        throw new IllegalArgumentException("-p needs the PROTOCOL that it is a parameter of");
      }
      return new Successor(protocol, new TreeMap<>(parameters), new TreeMap<>(), new TreeSet<>());
    }
  }

  @Command(
      name = "clowder:add",
      description = {
        "Makes a node a member of a group.",
        "It has to run already, without state, and wait to be added: clowder node --join."
      })
  static final class Add extends SuccessorCommand {
    @Parameters(index = "0", paramLabel = "NODE=HOST:PORT", description = "Who, and where it is.")
    private String member = "";

    Add(Groups groups) {
      super(groups, 60); // It fetches a snapshot first.
    }

    @Override
    Successor successor() {
      int equals = member.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("'" + member + "': write NODE=HOST:PORT");
      }
      return Successor.adding(
          new NodeId(member.substring(0, equals)), Address.parse(member.substring(equals + 1)));
    }
  }

  @Command(
      name = "clowder:remove",
      description = "Makes a node, up or down, no member of a group any more.")
  static final class Remove extends SuccessorCommand {
    @Parameters(index = "0", paramLabel = "NODE", description = "Who, such as n2.")
    private String member = "";

    Remove(Groups groups) {
      super(groups, 30);
    }

    @Override
    Successor successor() {
      return Successor.removing(new NodeId(member));
    }
  }

  @Command(
      name = "clowder:members",
      description = "Shows the members of a group, and which this node is in touch with.")
  static final class Members extends GroupCommand {
    private final Node node;
    private final Transport transport;

    Members(Groups groups, Node node, Transport transport) {
      super(groups);
      this.node = node;
      this.transport = transport;
    }

    @Override
    protected Table execute() throws Exception {
      GroupStatus status = await(group().status());
      Map<NodeId, Transport.Link> links =
          transport.links().stream().collect(Collectors.toMap(Transport.Link::peer, l -> l));
      Table table = new Table("node", "address", "role", "link", "directory");
      status
          .members()
          .forEach(
              (member, address) -> {
                boolean self = member.equals(node.id());
                table.row(
                    member,
                    address,
                    self ? status.role() : member.equals(status.leader()) ? "leader" : "member",
                    self ? "self" : link(links.get(member)),
                    self ? Long.toHexString(node.incarnation()) : null);
              });
      if (!status.members().containsKey(node.id())) {
        table.row(
            node.id(),
            node.members().get(node.id()),
            status.role(),
            "self",
            Long.toHexString(node.incarnation()));
      }
      return table;
    }

    private static String link(Transport.@Nullable Link link) {
      if (link == null) {
        return "none";
      }
      return link.up() ? "up" : "down" + (link.problem().isEmpty() ? "" : ": " + link.problem());
    }
  }
}
