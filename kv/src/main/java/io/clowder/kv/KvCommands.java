// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Fence;
import io.clowder.api.shell.Entries;
import io.clowder.api.shell.FenceOption;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The map in the shell; {@link Entries} says how keys and values look. */
@Component(
    service = KvCommands.class,
    property = {
      "osgi.command.scope=kv",
      "osgi.command.function=put",
      "osgi.command.function=get",
      "osgi.command.function=delete",
      "osgi.command.function=cas",
      "osgi.command.function=list"
    })
public final class KvCommands {
  private final Map<String, KvStore> groups = new ConcurrentSkipListMap<>();

  /** Commands on a map. */
  public KvCommands() {}

  /** A group's map is there. */
  @Reference(
      name = "store",
      cardinality = ReferenceCardinality.AT_LEAST_ONE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindStore(KvStore store, Map<String, Object> properties) {
    groups.put(group(properties), store);
  }

  /** It is gone. */
  public void unbindStore(KvStore store, Map<String, Object> properties) {
    groups.remove(group(properties), store);
  }

  private static String group(Map<String, Object> properties) {
    return String.valueOf(properties.getOrDefault(StateMachine.GROUP, "main"));
  }

  /** {@code kv:put KEY VALUE}. */
  public String put(String... words) throws Exception {
    return new Put(groups).run(words);
  }

  /** {@code kv:get KEY}. */
  public String get(String... words) throws Exception {
    return new Get(groups).run(words);
  }

  /** {@code kv:delete KEY}. */
  public String delete(String... words) throws Exception {
    return new Delete(groups).run(words);
  }

  /** {@code kv:cas KEY EXPECTED VALUE}. */
  public String cas(String... words) throws Exception {
    return new CompareAndSet(groups).run(words);
  }

  /** {@code kv:list [PREFIX]}. */
  public String list(String... words) throws Exception {
    return new Listing(groups).run(words);
  }

  /** A command on one group's map. */
  private abstract static class KvCommand extends ShellCommand {
    private final Map<String, KvStore> groups;

    @Option(names = "--group", paramLabel = "NAME", description = "Whose map (default main).")
    private String group = "main";

    KvCommand(Map<String, KvStore> groups) {
      this.groups = groups;
    }

    final KvStore store() {
      KvStore store = groups.get(group);
      if (store == null) {
        throw CoordinationException.refused(
            CoordinationException.Reason.UNAVAILABLE,
            "no map of a group '%s' here; there are: %s"
                .formatted(group, String.join(", ", groups.keySet())));
      }
      return store;
    }
  }

  /** A command that shows entries. */
  private abstract static class EntriesCommand extends KvCommand {
    private final List<KvEntry> shown = new ArrayList<>();

    EntriesCommand(Map<String, KvStore> groups) {
      super(groups);
    }

    Table show(List<KvEntry> entries) {
      shown.addAll(entries);
      return Entries.table(entries);
    }

    @Override
    protected String toText(Table result) {
      return Entries.toText(shown);
    }

    final KvEntry only() {
      return shown.get(0);
    }
  }

  /** A command that sets a value. */
  private abstract static class SetCommand extends EntriesCommand {
    @Mixin private FenceOption fencing = new FenceOption();

    SetCommand(Map<String, KvStore> groups) {
      super(groups);
    }

    final @Nullable Fence fence() {
      return fencing.fence();
    }

    Table show(String key, String value, long version) {
      return show(List.of(new KvEntry(key, value.getBytes(StandardCharsets.UTF_8), version)));
    }

    @Override
    protected String toText(Table result) {
      return Entries.line(only());
    }
  }

  @Command(name = "kv:put", description = "Sets the value of a key.")
  private static final class Put extends SetCommand {
    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    @Parameters(index = "1", paramLabel = "VALUE")
    private String value = "";

    Put(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      Fence fence = fence();
      return show(
          key,
          value,
          await(fence == null ? store().put(key, bytes) : store().put(key, bytes, fence)));
    }
  }

  @Command(
      name = "kv:cas",
      description = "Sets the value of a key that has the expected version; 0 if it is absent.")
  private static final class CompareAndSet extends SetCommand {
    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    @Parameters(index = "1", paramLabel = "EXPECTED")
    private long expected;

    @Parameters(index = "2", paramLabel = "VALUE")
    private String value = "";

    CompareAndSet(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      Fence fence = fence();
      return show(
          key,
          value,
          await(
              fence == null
                  ? store().compareAndSet(key, expected, bytes)
                  : store().compareAndSet(key, expected, bytes, fence)));
    }
  }

  /** How fresh an answer must be. */
  private static final class Freshness {
    @Option(names = "--local", description = "The same as --consistency local.")
    private boolean local;

    @Option(
        names = "--consistency",
        paramLabel = "linearizable|sequential|local",
        description =
            "How fresh: linearizable (default), sequential (own writes), local (without a quorum).")
    private ReadConsistency consistency = ReadConsistency.LINEARIZABLE;

    ReadConsistency get() {
      return local ? ReadConsistency.LOCAL : consistency;
    }
  }

  @Command(name = "kv:get", description = "Prints the value of a key; fails if there is none.")
  private static final class Get extends EntriesCommand {
    @ArgGroup private Freshness freshness = new Freshness();

    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    Get(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      KvEntry entry = await(store().get(key, freshness.get()));
      if (entry == null) {
        throw new NoSuchElementException("no such key: " + key);
      }
      return show(List.of(entry));
    }

    /** The value alone, so that a script can use it. */
    @Override
    protected String toText(Table result) {
      return Entries.visible(only().value());
    }
  }

  @Command(name = "kv:delete", description = "Removes a key.")
  private static final class Delete extends KvCommand {
    @Mixin private FenceOption fencing = new FenceOption();

    private boolean existed;

    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    Delete(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Fence fence = fencing.fence();
      existed = await(fence == null ? store().delete(key) : store().delete(key, fence));
      return new Table("key", "deleted").row(key, existed);
    }

    @Override
    protected String toText(Table result) {
      return existed ? key + " deleted" : key + " was not there";
    }
  }

  @Command(name = "kv:list", description = "Lists keys, values and versions, by key.")
  private static final class Listing extends EntriesCommand {
    @ArgGroup private Freshness freshness = new Freshness();

    @Option(names = "--after", paramLabel = "KEY", description = "Begin after this key.")
    private @Nullable String after;

    @Option(
        names = "--limit",
        paramLabel = "N",
        description = "At most so many, 1 to " + Limits.PAGE_ENTRIES + " (default 100).")
    private int limit = 100;

    @Parameters(index = "0", arity = "0..1", paramLabel = "PREFIX")
    private String prefix = "";

    Listing(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      KvStore store = store();
      return show(
          Entries.paged(
              after,
              limit,
              (from, count) -> await(store.list(prefix, from, count, freshness.get()))));
    }
  }
}
