// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code clowder swap|add|remove|members}: commands of the same name in a node's shell, which says
 * what comes of them while it happens.
 */
abstract class GroupCommand implements Callable<Integer> {
  @Mixin private NodeOption node = new NodeOption();

  @Option(
      names = "--group",
      paramLabel = "NAME",
      defaultValue = "main",
      description = "Which group (default: ${DEFAULT-VALUE}).")
  private String group = "main";

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      paramLabel = "table|json",
      description = "How to print the result (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  /** The command of the shell and its own words. */
  abstract List<String> words() throws CommandFailure;

  @Override
  public Integer call() throws IOException, CommandFailure {
    List<String> words = new ArrayList<>(words());
    words.addAll(List.of("--group", group, "-o", format.name()));
    return node.run(words);
  }

  /** A command that takes its time. */
  abstract static class Timed extends GroupCommand {
    private static final int SECONDS_MAX = 3_600;

    @Option(
        names = "--timeout",
        paramLabel = "SECONDS",
        description = "How long it may take, 1 to 3600 (default: 30, to add 60).")
    private @Nullable Integer timeout;

    final List<String> timed(List<String> words) throws CommandFailure {
      if (timeout == null) {
        return words;
      }
      if (timeout < 1 || timeout > SECONDS_MAX) {
        throw CommandFailure.usage("--timeout " + timeout + ": use 1 to " + SECONDS_MAX);
      }
      List<String> timed = new ArrayList<>(words);
      timed.add("--timeout=" + timeout);
      return timed;
    }
  }

  @Command(
      name = "swap",
      description = {
        "Has the cluster go on with another protocol while it serves.",
        "Prints each stage; without PROTOCOL, the same one follows on its newest provider."
      })
  static final class Swap extends Timed {
    @Option(
        names = {"-p", "--parameter"},
        paramLabel = "NAME=VALUE",
        description = "A parameter of the protocol; may be given several times.")
    private List<String> parameters = new ArrayList<>();

    @Parameters(arity = "0..1", paramLabel = "PROTOCOL", description = "Such as raft or paxos.")
    private @Nullable String protocol;

    @Override
    List<String> words() throws CommandFailure {
      List<String> words = new ArrayList<>(List.of("clowder:swap"));
      for (String parameter : parameters) {
        if (protocol == null || parameter.indexOf('=') < 1) {
          throw CommandFailure.usage(
              protocol == null
                  ? "-p needs the PROTOCOL that it is a parameter of"
                  : "-p " + parameter + ": write NAME=VALUE");
        }
        words.addAll(List.of("-p", parameter));
      }
      if (protocol != null) {
        words.add(protocol);
      }
      return timed(words);
    }
  }

  @Command(
      name = "add",
      description = {
        "Makes a node a member of the cluster.",
        "It has to run already and wait for that; see: clowder node --join."
      })
  static final class Add extends Timed {
    @Parameters(paramLabel = "NODE=HOST:PORT", description = "Who, and where it listens.")
    private String member = "";

    @Override
    List<String> words() throws CommandFailure {
      int equals = member.indexOf('=');
      if (equals < 1) {
        throw CommandFailure.usage("'" + member + "': write NODE=HOST:PORT");
      }
      try {
        new NodeId(member.substring(0, equals));
        Address.parse(member.substring(equals + 1));
      } catch (IllegalArgumentException e) {
        throw CommandFailure.usage(e.getMessage());
      }
      return timed(List.of("clowder:add", member));
    }
  }

  @Command(
      name = "remove",
      description = "Makes a node, running or not, no member of the cluster any more.")
  static final class Remove extends Timed {
    @Parameters(paramLabel = "NODE", description = "The node's name, such as n1.")
    private String member = "";

    @Override
    List<String> words() throws CommandFailure {
      try {
        return timed(List.of("clowder:remove", new NodeId(member).value()));
      } catch (IllegalArgumentException e) {
        throw CommandFailure.usage(e.getMessage());
      }
    }
  }

  @Command(
      name = "members",
      description = "Shows the members of the cluster, and which of them a node is in touch with.")
  static final class Members extends GroupCommand {
    @Override
    List<String> words() {
      return List.of("clowder:members");
    }
  }
}
