// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.Dht.Reading;
import io.clowder.api.dht.DhtEntry;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.StoreOptions;
import io.clowder.api.shell.DurationConverter;
import io.clowder.api.shell.Entries;
import io.clowder.api.shell.Table;
import io.clowder.api.wire.Utf8;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** What is kept on rings and where, in the shell; {@link Entries} says how values look. */
@Component(
    service = DhtCommands.class,
    property = {
      "osgi.command.scope=dht",
      "osgi.command.function=put",
      "osgi.command.function=get",
      "osgi.command.function=remove",
      "osgi.command.function=owner",
      "osgi.command.function=lookup"
    })
public final class DhtCommands {
  private final KnownRings rings;

  /** Commands on what is on rings. */
  @Activate
  public DhtCommands(@Reference KnownRings rings) {
    this.rings = rings;
  }

  /** {@code dht:put KEY VALUE}. */
  public String put(String... words) throws Exception {
    return new Put(rings).run(words);
  }

  /** {@code dht:get KEY}. */
  public String get(String... words) throws Exception {
    return new Get(rings).run(words);
  }

  /** {@code dht:remove KEY}. */
  public String remove(String... words) throws Exception {
    return new Remove(rings).run(words);
  }

  /** {@code dht:owner KEY}. */
  public String owner(String... words) throws Exception {
    return new Owner(rings).run(words);
  }

  /** {@code dht:lookup KEY}. */
  public String lookup(String... words) throws Exception {
    return new Lookup(rings).run(words);
  }

