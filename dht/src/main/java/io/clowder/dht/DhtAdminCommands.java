// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.dht.DhtAdmin.Load;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.RingView.Place;
import io.clowder.api.dht.SafeToLeave;
import io.clowder.api.shell.Table;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What an operator wants to know of rings, and does to them, in the shell. */
@Component(
    service = DhtAdminCommands.class,
    property = {
      "osgi.command.scope=dht",
      "osgi.command.function=status",
      "osgi.command.function=ring",
      "osgi.command.function=ranges",
      "osgi.command.function=balance",
      "osgi.command.function=check",
      "osgi.command.function=leave",
      "osgi.command.function=join",
      "osgi.command.function=safe",
      "osgi.command.function=repair",
      "osgi.command.function=abandon"
    })
public final class DhtAdminCommands {
  private final KnownRings rings;

  /** Commands on rings. */
  @Activate
  public DhtAdminCommands(@Reference KnownRings rings) {
    this.rings = rings;
  }

  /** {@code dht:status}. */
  public String status(String... words) throws Exception {
    return new Status(rings).run(words);
  }

  /** {@code dht:ring}. */
  public String ring(String... words) throws Exception {
    return new Members(rings).run(words);
  }

  /** {@code dht:ranges [NODE]}. */
  public String ranges(String... words) throws Exception {
    return new Ranges(rings).run(words);
  }

  /** {@code dht:balance}. */
  public String balance(String... words) throws Exception {
    return new Balance(rings).run(words);
  }

  /** {@code dht:check}. */
  public String check(String... words) throws Exception {
    return new Check(rings).run(words);
  }

  /** {@code dht:leave}. */
  public String leave(String... words) throws Exception {
    return new Leave(rings).run(words);
  }

  /** {@code dht:join}. */
  public String join(String... words) throws Exception {
    return new Join(rings).run(words);
  }

  /** {@code dht:safe [NODE]}. */
  public String safe(String... words) throws Exception {
    return new Safe(rings).run(words);
  }

  /** {@code dht:abandon NODE}. */
  public String abandon(String... words) throws Exception {
    return new Abandon(rings).run(words);
  }

  /** {@code dht:repair}. */
  public String repair(String... words) throws Exception {
    return new Repair(rings).run(words);
  }

  @Command(
      name = "dht:status",
      description = {
        "What this node knows of its rings, or of one; nobody else is asked.",
        "MEMBER: whether it is on the ring; RANGES: how many it owns; IDEAL: whether the ring is"
            + " as it ought to be, as far as this node sees."
      })
  private static final class Status extends DhtCommand {
    private final KnownRings rings;

    Status(KnownRings rings) {
      super(rings);
      this.rings = rings;
    }

    @Override
    protected Table execute() {
      Table table =
          new Table("ring", "mode", "epoch", "members", "replicas", "member", "ranges", "ideal");
      for (String name : name() == null ? rings.names() : List.of(ring().name())) {
        Dht ring = rings.ring(name);
        if (ring != null) {
          row(table, ring);
        }
      }
      return table;
    }

    private void row(Table table, Dht ring) {
      RingView view = ring.view();
      table.row(
          ring.name(),
          view.mode().name().toLowerCase(Locale.ROOT),
          view.epoch(),
          view.places().size(),
          view.replicas(),
          view.isMember(),
          ring.ranges().size(),
          rings.isIdeal(ring.name()));
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? none() : result.toText();
    }
  }

  @Command(
      name = "dht:ring",
      description = {
        "The members in the order of the ring, and how much of the key space each one owns.",
        "A picture: clowder sh 'dht:ring --svg' > ring.svg"
      })
  private static final class Members extends DhtCommand {
    @Option(names = "--svg", description = "Print a picture of it, as SVG.")
    private boolean isDrawn;

    @Option(names = "--local", description = "As far as this node knows, without asking others.")
    private boolean isLocal;

    private String text = "";

