// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.shell.Diagnosis;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import picocli.CommandLine.Command;

/** The shell commands {@code clowder:status} and {@code clowder:why}. */
@Component(
    service = ClowderCommands.class,
    property = {
      "osgi.command.scope=clowder",
      "osgi.command.function=status",
      "osgi.command.function=why"
    })
public final class ClowderCommands {
  private final BundleContext context;

  @Reference(
      name = "groups",
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<ConsensusGroup> groups = List.of();

  @Reference(
      name = "diagnoses",
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<Diagnosis> diagnoses = List.of();

  /** For Declarative Services. */
  @Activate
  public ClowderCommands(BundleContext context) {
    this.context = context;
  }

  /** What this node knows of its groups. */
  public String status(String... words) throws Exception {
    return new Status(this::all).run(words);
  }

  /** What holds progress up on this node. */
  public String why(String... words) throws Exception {
    return new Why(this::all, this::others).run(words);
  }

  private List<GroupStatus> all() {
    List<GroupStatus> all = new ArrayList<>();
    for (ConsensusGroup group : groups) {
      try {
        all.add(group.status().toCompletableFuture().get(1, TimeUnit.SECONDS));
      } catch (ExecutionException | TimeoutException e) {
        throw new IllegalStateException(
            "a group's thread does not answer; is the machine overloaded?", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
    all.sort(Comparator.comparing(GroupStatus::group));
    return all;
  }

  /** What is not about a group: bundles that are not active, and what bundles say themselves. */
  private List<String> others() {
    List<String> found = new ArrayList<>();
    diagnoses.forEach(it -> found.addAll(it.problems()));
    for (Bundle bundle : context.getBundles()) {
      String symbolicName = String.valueOf(bundle.getSymbolicName());
      boolean fragment = bundle.getHeaders().get(Constants.FRAGMENT_HOST) != null;
      if (symbolicName.startsWith("io.clowder.")
          && bundle.getState() != Bundle.ACTIVE
          && bundle.getState() != Bundle.STARTING
          && !fragment) {
        found.add("bundle: " + symbolicName + " is not active; try: start " + bundle.getBundleId());
      }
    }
    return found;
  }

  @Command(
      name = "clowder:status",
      description = "Show what this node knows of its consensus groups.")
  static final class Status extends ShellCommand {
    private final Supplier<List<GroupStatus>> groups;

    Status(Supplier<List<GroupStatus>> groups) {
      this.groups = groups;
    }

    @Override
    protected Table execute() {
      Table table =
          new Table(
              "node",
              "group",
              "role",
              "leader",
              "protocol",
              "segment",
              "term",
              "committed",
              "applied",
              "snapshot",
              "members",
              "transition",
              "problems");
      for (GroupStatus s : groups.get()) {
        table.row(
            s.node(),
            s.group(),
            s.role(),
            s.leader(),
            s.protocol(),
            s.segment(),
            s.term(),
            s.committed(),
            s.applied(),
            s.snapshot(),
            s.members().keySet().stream().map(Object::toString).collect(Collectors.joining(",")),
            s.transition(),
            String.join("; ", s.problems()));
      }
      return table;
    }

    /** What is empty nearly always does not widen every line. */
    @Override
    protected String toText(Table result) {
      return result.withoutIfEmpty("transition").toText();
    }
  }

  @Command(name = "clowder:why", description = "Say what holds progress up on this node.")
  static final class Why extends ShellCommand {
    private final Supplier<List<GroupStatus>> groups;
    private final Supplier<List<String>> others;

    Why(Supplier<List<GroupStatus>> groups, Supplier<List<String>> others) {
      this.groups = groups;
      this.others = others;
    }

    @Override
    protected Table execute() {
      Table table = new Table("group", "problem");
      others.get().forEach(problem -> table.row("-", problem));
      List<GroupStatus> found = groups.get();
      if (found.isEmpty()) {
        table.row(
            "-",
            "no consensus group runs here: it needs the storage and transport bundles, and a"
                + " configuration io.clowder.consensus.group~NAME");
      }
      for (GroupStatus s : found) {
        s.problems().forEach(problem -> table.row(s.group(), problem));
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? "nothing holds progress up" : result.toText();
    }
  }
}
