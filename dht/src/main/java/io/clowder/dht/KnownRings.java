// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.Dht;
import io.clowder.api.dht.DhtAdmin;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The services of the rings that are configured on this node, by name, as they come and go. */
@Component(service = KnownRings.class)
public final class KnownRings {
  private final Map<String, Dht> rings = new ConcurrentSkipListMap<>();
  private final Map<String, DhtAdmin> admins = new ConcurrentSkipListMap<>();
  private final Map<String, Boolean> ideal = new ConcurrentSkipListMap<>();

  /** No rings, so far. */
  public KnownRings() {}

  /** A ring is configured. */
  @Reference(
      name = "ring",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindRing(Dht ring, Map<String, Object> properties) {
    rings.put(ring.name(), ring);
    updatedRing(ring, properties);
  }

  /** What it says of itself has changed. */
  public void updatedRing(Dht ring, Map<String, Object> properties) {
    ideal.put(ring.name(), Boolean.TRUE.equals(properties.get(Dht.IDEAL)));
  }

  /** It is not configured any more. */
  public void unbindRing(Dht ring) {
    rings.remove(ring.name(), ring);
  }

  /** A ring can be looked after. */
  @Reference(
      name = "admin",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindAdmin(DhtAdmin admin, Map<String, Object> properties) {
    admins.put(name(properties), admin);
  }

  /** It cannot any more. */
  public void unbindAdmin(DhtAdmin admin, Map<String, Object> properties) {
    admins.remove(name(properties), admin);
  }

  private static String name(Map<String, Object> properties) {
    return String.valueOf(properties.get(Dht.NAME));
  }

  SortedSet<String> names() {
    return new TreeSet<>(rings.keySet());
  }

  @Nullable Dht ring(String name) {
    return rings.get(name);
  }

  @Nullable DhtAdmin admin(String name) {
    return admins.get(name);
  }

  /** Whether this node finds the ring as it ought to be. */
  boolean isIdeal(String name) {
    return ideal.getOrDefault(name, false);
  }
}
