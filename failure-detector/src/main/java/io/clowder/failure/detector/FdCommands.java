// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.FailureDetector;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The failure detector in the shell. */
@Component(
    service = FdCommands.class,
    property = {
      "osgi.command.scope=fd",
      "osgi.command.function=status",
      "osgi.command.function=suspects",
      "osgi.command.function=view",
      "osgi.command.function=qos",
      "osgi.command.function=history",
      "osgi.command.function=self"
    })
public final class FdCommands {
  private final FailureDetector detector;

  /** Commands on a detector. */
  @Activate
  public FdCommands(@Reference(name = "detector") FailureDetector detector) {
    this.detector = detector;
  }

  /** {@code fd:status}. */
  public String status(String... words) throws Exception {
    return new Status(detector, it -> true).run(words);
  }

  /** {@code fd:suspects}. */
  public String suspects(String... words) throws Exception {
    return new Suspects(detector).run(words);
  }

  /** {@code fd:view}. */
  public String view(String... words) throws Exception {
    return new View(detector).run(words);
  }

  /** {@code fd:qos [NODE]}. */
  public String qos(String... words) throws Exception {
    return new Qos(detector).run(words);
  }

  /** {@code fd:history [NODE]}. */
  public String history(String... words) throws Exception {
    return new History(detector).run(words);
  }

  /** {@code fd:self}. */
  public String self(String... words) throws Exception {
    return new Self(detector).run(words);
  }

  /** A command on a detector. */
  private abstract static class FdCommand extends ShellCommand {
    final FailureDetector detector;

    FdCommand(FailureDetector detector) {
      this.detector = detector;
    }
  }

  @Command(
      name = "fd:status",
      description = {
        "What this node takes each other one for.",
        "LEVEL is minus the decimal logarithm of the chance of a silence this long from a node that"
            + " is well; HEARD_MS how long ago the last sign of life came."
      })
  private static class Status extends FdCommand {
    private final Predicate<Suspicion> which;

    Status(FailureDetector detector, Predicate<Suspicion> which) {
      super(detector);
      this.which = which;
    }

    @Override
    protected Table execute() {
      Table table =
          new Table(
              "node", "state", "level", "since", "heard_ms", "incarnation", "evidence", "detail");
      for (Suspicion it : detector.suspicions().values()) {
        if (which.test(it)) {
          table.row(
              it.node(),
              it.state().name().toLowerCase(Locale.ROOT),
              level(it.level()),
              Problems.age(System.currentTimeMillis() - it.sinceMillis()),
              it.heardMillis() < 0 ? null : it.heardMillis(),
              it.incarnation(),
              it.evidence().name().toLowerCase(Locale.ROOT),
              it.detail());
        }
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return result.withoutIfEmpty("detail").toText();
    }
  }

  @Command(name = "fd:suspects", description = "Whom this node suspects, and why.")
  private static final class Suspects extends Status {
    Suspects(FailureDetector detector) {
      super(detector, Suspicion::isSuspect);
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? "nobody is suspected" : super.toText(result);
    }
  }

  @Command(
      name = "fd:view",
      description = {
        "Who takes part: the last view that this node knows of.",
        "A node is out when two in the view suspect it, and in again when nobody does."
      })
  private static final class View extends FdCommand {
    View(FailureDetector detector) {
      super(detector);
    }

    @Override
    protected Table execute() {
      ClusterView view = detector.view();
      return new Table("view", "position", "committed", "members", "removed")
          .row(
              view.number(),
              view.position(),
              view.isCommitted(),
              names(view.members()),
              names(view.removed()));
    }
  }

  /** A command that may be about one node. */
  private abstract static class OfNode extends FdCommand {
    @Parameters(
        index = "0",
        arity = "0..1",
        paramLabel = "NODE",
        description = "A node; all without it.")
    private @Nullable String node;

    OfNode(FailureDetector detector) {
      super(detector);
    }

