// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import io.clowder.api.lock.LockSession;
import io.clowder.api.shell.DurationConverter;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Locks in the shell. What is acquired here, this bundle on this node holds until it is released.
 */
@Component(
    service = LockCommands.class,
    property = {
      "osgi.command.scope=lock",
      "osgi.command.function=acquire",
      "osgi.command.function=release",
      "osgi.command.function=revoke",
      "osgi.command.function=promote",
      "osgi.command.function=list",
      "osgi.command.function=info",
      "osgi.command.function=sessions",
      "osgi.command.function=history"
    })
public final class LockCommands {
  private final Map<String, LockService> groups = new ConcurrentSkipListMap<>();

  /** Commands on locks. */
  public LockCommands() {}

  /** A group's locks are there. */
  @Reference(
      name = "locks",
      cardinality = ReferenceCardinality.AT_LEAST_ONE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindLocks(LockService locks, Map<String, Object> properties) {
    groups.put(group(properties), locks);
  }

  /** They are gone. */
  public void unbindLocks(LockService locks, Map<String, Object> properties) {
    groups.remove(group(properties), locks);
  }

  static String group(Map<String, Object> properties) {
    return String.valueOf(properties.getOrDefault(StateMachine.GROUP, "main"));
  }

  /** {@code lock:acquire NAME}. */
  public String acquire(String... words) throws Exception {
    return new Acquire(groups).run(words);
  }

  /** {@code lock:release NAME TOKEN}. */
  public String release(String... words) throws Exception {
    return new Release(groups).run(words);
  }

  /** {@code lock:revoke NAME TOKEN --reason TEXT --yes}. */
  public String revoke(String... words) throws Exception {
    return new Revoke(groups).run(words);
  }

  /** {@code lock:promote NAME NODE}. */
  public String promote(String... words) throws Exception {
    return new Promote(groups).run(words);
  }

  /** {@code lock:sessions}. */
  public String sessions(String... words) throws Exception {
    return new Sessions(groups).run(words);
  }

  /** {@code lock:history [NAME]}. */
  public String history(String... words) throws Exception {
    return new History(groups).run(words);
  }

  /** {@code lock:list [PREFIX]}. */
  public String list(String... words) throws Exception {
    return new Listing(groups).run(words);
  }

  /** {@code lock:info NAME}. */
  public String info(String... words) throws Exception {
    return new Info(groups).run(words);
  }

  /** So many of so many. */
  private record Permits(int permits, int of) {}

  /** Reads {@code 2/5}. */
  private static final class PermitsConverter implements ITypeConverter<Permits> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

    @Override
    public Permits convert(String text) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches()) {
        throw new IllegalArgumentException("write permits as 1/5: one of five");
      }
      return new Permits(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }
  }

  /** A command on one group's locks. */
  abstract static class LockCommand extends ShellCommand {
    private final Map<String, LockService> groups;

    @Option(names = "--group", paramLabel = "NAME", description = "Whose locks (default main).")
    String group = "main";

    LockCommand(Map<String, LockService> groups) {
      this.groups = groups;
    }

    final LockService locks() {
      LockService locks = groups.get(group);
      if (locks == null) {
        throw refused(
            Reason.UNAVAILABLE,
            "no locks of a group '%s' here; there are: %s"
                .formatted(group, String.join(", ", groups.keySet())));
      }
      return locks;
    }
  }

  /** How long to wait. */
  private static final class Patience {
    @Option(names = "--try", description = "Do not wait.")
    private boolean once;

    @Option(
        names = "--wait",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "How long to wait: 500ms, 10s, 2m, at most 9m (default 10s).")
    private Duration wait = Duration.ofSeconds(10);
  }

  @Command(name = "lock:acquire", description = "Acquires a lock for this node's session.")
  private static final class Acquire extends LockCommand {
    /** Less than the shell waits for any command. */
    private static final Duration WAIT_MAX = Duration.ofMinutes(9);

    @ArgGroup private Patience patience = new Patience();

    @Option(names = "--shared", description = "Together with others that share it.")
    private boolean shared;

    @Option(
        names = "--permits",
        paramLabel = "N/OF",
        converter = PermitsConverter.class,
        description = "N of the OF permits of a semaphore, such as 1/5.")
    private @Nullable Permits permits;

    @Option(names = "--priority", description = "0 to 9; more goes ahead (default 0).")
    private int priority;

    @Option(
        names = "--delay",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "How long nobody gets it after a crash of this node, up to 1m.")
    private Duration delay = Duration.ZERO;

    @Option(
        names = "--max-hold",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "When it is released by itself.")
    private @Nullable Duration maxHold;

    @Option(names = "--note", description = "For people who look at the lock.")
    private String note = "";

    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    private long token;

    Acquire(Map<String, LockService> groups) {
      super(groups);
    }

    private Claim claim() {
      if (shared && permits != null) {
        throw refused(Reason.INVALID, "--shared and --permits do not go together");
      }
      Claim claim =
          permits != null
              ? Claim.permits(name, permits.permits(), permits.of())
              : shared ? Claim.shared(name) : Claim.exclusive(name);
      claim = claim.withPriority(priority).withLockDelay(delay).withNote(note);
      return maxHold == null ? claim : claim.withMaxHold(maxHold);
    }

    @Override
    protected Table execute() throws Exception {
      if (patience.wait.compareTo(WAIT_MAX) > 0) {
        throw refused(Reason.INVALID, "--wait is over 9m");
      }
      Claim claim = claim();
      Grant grant =
          patience.once ? await(locks().tryAcquire(claim)) : locks().lock(claim, patience.wait);
      if (grant == null) {
        throw refused(Reason.CONFLICT, "lock " + name + " is taken");
      }
      token = grant.token();
      return new Table("name", "token").row(name, token);
    }

    @Override
    protected String toText(Table result) {
      return name + " token " + token;
    }
  }

  @Command(name = "lock:release", description = "Releases the acquisition that has the token.")
  private static final class Release extends LockCommand {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Parameters(index = "1", paramLabel = "TOKEN")
    private long token;

    Release(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      await(locks().release(name, token));
      return new Table("name", "token", "released").row(name, token, true);
    }

    @Override
    protected String toText(Table result) {
      return name + " released";
    }
  }

  @Command(name = "lock:list", description = "Lists the locks that are held, by name.")
  private static final class Listing extends LockCommand {
    @Option(names = "--after", paramLabel = "NAME", description = "Begin after this name.")
    private @Nullable String after;

    @Option(
        names = "--limit",
        paramLabel = "N",
        description = "At most so many, 1 to " + Limits.PAGE_ENTRIES + " (default 100).")
    private int limit = 100;

    @Parameters(index = "0", arity = "0..1", paramLabel = "PREFIX")
    private String prefix = "";

    Listing(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      List<LockInfo> found = new ArrayList<>();
      List<LockInfo> page = await(locks().list(prefix, after, limit));
      // A page is short when its queues are long, not only when it is the last.
      while (!page.isEmpty()) {
        found.addAll(page);
        if (found.size() == limit) {
          break;
        }
        String last = found.get(found.size() - 1).name();
        page = await(locks().list(prefix, last, limit - found.size()));
      }
      Table table =
          new Table("name", "mode", "token", "node", "bundle", "age", "holders", "waiters");
      for (LockInfo lock : found) {
        if (lock.holders().isEmpty()) {
          table.row(lock.name(), "delayed", null, null, null, null, 0, lock.waiting());
          continue;
        }
        LockInfo.Holder first = lock.holders().get(0);
        table.row(
            lock.name(),
            mode(first.mode(), first.permits(), lock),
            first.token(),
            first.node(),
            first.bundle(),
            age(first.sinceMillis()),
            lock.holding(),
            lock.waiting());
      }
      return table;
    }
  }

  @Command(
      name = "lock:info",
      description = "Shows who holds a lock, and who waits for it in which order.")
  private static final class Info extends LockCommand {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    Info(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Table table =
          new Table(
              "name",
              "state",
              "mode",
              "token",
              "node",
              "bundle",
              "session",
              "age",
              "priority",
              "note");
      LockInfo lock = await(locks().info(name));
      if (lock == null) {
        return table;
      }
      if (lock.delayedUntilMillis() > 0) {
        String until = Instant.ofEpochMilli(lock.delayedUntilMillis()).toString();
        table.row(name, "delayed until " + until, null, null, null, null, null, null, null, null);
      }
      for (LockInfo.Holder holder : lock.holders()) {
        table.row(
            name,
            holder.asked() ? "asked to give way" : "held",
            mode(holder.mode(), holder.permits(), lock),
            holder.token(),
            holder.node(),
            holder.bundle(),
            session(holder.session()),
            age(holder.sinceMillis()),
            null,
            holder.note());
      }
      more(table, lock.holding() - lock.holders().size(), "hold it");
      for (LockInfo.Waiter waiter : lock.waiters()) {
        table.row(
            name,
            "waits",
            mode(waiter.mode(), waiter.permits(), lock),
            null,
            waiter.node(),
            waiter.bundle(),
            session(waiter.session()),
            age(waiter.sinceMillis()),
            waiter.priority(),
            waiter.note());
      }
      more(table, lock.waiting() - lock.waiters().size(), "wait");
      return table;
    }

    private void more(Table table, int count, String what) {
      if (count > 0) {
        table.row(name, count + " more " + what, null, null, null, null, null, null, null, null);
      }
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? name + " is free" : result.toText();
    }
  }

  @Command(
      name = "lock:revoke",
      description = {
        "Takes a lock away from its holder.",
        "The holder hears of it when its node does; what the lock protects must refuse its token."
            + " Without --yes nothing is done but to show whose it is."
      })
  private static final class Revoke extends LockCommand {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Parameters(index = "1", paramLabel = "TOKEN", description = "As lock:info shows it.")
    private long token;

    @Option(
        names = "--reason",
        required = true,
        paramLabel = "TEXT",
        description = "Goes to every node's log and history.")
    private String reason = "";

    @Option(names = "--yes", description = "Do it.")
    private boolean yes;

    Revoke(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      if (!yes) {
        throw refused(Reason.INVALID, whose() + "; add --yes to take it away");
      }
      await(locks().revoke(name, token, reason));
      return new Table("name", "token", "revoked").row(name, token, true);
    }

    private String whose() throws Exception {
      LockInfo lock = await(locks().info(name));
      if (lock != null) {
        for (LockInfo.Holder holder : lock.holders()) {
          if (holder.token() == token) {
            return "%s on %s has held %s for %s"
                .formatted(holder.bundle(), holder.node(), name, age(holder.sinceMillis()));
          }
        }
      }
      return "nobody holds " + name + " with token " + token;
    }

    @Override
    protected String toText(Table result) {
      return name + " revoked";
    }
  }

  @Command(
      name = "lock:promote",
      description = {
        "Lets the first waiter of a node go ahead of all, and asks the holder to give way.",
        "A leader of an election does so at once."
      })
  private static final class Promote extends LockCommand {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Parameters(index = "1", paramLabel = "NODE")
    private String node = "";

    Promote(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      await(locks().promote(name, new NodeId(node)));
      return new Table("name", "node").row(name, node);
    }

    @Override
    protected String toText(Table result) {
      return node + " is next for " + name;
    }
  }

  @Command(
      name = "lock:sessions",
      description = "Shows the bundles that use locks, and how many each holds and waits for.")
  private static final class Sessions extends LockCommand {
    @Option(
        names = "--limit",
        paramLabel = "N",
        description = "At most so many, 1 to " + Limits.PAGE_ENTRIES + " (default 100).")
    private int limit = 100;

    Sessions(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Table table = new Table("node", "bundle", "session", "age", "holds", "waits");
      for (LockSession one : await(locks().sessions(limit))) {
        table.row(
            one.node(),
            one.bundle(),
            session(one.session()),
            age(one.sinceMillis()),
            one.holds(),
            one.waits());
      }
      return table;
    }
  }

  @Command(
      name = "lock:history",
      description = "Shows what this node has seen happen to locks since it started.")
  private static final class History extends LockCommand {
    @Option(names = "--limit", paramLabel = "N", description = "The latest so many (default 20).")
    private int limit = 20;

    @Parameters(index = "0", arity = "0..1", paramLabel = "NAME")
    private @Nullable String name;

    History(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      if (limit < 1) {
        throw refused(Reason.INVALID, "--limit is " + limit + ": use 1 or more");
      }
      List<LockEvent> events = locks().history(name);
      Table table =
          new Table("time", "position", "event", "name", "token", "node", "bundle", "reason");
      for (LockEvent event : events.subList(Math.max(0, events.size() - limit), events.size())) {
        table.row(
            Instant.ofEpochMilli(event.timeMillis()),
            event.position(),
            event.kind().name().toLowerCase(Locale.ROOT),
            event.name(),
            event.token() == 0 ? null : event.token(),
            event.node(),
            event.bundle(),
            event.reason());
      }
      return table;
    }
  }

  private static String mode(Claim.Mode mode, int permits, LockInfo lock) {
    return mode == Claim.Mode.PERMITS
        ? permits + "/" + lock.permits()
        : mode.name().toLowerCase(Locale.ROOT);
  }

  /** A session is an identifier, which not every reader of JSON keeps whole as a number. */
  private static String session(long session) {
    return Long.toUnsignedString(session);
  }

  /** Such as 3m12s; by this node's clock, which may differ from the log's. */
  static String age(long sinceMillis) {
    return DurationConverter.text(Duration.ofMillis(System.currentTimeMillis() - sinceMillis));
  }
}
