// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.CoordinationException;
import io.clowder.api.Limits;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Fence;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
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
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/**
 * The map in the shell. Values come and go as UTF-8; one that is something else is shown with
 * {@code \xNN} for people, and in JSON as {@code base64} instead of {@code value}.
 */
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
  private static final int BRIEF_CHARS = 60;

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
      Table table = new Table("key", "value", "base64", "version");
      for (KvEntry entry : entries) {
        boolean text = Utf8.isValid(entry.value());
        table.row(
            entry.key(),
            text ? new String(entry.value(), StandardCharsets.UTF_8) : null,
            text ? null : Base64.getEncoder().encodeToString(entry.value()),
            entry.version());
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      Table table = new Table("key", "value", "version");
      shown.forEach(entry -> table.row(entry.key(), brief(entry.value()), entry.version()));
      return table.toText();
    }

    final KvEntry only() {
      return shown.get(0);
    }
  }

  /** A value on a line among others: a long one is cut; {@code kv:get} and JSON show all of it. */
  private static String brief(byte[] value) {
    String text = visible(value);
    return text.length() <= BRIEF_CHARS
        ? text
        : text.substring(0, BRIEF_CHARS) + "… (" + value.length + " bytes)";
  }

  /** The lock that a write is done under. */
  private static final class Fencing {
    @Option(
        names = "--fence",
        paramLabel = "RESOURCE:TOKEN",
        converter = FenceConverter.class,
        description = "Fail if the resource has seen a larger fencing token than this.")
    private @Nullable Fence fence;
  }

  /** A resource may hold colons, a token does not. */
  private static final class FenceConverter implements ITypeConverter<Fence> {
    @Override
    public Fence convert(String text) {
      int colon = text.lastIndexOf(':');
      if (colon < 0) {
        throw new TypeConversionException("'" + text + "' is not RESOURCE:TOKEN");
      }
      String token = text.substring(colon + 1);
      try {
        return new Fence(text.substring(0, colon), Long.parseLong(token));
      } catch (NumberFormatException e) {
        throw new TypeConversionException("the token '" + token + "' is not a long");
      }
    }
  }

  /** A command that sets a value. */
  private abstract static class SetCommand extends EntriesCommand {
    @Mixin private Fencing fencing = new Fencing();

    SetCommand(Map<String, KvStore> groups) {
      super(groups);
    }

    final @Nullable Fence fence() {
      return fencing.fence;
    }

    Table show(String key, String value, long version) {
      return show(List.of(new KvEntry(key, value.getBytes(StandardCharsets.UTF_8), version)));
    }

    @Override
    protected String toText(Table result) {
      KvEntry entry = only();
      return "%s = %s (version %d)".formatted(entry.key(), brief(entry.value()), entry.version());
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
      return visible(only().value());
    }
  }

  @Command(name = "kv:delete", description = "Removes a key.")
  private static final class Delete extends KvCommand {
    @Mixin private Fencing fencing = new Fencing();

    private boolean existed;

    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    Delete(Map<String, KvStore> groups) {
      super(groups);
    }

    @Override
    protected Table execute() throws Exception {
      Fence fence = fencing.fence;
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
      List<KvEntry> entries = new ArrayList<>();
      List<KvEntry> page = await(store().list(prefix, after, limit, freshness.get()));
      // A page is short when its values are large, not only when it is the last.
      while (!page.isEmpty()) {
        entries.addAll(page);
        if (entries.size() == limit) {
          break;
        }
        String last = entries.get(entries.size() - 1).key();
        page = await(store().list(prefix, last, limit - entries.size(), freshness.get()));
      }
      return show(entries);
    }
  }

  /** A value as text: itself if it is UTF-8, otherwise with {@code \xNN} for what is not ASCII. */
  private static String visible(byte[] value) {
    if (Utf8.isValid(value)) {
      return new String(value, StandardCharsets.UTF_8);
    }
    StringBuilder out = new StringBuilder();
    for (byte b : value) {
      out.append(
          b >= 0x20 && b < 0x7F && b != '\\' ? String.valueOf((char) b) : "\\x%02x".formatted(b));
    }
    return out.toString();
  }
}