    /** The node, or null for all; refuses one that is not known here. */
    final @Nullable NodeId node() {
      if (node == null) {
        return null;
      }
      NodeId id = new NodeId(node);
      if (detector.suspicion(id) == null) {
        throw CoordinationException.refused(
            Reason.INVALID,
            "this node does not watch '%s'; it watches %s"
                .formatted(node, names(detector.suspicions().keySet())));
      }
      return id;
    }
  }

  @Command(
      name = "fd:qos",
      description = {
        "How well each node is judged here, as measured.",
        "DETECTION_MS is the longest time from a crash now to the suspicion; RECURRENCE_S and"
            + " DURATION_MS are the mean time between mistakes and of one."
      })
  private static final class Qos extends OfNode {
    Qos(FailureDetector detector) {
      super(detector);
    }

    @Override
    protected Table execute() {
      NodeId only = node();
      Table table =
          new Table(
              "node",
              "observed_s",
              "interval_ms",
              "detection_ms",
              "heartbeats",
              "loss",
              "jitter_ms",
              "round_trip_ms",
              "mistakes",
              "recurrence_s",
              "duration_ms",
              "accuracy");
      for (NodeId id : detector.suspicions().keySet()) {
        QosReport it = only == null || only.equals(id) ? detector.qos(id) : null;
        if (it != null) {
          table.row(
              it.node(),
              it.observedMillis() / 1_000,
              it.intervalMillis(),
              it.detectionMillis() < 0 ? null : it.detectionMillis(),
              it.heartbeats(),
              rounded(it.lossRate(), 10_000),
              rounded(it.jitterMillis(), 100),
              it.roundTripMillis() < 0 ? null : rounded(it.roundTripMillis(), 100),
              it.mistakes(),
              it.mistakes() == 0 ? null : rounded(it.recurrenceMillis() / 1_000, 10),
              rounded(it.durationMillis(), 1),
              rounded(it.accuracy(), 1_000_000));
        }
      }
      return table;
    }
  }

  @Command(name = "fd:history", description = "The last suspicions and their ends, as seen here.")
  private static final class History extends OfNode {
    History(FailureDetector detector) {
      super(detector);
    }

    @Override
    protected Table execute() {
      NodeId only = node();
      Table table = new Table("time", "node", "event", "evidence", "incarnation", "view", "detail");
      for (FailureEvent it : detector.history()) {
        if (only == null || only.equals(it.node())) {
          table.row(
              Instant.ofEpochMilli(it.timeMillis()).truncatedTo(ChronoUnit.MILLIS),
              it.node(),
              it.kind().name().toLowerCase(Locale.ROOT),
              it.evidence().name().toLowerCase(Locale.ROOT),
              it.incarnation(),
              it.view(),
              it.detail());
        }
      }
      return table;
    }
  }

  @Command(
      name = "fd:self",
      description = {
        "What this node knows of itself: its life, how it judges, when it did not run.",
        "While it is degraded or unwell, it tells the others so."
      })
  private static final class Self extends FdCommand {
    Self(FailureDetector detector) {
      super(detector);
    }

    @Override
    protected Table execute() {
      SelfReport self = detector.self();
      return new Table(
              "incarnation",
              "algorithm",
              "stalls",
              "stalled_ms",
              "longest_ms",
              "last_stall",
              "degraded",
              "unwell")
          .row(
              self.incarnation(),
              self.algorithm(),
              self.stalls(),
              self.stalledMillis(),
              self.longestStallMillis(),
              self.lastStallMillis() == 0 ? null : Instant.ofEpochMilli(self.lastStallMillis()),
              self.isDegraded(),
              String.join(", ", self.unwell()));
    }
  }

  private static String names(Set<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).collect(Collectors.joining(","));
  }

  /** A level as a number, for JSON knows no infinity. */
  private static Number level(double level) {
    return rounded(Math.min(level, 999), 100);
  }

  private static Number rounded(double value, int parts) {
    double rounded = Math.rint(value * parts) / parts;
    if (rounded == Math.rint(rounded)) {
      return (long) rounded;
    }
    return rounded;
  }
}