    Members(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      Dht ring = ring();
      RingView view = isLocal ? ring.view() : await(admin(ring).ring());
      text = isDrawn ? RingPicture.of(view) : DhtTables.text(view);
      return DhtTables.members(view);
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(
      name = "dht:ranges",
      description = {
        "All ranges in the order of the ring, or those that NODE owns.",
        "WHOLE: whether it has all its copies, in full."
      })
  private static final class Ranges extends DhtCommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
    private @Nullable String node;

    private String text = "";

    Ranges(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      NodeId owner = node == null ? null : new NodeId(node);
      List<Range> ranges =
          await(admin(ring()).ranges()).stream()
              .filter(range -> owner == null || range.owner().equals(owner))
              .toList();
      text =
          ranges.isEmpty()
              ? (owner == null ? "no range is owned" : owner + " owns no range")
              : DhtTables.ranges(ranges, true).toText();
      return DhtTables.ranges(ranges, false);
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(
      name = "dht:balance",
      description = {
        "What each member has: its share of the key space, and the values that it keeps.",
        "OWNED: of these, as their owner; MOVING: on their way to others, or from them."
      })
  private static final class Balance extends DhtCommand {
    private String text = "";

    Balance(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      Dht ring = ring();
      List<Load> loads = await(admin(ring).balance());
      List<NodeId> heard = loads.stream().map(Load::node).toList();
      List<NodeId> silent =
          ring.view().places().stream()
              .map(Place::node)
              .filter(it -> !heard.contains(it))
              .sorted()
              .toList();
      text =
          (loads.isEmpty() ? "no member answers" : DhtTables.text(loads))
              + (silent.isEmpty() ? "" : "\nno answer from " + names(silent));
      return DhtTables.loads(loads);
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(
      name = "dht:check",
      description = {
        "Whether the ring is as it ought to be, by what all members say.",
        "Prints a line for each problem and fails if there is one."
      })
  private static final class Check extends DhtCommand {
    Check(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      Dht ring = ring();
      List<String> problems = await(admin(ring).check());
      Table table = new Table("problem");
      problems.forEach(table::row);
      if (!problems.isEmpty()) {
        int count = problems.size();
        throw failed(
            table,
            String.join("\n", problems),
            "ring %s has %d %s".formatted(ring.name(), count, count == 1 ? "problem" : "problems"));
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return "ok";
    }
  }

  /** A command that changes whether this node is on the ring. */
  private abstract static class Membership extends DhtCommand {
    private String line = "";

    Membership(KnownRings rings) {
      super(rings);
    }

    /** Does it, and says what it has come to. */
    abstract String change(DhtAdmin admin) throws Exception;

    @Override
    protected final Table execute() throws Exception {
      Dht ring = ring();
      String done = change(admin(ring));
      RingView view = ring.view();
      line = "%s %s %s".formatted(view.self(), done, ring.name());
      return new Table("ring", "node", "member").row(ring.name(), view.self(), view.isMember());
    }

    @Override
    protected final String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "dht:leave",
      description = {
        "Has this node hand over all that it keeps, and be no member any more; waits for that.",
        "It stays away until dht:join."
      })
  private static final class Leave extends Membership {
    Leave(KnownRings rings) {
      super(rings);
    }

    @Override
    String change(DhtAdmin admin) throws Exception {
      await(admin.leave());
      return "has left";
    }
  }

  @Command(name = "dht:join", description = "Has this node be a member again after dht:leave.")
  private static final class Join extends Membership {
    Join(KnownRings rings) {
      super(rings);
    }

    @Override
    String change(DhtAdmin admin) throws Exception {
      await(admin.join());
      return "has joined";
    }
  }

  @Command(
      name = "dht:safe",
      description = {
        "Whether nothing gets lost or stops if NODE, or this node, is stopped now without leaving.",
        "Prints a line for each reason why not, and fails then."
      })
  private static final class Safe extends DhtCommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
    private @Nullable String node;

    private String line = "";

    Safe(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      Dht ring = ring();
      RingView view = ring.view();
      NodeId id = node == null ? view.self() : new NodeId(node);
      List<NodeId> members = view.places().stream().map(Place::node).sorted().toList();
      if (!id.equals(view.self()) && !members.contains(id)) {
        // It is not to be called safe because its name was mistyped.
        throw refused(
            Reason.INVALID,
            "%s is not on ring %s; its members are: %s".formatted(id, ring.name(), names(members)));
      }
      SafeToLeave safe = await(ring.safeToLeave(id));
      Table table =
          new Table("node", "safe", "reasons")
              .row(id, safe.isSafe(), String.join("\n", safe.reasons()));
      if (!safe.isSafe()) {
        throw failed(
            table, String.join("\n", safe.reasons()), id + " cannot be stopped safely now");
      }
      line = id + " can be stopped safely";
      return table;
    }

    @Override
    protected String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "dht:abandon",
      description = {
        "Gives a node up that has failed and does not come back, with what only it has: that is lost.",
        "dht:check says whether a node is waited for."
      })
  private static final class Abandon extends DhtCommand {
    @Parameters(index = "0", paramLabel = "NODE")
    private String node = "";

    @Option(names = "--accept-loss", description = "Needed, as something is lost for good.")
    private boolean isAccepted;

    Abandon(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      if (!isAccepted) {
        throw refused(
            Reason.INVALID,
            "what only %s has is lost by this: start it if you can, or say --accept-loss"
                .formatted(node));
      }
      await(admin(ring()).abandon(new NodeId(node)));
      return new Table("node").row(node);
    }

    @Override
    protected String toText(Table result) {
      return node + " is given up";
    }
  }

  @Command(
      name = "dht:repair",
      description = {
        "Compares what this node owns with the copies on other nodes, and mends what differs.",
        "The ring does so by itself every anti.entropy.seconds; this is for the impatient."
      })
  private static final class Repair extends DhtCommand {
    private String line = "";

    Repair(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      long values = await(admin(ring()).repair());
      line =
          values == 0
              ? "all copies agree"
              : values + (values == 1 ? " value was" : " values were") + " sent or fetched";
      return new Table("values").row(values);
    }

    @Override
    protected String toText(Table result) {
      return line;
    }
  }
}
