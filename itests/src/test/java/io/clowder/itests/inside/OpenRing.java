// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import io.clowder.api.dht.DhtEntry;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.PlacementPolicy;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RangeListener;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.StoreOptions;
import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Ring;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;

/** The services of one ring. */
final class OpenRing implements Ring {
  private static final int KEYS_OF_A_WRITER = 40;

  private final BundleContext context;
  private final ServiceTracker<Dht, Dht> rings;
  private final ServiceTracker<DhtAdmin, DhtAdmin> admins;

  OpenRing(BundleContext context, String name) {
    this.context = context;
    this.rings = OpenStore.tracker(context, Dht.class, Dht.NAME, name);
    this.admins = OpenStore.tracker(context, DhtAdmin.class, Dht.NAME, name);
  }

  void close() {
    rings.close();
    admins.close();
  }

  private Dht ring() throws InterruptedException {
    return Inside.present(rings);
  }

  private DhtAdmin admin() throws InterruptedException {
    return Inside.present(admins);
  }

  // ---- values --------------------------------------------------------------------------------

  private static StoreOptions options(With with) {
    return new StoreOptions(
        with.condition().isEmpty() ? null : DhtVersion.parse(with.condition()),
        with.ttlMillis() == 0 ? null : Duration.ofMillis(with.ttlMillis()),
        with.copies());
  }

  @Override
  public String put(byte[] key, byte[] value, With with) throws Exception {
    return OpenStore.await(ring().store(key, value, options(with))).toString();
  }

  @Override
  public @Nullable Entry get(byte[] key, String reading) throws Exception {
    DhtEntry found = OpenStore.await(ring().fetch(key, Dht.Reading.valueOf(reading)));
    if (found == null) {
      return null;
    }
    Duration left = found.left();
    return new Entry(
        new String(found.value(), UTF_8),
        found.version().toString(),
        left == null ? -1 : left.toMillis());
  }

  @Override
  public boolean remove(byte[] key, With with) throws Exception {
    return OpenStore.await(ring().remove(key, options(with)));
  }

  @Override
  public List<String> keepers(byte[] key) throws Exception {
    LookupResult found = OpenStore.await(ring().lookup(key));
    return Stream.concat(Stream.of(found.owner()), found.replicas().stream())
        .map(NodeId::value)
        .toList();
  }

  // ---- the ring ------------------------------------------------------------------------------

  @Override
  public @Nullable Offer offer() {
    ServiceReference<Dht> found = rings.getServiceReference();
    return found == null ? null : offer(found);
  }

  private static Offer offer(ServiceReference<?> reference) {
    return new Offer(
        String.valueOf(reference.getProperty(Dht.MODE)),
        (Integer) reference.getProperty(Dht.REPLICAS),
        (Long) reference.getProperty(Dht.EPOCH),
        (Boolean) reference.getProperty(Dht.IDEAL));
  }

  @Override
  public boolean isLookedAfter() {
    ServiceReference<DhtAdmin> found = admins.getServiceReference();
    return found != null && offer(found).equals(offer());
  }

  @Override
  public Sight sight() throws Exception {
    RingView view = ring().view();
    return new Sight(
        view.epoch(),
        view.isMember(),
        view.places().stream().map(it -> it.node().value()).sorted().toList(),
        names(view.successors()));
  }

  private static List<String> names(Collection<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).toList();
  }

  private static List<Part> parts(List<Range> ranges) {
    return ranges.stream()
        .map(
            it ->
                new Part(
                    it.after(), it.upTo(), it.owner().value(), names(it.replicas()), it.isWhole()))
        .toList();
  }

  @Override
  public List<Part> owned() throws Exception {
    return parts(ring().ranges());
  }

  @Override
  public List<Part> parts() throws Exception {
    return parts(OpenStore.await(admin().ranges()));
  }

  @Override
  public List<Share> balance() throws Exception {
    return OpenStore.await(admin().balance()).stream()
        .map(it -> new Share(it.node().value(), it.share(), it.keys(), it.owned(), it.moving()))
        .toList();
  }

  @Override
  public List<String> check() throws Exception {
    return OpenStore.await(admin().check());
  }

  @Override
  public List<String> reasonsToStay(String node) throws Exception {
    return OpenStore.await(ring().safeToLeave(new NodeId(node))).reasons();
  }

  @Override
  public void leave() throws Exception {
    OpenStore.await(admin().leave());
  }

  @Override
  public void join() throws Exception {
    OpenStore.await(admin().join());
  }

  @Override
  public long repair() throws Exception {
    return OpenStore.await(admin().repair());
  }

  // ---- whiteboard ----------------------------------------------------------------------------

  @Override
  public Ear listen(String... names) {
    List<Change> heard = new CopyOnWriteArrayList<>();
    RangeListener listener =
        (ring, gained, lost) -> heard.add(new Change(ring, parts(gained), parts(lost)));
    Map<String, Object> properties =
        names.length == 0 ? Map.of() : Map.of(RangeListener.RINGS, names);
    ServiceRegistration<RangeListener> registration =
        context.registerService(
            RangeListener.class, listener, FrameworkUtil.asDictionary(properties));
    return new Ear() {
      @Override
      public List<Change> heard() {
        return List.copyOf(heard);
      }

      @Override
      public void close() {
        registration.unregister();
      }
    };
  }

  @Override
  public Policy favour(String node) {
    return policy(
        request -> {
          List<NodeId> nodes = new ArrayList<>(List.of(new NodeId(node)));
          request.candidates().stream()
              .map(PlacementPolicy.Candidate::node)
              .filter(it -> !nodes.contains(it))
              .limit(request.replicas() - 1)
              .forEach(nodes::add);
          return request.present().stream().map(it -> List.copyOf(nodes)).toList();
        });
  }

  @Override
  public Policy talkNonsense() {
    return policy(request -> request.present().subList(1, request.present().size()));
  }

  private Policy policy(PlacementPolicy policy) {
    AtomicInteger asked = new AtomicInteger();
    PlacementPolicy counted =
        request -> {
          asked.incrementAndGet();
          return policy.place(request);
        };
    ServiceRegistration<PlacementPolicy> registration =
        context.registerService(PlacementPolicy.class, counted, null);
    return new Policy() {
      @Override
      public int asked() {
        return asked.get();
      }

      @Override
      public void close() {
        registration.unregister();
      }
    };
  }

  // ---- load ----------------------------------------------------------------------------------

  @Override
  public Load load(String name) {
    Offer offer = offer();
    boolean isPeer = offer != null && offer.mode().equals("peer");
    // There a read may be stale while the owner changes; others than the writer count these.
    return new RunningLoad(name, KEYS_OF_A_WRITER, isPeer ? this::put : this::putAndReadBack, null);
  }

  /** Of keys that nobody else writes. */
  private void putAndReadBack(String key, String value) throws Exception {
    Entry expected = new Entry(value, put(key, value), -1);
    Entry found = get(key);
    if (!expected.equals(found)) {
      throw new IllegalStateException(found + " was read after " + expected + " was acknowledged");
    }
  }
}
