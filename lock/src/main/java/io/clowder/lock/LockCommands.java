// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

/** Locks in the shell. What is acquired here, this node's session holds until it is released. */
@Component(
    service = LockCommands.class,
    property = {
      "osgi.command.scope=lock",
      "osgi.command.function=acquire",
      "osgi.command.function=release",
      "osgi.command.function=list",
      "osgi.command.function=info"
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

  private static String group(Map<String, Object> properties) {
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

  /** {@code lock:list [PREFIX]}. */
  public String list(String... words) throws Exception {
    return new Listing(groups).run(words);
  }

  /** {@code lock:info NAME}. */
  public String info(String... words) throws Exception {
    return new Info(groups).run(words);
  }

  /** Reads {@code 500ms}, {@code 10s}, {@code 2m} or {@code 1h}. */
  static final class WaitConverter implements ITypeConverter<Duration> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

    @Override
    public Duration convert(String text) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches()) {
        throw new IllegalArgumentException("write a time as 500ms, 10s, 2m or 1h");
      }
      ChronoUnit unit =
          switch (matcher.group(2)) {
            case "ms" -> ChronoUnit.MILLIS;
            case "s" -> ChronoUnit.SECONDS;
            case "m" -> ChronoUnit.MINUTES;
            default -> ChronoUnit.HOURS;
          };
      return Duration.of(Long.parseLong(matcher.group(1)), unit);
    }
  }

  /** A command on one group's locks. */
  private abstract static class LockCommand extends ShellCommand {
    private final Map<String, LockService> groups;

    @Option(names = "--group", paramLabel = "NAME", description = "Whose locks (default main).")
    private String group = "main";

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
        converter = WaitConverter.class,
        description = "How long to wait: 500ms, 10s, 2m, at most 9m (default 10s).")
    private Duration wait = Duration.ofSeconds(10);
  }

  @Command(name = "lock:acquire", description = "Acquires a lock for this node's session.")
  private static final class Acquire extends LockCommand {
    /** Less than the shell waits for any command. */
    private static final Duration WAIT_MAX = Duration.ofMinutes(9);

    @ArgGroup private Patience patience = new Patience();

    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    private long token;

    Acquire(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      if (patience.wait.compareTo(WAIT_MAX) > 0) {
        throw refused(Reason.INVALID, "--wait is over 9m");
      }
      Grant grant =
          await(patience.once ? locks().tryAcquire(name) : locks().acquire(name, patience.wait));
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
      Table table = new Table("name", "token", "node", "since", "waiters");
      found.forEach(
          lock ->
              table.row(
                  lock.name(), lock.token(), lock.node(), since(lock), lock.waiters().size()));
      return table;
    }
  }

  @Command(name = "lock:info", description = "Shows who holds a lock, and who waits for it.")
  private static final class Info extends LockCommand {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    Info(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Table table = new Table("name", "token", "node", "session", "since", "waiters");
      LockInfo lock = await(locks().info(name));
      if (lock != null) {
        String waiters =
            lock.waiters().stream().map(NodeId::value).collect(Collectors.joining(" "));
        // A session is an identifier, which not every reader of JSON keeps whole as a number.
        String session = Long.toUnsignedString(lock.session());
        table.row(name, lock.token(), lock.node(), session, since(lock), waiters);
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? name + " is free" : result.toText();
    }
  }

  private static String since(LockInfo lock) {
    return Instant.ofEpochMilli(lock.sinceMillis()).toString();
  }
}
