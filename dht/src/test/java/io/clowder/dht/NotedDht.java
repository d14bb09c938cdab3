// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.dht.DhtEntry;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.RingView.Place;
import io.clowder.api.dht.SafeToLeave;
import io.clowder.api.dht.StoreOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A ring on one node alone, which notes how it was asked; and what one may be told of it. */
final class NotedDht implements Dht {
  final List<StoreOptions> writes = new ArrayList<>();
  final List<Reading> reads = new ArrayList<>();
  final List<String> orders = new ArrayList<>();
  final List<String> problems = new ArrayList<>();
  final List<DhtAdmin.Load> loads = new ArrayList<>();
  final List<NodeId> path = new ArrayList<>();
  List<Place> places =
      List.of(
          place("n1", "00", "a", 0.5, "member"),
          place("n2", "40", "b", 0.25, "leaving"),
          place("n3", "c0", "a", 0.25, "member"));
  long epoch = 7;
  long repaired;
  final List<NodeId> abandoned = new ArrayList<>();
  boolean isMember = true;

  private final String name;
  private final Map<String, DhtEntry> entries = new TreeMap<>();
  private long writesSoFar;

  NotedDht(String name) {
    this.name = name;
  }

  static Place place(String node, String digits, String domain, double share, String state) {
    return new Place(
        new NodeId(node), digits + "0".repeat(40 - digits.length()), domain, share, state);
  }

  static List<NodeId> nodes(String... names) {
    return Stream.of(names).map(NodeId::new).toList();
  }

  /** This ring alone. */
  KnownRings known() {
    KnownRings rings = new KnownRings();
    rings.bindRing(this, Map.of(Dht.IDEAL, true));
    rings.bindAdmin(new Admin(), Map.of(Dht.NAME, name));
    return rings;
  }

  void set(String key, DhtEntry entry) {
    entries.put(HexFormat.of().formatHex(key.getBytes(StandardCharsets.UTF_8)), entry);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<LookupResult> lookup(byte[] key) {
    return CompletableFuture.completedStage(
        new LookupResult(
            "80" + "0".repeat(38),
            new NodeId("n3"),
            nodes("n1", "n2"),
            List.copyOf(path),
            1,
            2,
            epoch));
  }

  @Override
  public CompletionStage<DhtVersion> store(byte[] key, byte[] value, StoreOptions options) {
    writes.add(options);
    DhtVersion condition = options.condition();
    String hex = HexFormat.of().formatHex(key);
    DhtEntry present = entries.get(hex);
    DhtVersion found = present == null ? DhtVersion.NONE : present.version();
    if (condition != null && !condition.equals(found)) {
      return CompletableFuture.failedStage(
          refused(Reason.CONFLICT, "the key has version " + found));
    }
    DhtVersion version = new DhtVersion(epoch, ++writesSoFar);
    entries.put(hex, new DhtEntry(value, version, options.ttl()));
    return CompletableFuture.completedStage(version);
  }

  @Override
  public CompletionStage<@Nullable DhtEntry> fetch(byte[] key, Reading reading) {
    reads.add(reading);
    return CompletableFuture.completedStage(entries.get(HexFormat.of().formatHex(key)));
  }

  @Override
  public CompletionStage<Boolean> remove(byte[] key, StoreOptions options) {
    writes.add(options);
    return CompletableFuture.completedStage(entries.remove(HexFormat.of().formatHex(key)) != null);
  }

  @Override
  public RingView view() {
    return new RingView(
        name,
        epoch == 0 ? Mode.PEER : Mode.CONSISTENT,
        epoch,
        "SHA-1",
        3,
        new NodeId("n1"),
        isMember,
        new NodeId("n3"),
        nodes("n2", "n3"),
        places);
  }

  /** One for each member, from the one before it. */
  private List<Range> all() {
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < places.size(); i++) {
      Place before = places.get((i + places.size() - 1) % places.size());
      Place owner = places.get(i);
      ranges.add(
          new Range(
              before.identifier(), owner.identifier(), owner.node(), nodes("n9"), epoch, i > 0));
    }
    return ranges;
  }

  @Override
  public List<Range> ranges() {
    return all().stream().filter(it -> it.owner().equals(new NodeId("n1"))).toList();
  }

  @Override
  public CompletionStage<SafeToLeave> safeToLeave(NodeId node) {
    orders.add("safe " + node);
    return CompletableFuture.completedStage(new SafeToLeave(List.copyOf(problems)));
  }

  /** No class can be both services, as both have ranges. */
  private final class Admin implements DhtAdmin {
    @Override
    public CompletionStage<RingView> ring() {
      orders.add("ring");
      return CompletableFuture.completedStage(view());
    }

    @Override
    public CompletionStage<List<Range>> ranges() {
      return CompletableFuture.completedStage(all());
    }

    @Override
    public CompletionStage<List<DhtAdmin.Load>> balance() {
      return CompletableFuture.completedStage(List.copyOf(loads));
    }

    @Override
    public CompletionStage<List<String>> check() {
      return CompletableFuture.completedStage(List.copyOf(problems));
    }

    @Override
    public CompletionStage<Void> leave() {
      orders.add("leave");
      isMember = false;
      return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> join() {
      orders.add("join");
      isMember = true;
      return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> abandon(NodeId node) {
      abandoned.add(node);
      return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Long> repair() {
      return CompletableFuture.completedStage(repaired);
    }
  }
}
