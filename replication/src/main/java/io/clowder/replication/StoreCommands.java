// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.shell.Entries;
import io.clowder.api.shell.FenceOption;
import io.clowder.api.shell.Table;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.WriteOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** What is kept in the stores, in the shell; {@link Entries} says how keys and values look. */
@Component(
    service = StoreCommands.class,
    property = {
      "osgi.command.scope=store",
      "osgi.command.function=put",
      "osgi.command.function=get",
      "osgi.command.function=delete",
      "osgi.command.function=cas",
      "osgi.command.function=scan"
    })
public final class StoreCommands {
  private final Map<String, ReplicatedStore> stores = new ConcurrentSkipListMap<>();

  /** Commands on what is in stores. */
  public StoreCommands() {}

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

  /** {@code store:put KEY VALUE}. */
  public String put(String... words) throws Exception {
    return new Put(stores).run(words);
  }

  /** {@code store:get KEY}. */
  public String get(String... words) throws Exception {
    return new Get(stores).run(words);
  }

  /** {@code store:delete KEY}. */
  public String delete(String... words) throws Exception {
    return new Delete(stores).run(words);
  }

  /** {@code store:cas KEY EXPECTED VALUE}. */
  public String cas(String... words) throws Exception {
    return new CompareAndSet(stores).run(words);
  }

  /** {@code store:scan [PREFIX]}. */
  public String scan(String... words) throws Exception {
    return new Scan(stores).run(words);
  }

  /** What goes with a write. */
  private static final class Writing {
    @Mixin private FenceOption fencing = new FenceOption();

    @Option(
        names = "--request",
        paramLabel = "CLIENT:NUMBER",
        converter = RequestConverter.class,
        description = {
          "Names the write: repeated with the same name, it is done once, with the same answer.",
          "CLIENT is a random number of yours, NUMBER rises with each write."
        })
    private @Nullable RequestId request;

    WriteOptions options() {
      return new WriteOptions(fencing.fence(), request);
    }
  }

  /** Reads {@code CLIENT:NUMBER}. */
  private static final class RequestConverter implements ITypeConverter<RequestId> {
    @Override
    public RequestId convert(String text) {
      int colon = text.indexOf(':');
      try {
        long client = Long.parseLong(text.substring(0, Math.max(0, colon)));
        if (client == 0) {
          throw new TypeConversionException("the client is 0: draw a random number");
        }
        return new RequestId(client, Long.parseLong(text.substring(colon + 1)));
      } catch (NumberFormatException e) {
        throw new TypeConversionException("'" + text + "' is not CLIENT:NUMBER");
      }
    }
  }

  /** What a read may miss. */
  private static final class Reading {
    @Option(names = "--local", description = "The same as --consistency local.")
    private boolean local;

    @Option(
        names = "--consistency",
        paramLabel = "linearizable|bounded:MILLIS|local",
        converter = FreshnessConverter.class,
        description =
            "How fresh: linearizable (default), bounded (at most so old), local (this node's copy).")
    private Freshness freshness = Freshness.LINEARIZABLE;

    Freshness freshness() {
      return local ? Freshness.LOCAL : freshness;
    }
  }

  /** Reads {@code linearizable}, {@code bounded:500} or {@code local}. */
  private static final class FreshnessConverter implements ITypeConverter<Freshness> {
    private static final Pattern BOUNDED = Pattern.compile("bounded:(\\d{1,9})");

    @Override
    public Freshness convert(String text) {
      Matcher bounded = BOUNDED.matcher(text);
      if (bounded.matches()) {
        try {
          return Freshness.bounded(Duration.ofMillis(Long.parseLong(bounded.group(1))));
        } catch (IllegalArgumentException e) {
          throw new TypeConversionException("'" + text + "': use a millisecond to a day");
        }
      }
      return switch (text) {
        case "linearizable" -> Freshness.LINEARIZABLE;
        case "local" -> Freshness.LOCAL;
        default ->
            throw new TypeConversionException(
                "'" + text + "' is not linearizable, bounded:MILLIS or local");
      };
    }
  }

  /** A command that shows entries. */
  private abstract static class EntriesCommand extends StoreCommand<ReplicatedStore> {
    private final List<KvEntry> shown = new ArrayList<>();

    EntriesCommand(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    final Table show(List<KvEntry> entries) {
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
    @Mixin private Writing writing = new Writing();

    SetCommand(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    final WriteOptions options() {
      return writing.options();
    }

    @Override
    protected String toText(Table result) {
      return Entries.line(only());
    }
  }

  @Command(name = "store:put", description = "Sets the value of a key.")
  private static final class Put extends SetCommand {
    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    @Parameters(index = "1", paramLabel = "VALUE")
    private String value = "";

    Put(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() throws Exception {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      long version = await(store().put(key, bytes, options()));
      return show(List.of(new KvEntry(key, bytes, version)));
    }
  }

  @Command(
      name = "store:cas",
      description = "Sets the value of a key that has the expected version; 0 if it is absent.")
  private static final class CompareAndSet extends SetCommand {
    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    @Parameters(index = "1", paramLabel = "EXPECTED")
    private long expected;

    @Parameters(index = "2", paramLabel = "VALUE")
    private String value = "";

    CompareAndSet(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() throws Exception {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      long version = await(store().compareAndSet(key, expected, bytes, options()));
      return show(List.of(new KvEntry(key, bytes, version)));
    }
  }

  @Command(name = "store:get", description = "Prints the value of a key; fails if there is none.")
  private static final class Get extends EntriesCommand {
    @ArgGroup private Reading reading = new Reading();

    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    Get(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() throws Exception {
      KvEntry entry = await(store().get(key, reading.freshness()));
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

  @Command(name = "store:delete", description = "Removes a key.")
  private static final class Delete extends StoreCommand<ReplicatedStore> {
    @Mixin private Writing writing = new Writing();

    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    private boolean existed;

    Delete(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() throws Exception {
      existed = await(store().delete(key, writing.options()));
      return new Table("key", "deleted").row(key, existed);
    }

    @Override
    protected String toText(Table result) {
      return existed ? key + " deleted" : key + " was not there";
    }
  }

  @Command(name = "store:scan", description = "Lists keys, values and versions, by key.")
  private static final class Scan extends EntriesCommand {
    @ArgGroup private Reading reading = new Reading();

    @Option(names = "--after", paramLabel = "KEY", description = "Begin after this key.")
    private @Nullable String after;

    @Option(
        names = "--limit",
        paramLabel = "N",
        description = "At most so many, 1 to " + Limits.PAGE_ENTRIES + " (default 100).")
    private int limit = 100;

    @Parameters(index = "0", arity = "0..1", paramLabel = "PREFIX")
    private String prefix = "";

    Scan(Map<String, ReplicatedStore> stores) {
      super(stores);
    }

    @Override
    protected Table execute() throws Exception {
      ReplicatedStore store = store();
      return show(
          Entries.paged(
              after,
              limit,
              (from, count) -> await(store.scan(prefix, from, count, reading.freshness()))));
    }
  }
}