  /** Reads what {@link DhtVersion#toString} writes. */
  private static final class VersionConverter implements ITypeConverter<DhtVersion> {
    @Override
    public DhtVersion convert(String text) {
      try {
        return DhtVersion.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** A command on one key. */
  private abstract static class KeyCommand extends DhtCommand {
    @Parameters(index = "0", paramLabel = "KEY", description = "Text, which is taken as UTF-8.")
    private String key = "";

    @Option(names = "--hex", description = "KEY is hexadecimal, for keys that are no text.")
    private boolean isHex;

    KeyCommand(KnownRings rings) {
      super(rings);
    }

    /** The key as it was said. */
    final String shown() {
      return key;
    }

    final byte[] key() {
      byte[] bytes = bytes();
      if (bytes.length < 1 || bytes.length > Limits.KEY_BYTES) {
        throw refused(
            Reason.INVALID,
            "the key has %d bytes: use 1 to %d".formatted(bytes.length, Limits.KEY_BYTES));
      }
      return bytes;
    }

    private byte[] bytes() {
      try {
        return isHex ? HexFormat.of().parseHex(key) : Utf8.encode(key);
      } catch (IllegalArgumentException e) {
        throw refused(
            Reason.INVALID,
            "the key '%s' is not hexadecimal: use two digits of 0-9, a-f for each byte"
                .formatted(key));
      } catch (CharacterCodingException e) {
        throw refused(Reason.INVALID, "the key holds half of a character: say it by --hex");
      }
    }
  }

  @Command(
      name = "dht:put",
      description = "Sets the value of a key; says the version that it has now.")
  private static final class Put extends KeyCommand {
    @Parameters(index = "1", paramLabel = "VALUE")
    private String value = "";

    @Option(
        names = "--if-version",
        paramLabel = "VERSION",
        converter = VersionConverter.class,
        description = "Fail unless the key has this version; 0.0 if there must be no value.")
    private @Nullable DhtVersion condition;

    @Option(
        names = "--ttl",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "How long it is there: 500ms, 10s, 2m, 1h or 7d (default: for ever).")
    private @Nullable Duration ttl;

    @Option(
        names = "--copies",
        paramLabel = "N",
        description = "On how many nodes it must be first (default: the ring's write.quorum).")
    private @Nullable Integer copies;

    private String line = "";

    Put(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      if (copies != null && copies < 1) {
        throw refused(Reason.INVALID, "--copies is " + copies + ": use 1 or more");
      }
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      StoreOptions options = new StoreOptions(condition, ttl, copies == null ? 0 : copies);
      DhtVersion version = await(ring().store(key(), bytes, options));
      line = "%s = %s (version %s)".formatted(shown(), Entries.brief(bytes), version);
      return new Table("key", "value", "version").row(shown(), value, version);
    }

    @Override
    protected String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "dht:get",
      description = {
        "Prints the value of a key; fails if there is none.",
        "Its version, and how long it is still there, are shown by -o json."
      })
  private static final class Get extends KeyCommand {
    @Option(
        names = "--any",
        description = "What any node has that keeps the key, this one first: maybe an older value.")
    private boolean isAny;

    private String text = "";

    Get(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      DhtEntry entry = await(ring().fetch(key(), isAny ? Reading.ANY : Reading.NEWEST));
      if (entry == null) {
        throw new NoSuchElementException("no such key: " + shown());
      }
      byte[] value = entry.value();
      boolean isText = Utf8.isValid(value);
      Duration left = entry.left();
      text = Entries.visible(value);
      return new Table("key", "value", "base64", "version", "left_ms")
          .row(
              shown(),
              isText ? text : null,
              isText ? null : Base64.getEncoder().encodeToString(value),
              entry.version(),
              left == null ? null : left.toMillis());
    }

    /** The value alone, so that a script can use it. */
    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(name = "dht:remove", description = "Removes a key.")
  private static final class Remove extends KeyCommand {
    @Option(
        names = "--if-version",
        paramLabel = "VERSION",
        converter = VersionConverter.class,
        description = "Fail unless the key has this version.")
    private @Nullable DhtVersion condition;

    private boolean existed;

    Remove(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      existed = await(ring().remove(key(), new StoreOptions(condition, null, 0)));
      return new Table("key", "removed").row(shown(), existed);
    }

    @Override
    protected String toText(Table result) {
      return existed ? shown() + " removed" : shown() + " was not there";
    }
  }

  @Command(
      name = "dht:owner",
      description = "Who owns a key, and who keeps it besides; whether it has a value or not.")
  private static final class Owner extends KeyCommand {
    private String line = "";

    Owner(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      LookupResult found = await(ring().lookup(key()));
      String replicas = names(found.replicas());
      line =
          "owner "
              + found.owner()
              + (replicas.isEmpty() ? ", no replicas" : ", replicas " + replicas)
              + (found.epoch() == 0 ? "" : ", epoch " + found.epoch());
      return new Table("key", "identifier", "owner", "replicas", "epoch")
          .row(shown(), found.identifier(), found.owner(), replicas, found.epoch());
    }

    @Override
    protected String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "dht:lookup",
      description = "Looks up who owns a key, and says how that was found out.")
  private static final class Lookup extends KeyCommand {
    @Option(names = "--trace", description = "Show whom the lookup passed.")
    private boolean isTraced;

    @Option(
        names = "--svg",
        description = "Print a picture of the ring, as SVG, with the way that the lookup took.")
    private boolean isDrawn;

    private String text = "";

    Lookup(KnownRings rings) {
      super(rings);
    }

    @Override
    protected Table execute() throws Exception {
      Dht ring = ring();
      LookupResult found = await(ring.lookup(key()));
      Table path = DhtTables.path(ring.view(), found);
      if (isDrawn) {
        text = RingPicture.of(await(admin(ring).ring()), found);
      } else {
        text = (isTraced ? path.toText() + "\n" : "") + line(found);
      }
      return new Table("key", "identifier", "owner", "hops", "timeouts", "retries", "epoch", "path")
          .row(
              shown(),
              found.identifier(),
              found.owner(),
              found.hops(),
              found.timeouts(),
              found.retries(),
              found.epoch(),
              path);
    }

    private static String line(LookupResult found) {
      return "owner %s, hops %d, timeouts %d, retries %d"
          .formatted(found.owner(), found.hops(), found.timeouts(), found.retries());
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }
}
