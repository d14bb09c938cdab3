// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.shell.Table;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreAdmin.LogLine;
import io.clowder.api.store.StoreAdmin.Verification;
import io.clowder.api.store.StoreRole;
import io.clowder.api.store.StoreStatus;
import io.clowder.api.store.StoreStatus.Lag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What an operator wants to know of stores, and does to them, in the shell. */
@Component(
    service = StoreAdminCommands.class,
    property = {
      "osgi.command.scope=store",
      "osgi.command.function=status",
      "osgi.command.function=lag",
      "osgi.command.function=log",
      "osgi.command.function=switchover",
      "osgi.command.function=fail",
      "osgi.command.function=add",
      "osgi.command.function=remove",
      "osgi.command.function=verify"
    })
public final class StoreAdminCommands {
  private final Map<String, ReplicatedStore> stores = new ConcurrentSkipListMap<>();
  private final Map<String, StoreAdmin> admins = new ConcurrentSkipListMap<>();

  /** Commands on stores. */
  public StoreAdminCommands() {}

  /** A store is configured. */
  @Reference(
      name = "store",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindStore(ReplicatedStore store) {
    stores.put(store.name(), store);
  }

  /** It is not any more. */
  public void unbindStore(ReplicatedStore store) {
    stores.remove(store.name(), store);
  }

  /** A store can be looked after. */
  @Reference(
      name = "admin",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindAdmin(StoreAdmin admin, Map<String, Object> properties) {
    admins.put(name(properties), admin);
  }

  /** It cannot any more. */
  public void unbindAdmin(StoreAdmin admin, Map<String, Object> properties) {
    admins.remove(name(properties), admin);
  }

  static String name(Map<String, Object> properties) {
    return String.valueOf(properties.get(ReplicatedStore.NAME));
  }

  /** {@code store:status}. */
  public String status(String... words) throws Exception {
    return new Status(stores).run(words);
  }

  /** {@code store:lag}. */
  public String lag(String... words) throws Exception {
    return new Lags(stores).run(words);
  }

  /** {@code store:log}. */
  public String log(String... words) throws Exception {
    return new Log(admins).run(words);
  }

  /** {@code store:switchover [NODE]}. */
  public String switchover(String... words) throws Exception {
    return new Switchover(admins).run(words);
  }

  /** {@code store:fail NODE}. */
  public String fail(String... words) throws Exception {
    return new Fail(admins).run(words);
  }

  /** {@code store:add NODE}. */
  public String add(String... words) throws Exception {
    return new Add(admins).run(words);
  }

  /** {@code store:remove NODE}. */
  public String remove(String... words) throws Exception {
    return new Remove(admins).run(words);
  }

  /** {@code store:verify}. */
  public String verify(String... words) throws Exception {
    return new Verify(admins).run(words);
  }

  @Command(
      name = "store:status",
      description = {
        "What this node knows of its stores, or of one: what it is to each, and who is in sync.",
        "COMMITTED, END, ENTRIES and SNAPSHOT are of this node's own copy."
      })
  private static final class Status extends StoreCommand<ReplicatedStore> {
    private final Map<String, ReplicatedStore> stores;

    Status(Map<String, ReplicatedStore> stores) {
      super(stores);
      this.stores = stores;
    }

    @Override
    protected Table execute() {
      List<ReplicatedStore> shown =
          name() == null ? List.copyOf(stores.values()) : List.of(store());
      return StatusTable.of(shown.stream().map(ReplicatedStore::status).toList());
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? none() : StatusTable.toText(result);
    }
  }

  @Command(
      name = "store:lag",
      description = {
        "How far each other copy is behind the primary's; the primary knows.",
        "BYTES is missing where the log does not have all of it any more; BEHIND_MS is since when."
      })
  private static final class Lags extends StoreCommand<ReplicatedStore> {
    Lags(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() {
      StoreStatus store = store().status();
      if (store.role() != StoreRole.PRIMARY) {
        throw refused(
            Reason.UNAVAILABLE,
            store.primary() == null
                ? store.name() + " has no primary now"
                : "the primary of %s is %s; ask there: clowder sh --node %s %s"
                    .formatted(store.name(), store.primary(), store.primary(), words("store:lag")));
      }
      Table table = new Table("node", "acknowledged", "records", "bytes", "behind_ms");
      for (Lag lag : store.lags()) {
        table.row(
            lag.node(),
            lag.acknowledged(),
            lag.records(),
            lag.bytes() < 0 ? null : lag.bytes(),
            lag.millis());
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? "there is no other copy" : result.toText();
    }
  }

  @Command(name = "store:log", description = "The last records of this node's log, oldest first.")
  private static final class Log extends StoreCommand<StoreAdmin> {
    @Option(names = "-n", paramLabel = "COUNT", description = "At most so many (default 20).")
    private int count = 20;

    Log(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    protected Table execute() {
      if (count < 1) {
        throw refused(Reason.INVALID, "-n is " + count + ": use 1 or more");
      }
      Table table = new Table("seq", "epoch", "committed", "bytes", "what");
      for (LogLine line : store().log(count)) {
        table.row(line.seq(), line.epoch(), line.isCommitted(), line.bytes(), line.what());
      }
      return table;
    }
  }

  /** A command that changes who has a copy, and says what is in force then. */
  private abstract static class Change extends StoreCommand<StoreAdmin> {
    private String line = "";

    Change(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    abstract CompletionStage<StoreStatus> change(StoreAdmin admin);

    @Override
    protected final Table execute() throws Exception {
      StoreStatus store = await(change(store()));
      line = StatusTable.line(store);
      return StatusTable.of(List.of(store));
    }

    @Override
    protected final String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "store:switchover",
      description = {
        "Makes an in-sync backup the primary, NODE or any; no write is lost, and none fails."
      })
  private static final class Switchover extends Change {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
    private @Nullable String node;

    Switchover(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    CompletionStage<StoreStatus> change(StoreAdmin admin) {
      return admin.switchover(node == null ? null : new NodeId(node));
    }
  }

  /** A change of one node's copy. */
  private abstract static class ChangeOfNode extends Change {
    @Parameters(index = "0", paramLabel = "NODE")
    private String node = "";

    ChangeOfNode(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    abstract CompletionStage<StoreStatus> change(StoreAdmin admin, NodeId node);

    @Override
    final CompletionStage<StoreStatus> change(StoreAdmin admin) {
      return change(admin, new NodeId(node));
    }
  }

  @Command(
      name = "store:fail",
      description = {
        "Takes a node's copy for failed, though nobody suspects it.",
        "If it is well, it catches up and is in sync again by itself."
      })
  private static final class Fail extends ChangeOfNode {
    Fail(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    CompletionStage<StoreStatus> change(StoreAdmin admin, NodeId node) {
      return admin.fail(node);
    }
  }

  @Command(
      name = "store:add",
      description = "Lets a node have a copy, beyond the replicas or after it was removed.")
  private static final class Add extends ChangeOfNode {
    Add(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    CompletionStage<StoreStatus> change(StoreAdmin admin, NodeId node) {
      return admin.add(node);
    }
  }

  @Command(
      name = "store:remove",
      description = "Takes a node's copy away, for good; not the primary's: switch over first.")
  private static final class Remove extends ChangeOfNode {
    Remove(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    CompletionStage<StoreStatus> change(StoreAdmin admin, NodeId node) {
      return admin.remove(node);
    }
  }

  @Command(
      name = "store:verify",
      description = {
        "Compares the copies at one write, and what is on each one's disk with its checksums.",
        "Fails if something is wrong with one that is not made anew."
      })
  private static final class Verify extends StoreCommand<StoreAdmin> {
    @Option(
        names = "--repair",
        description = "Make a copy that is damaged, or another than most, anew from the primary's.")
    private boolean isRepairing;

    private boolean isSound = true;

    Verify(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    protected Table execute() throws Exception {
      Table table = new Table("node", "seq", "digest", "problem", "repaired");
      List<String> problems = new ArrayList<>();
      for (Verification copy : await(store().verify(isRepairing))) {
        table.row(copy.node(), copy.seq(), copy.digest(), copy.problem(), copy.isRepaired());
        isSound &= copy.problem().isEmpty();
        if (!copy.problem().isEmpty() && !copy.isRepaired()) {
          problems.add(copy.node() + ": " + copy.problem());
        }
      }
      if (!problems.isEmpty()) {
        // Whoever has to act on it needs all rows; that it failed is an exception.
        System.out.println(format() == Format.json ? table.toJson() : toText(table));
        throw new IllegalStateException(
            String.join("; ", problems)
                + (isRepairing ? "" : "; to repair: " + words("store:verify --repair")));
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return (isSound ? result.without("problem").without("repaired") : result).toText();
    }
  }
}
