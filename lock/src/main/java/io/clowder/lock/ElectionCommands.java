// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockInfo.Holder;
import io.clowder.api.lock.LockService;
import io.clowder.api.shell.Table;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Elections in the shell. */
@Component(
    service = ElectionCommands.class,
    property = {
      "osgi.command.scope=lock",
      "osgi.command.function=elections",
      "osgi.command.function=resign"
    })
public final class ElectionCommands {
  private record Election(String group, String name) {
    Election(Map<String, Object> properties) {
      this(LockCommands.group(properties), String.valueOf(properties.get(Candidate.ELECTION)));
    }
  }

  private final Map<String, LockService> groups = new ConcurrentSkipListMap<>();
  private final Map<Election, Leadership> leaderships = new ConcurrentHashMap<>();

  /** Commands on elections. */
  public ElectionCommands() {}

  /** A group's locks are there. */
  @Reference(
      name = "locks",
      cardinality = ReferenceCardinality.AT_LEAST_ONE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindLocks(LockService locks, Map<String, Object> properties) {
    groups.put(LockCommands.group(properties), locks);
  }

  /** They are gone. */
  public void unbindLocks(LockService locks, Map<String, Object> properties) {
    groups.remove(LockCommands.group(properties), locks);
  }

  /** This node leads. */
  @Reference(
      name = "leadership",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindLeadership(Leadership leadership, Map<String, Object> properties) {
    leaderships.put(new Election(properties), leadership);
  }

  /** It does not any more. */
  public void unbindLeadership(Leadership leadership, Map<String, Object> properties) {
    leaderships.remove(new Election(properties), leadership);
  }

  /** {@code lock:elections}. */
  public String elections(String... words) throws Exception {
    return new Listing(groups).run(words);
  }

  /** {@code lock:resign NAME}. */
  public String resign(String... words) throws Exception {
    return new Resign(groups, leaderships).run(words);
  }

  @Command(
      name = "lock:elections",
      description = {
        "Lists the elections by name: who leads, and how many wait to lead.",
        "To have another node lead: lock:promote election/NAME NODE"
      })
  private static final class Listing extends LockCommands.LockCommand {
    Listing(Map<String, LockService> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Table table = new Table("name", "node", "bundle", "epoch", "age", "waiting");
      List<LockInfo> page = await(locks().list(Standing.PREFIX, null, Limits.PAGE_ENTRIES));
      // A page is short when its queues are long, not only when it is the last.
      while (!page.isEmpty()) {
        page.forEach(lock -> row(table, lock));
        String last = page.get(page.size() - 1).name();
        page = await(locks().list(Standing.PREFIX, last, Limits.PAGE_ENTRIES));
      }
      return table;
    }

    private static void row(Table table, LockInfo lock) {
      String name = lock.name().substring(Standing.PREFIX.length());
      if (lock.holders().isEmpty()) {
        table.row(name, null, null, null, null, lock.waiting());
        return;
      }
      Holder leader = lock.holders().get(0);
      table.row(
          name,
          leader.node(),
          bundle(leader),
          leader.token(),
          LockCommands.age(leader.sinceMillis()),
          lock.waiting());
    }
  }

  @Command(
      name = "lock:resign",
      description = {
        "Has this node's candidate, which leads, step down: the next in line leads.",
        "It stands again, behind those who wait."
      })
  private static final class Resign extends LockCommands.LockCommand {
    private final Map<Election, Leadership> leaderships;

    @Parameters(index = "0", paramLabel = "NAME", description = "The election.")
    private String name = "";

    Resign(Map<String, LockService> groups, Map<Election, Leadership> leaderships) {
      super(groups);
      this.leaderships = leaderships;
    }

    @Override
    protected Table execute() throws Exception {
      Leadership leadership = leaderships.get(new Election(group, name));
      if (leadership == null) {
        throw refused(Reason.CONFLICT, whoLeads());
      }
      await(leadership.resign());
      return new Table("name", "epoch", "resigned").row(name, leadership.epoch(), true);
    }

    private String whoLeads() throws Exception {
      LockInfo lock = await(locks().info(Standing.PREFIX + name));
      if (lock == null || lock.holders().isEmpty()) {
        return "nobody leads election " + name;
      }
      Holder leader = lock.holders().get(0);
      return "election %s is led by %s on %s: resign there, or promote another"
          .formatted(name, bundle(leader), leader.node());
    }

    @Override
    protected String toText(Table result) {
      return name + " resigned";
    }
  }

  /** Whose candidate leads; the lock itself is held by this bundle. */
  private static String bundle(Holder leader) {
    return leader.note().isEmpty() ? leader.bundle() : leader.note();
  }
}
