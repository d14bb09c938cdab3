// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RangeListener;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/** Who hears of a ring, as services come, go and are modified. */
class RangeListenersTest {
  private static final Range FIRST = range("0", "8");
  private static final Range SECOND = range("8", "f");

  private final Registry registry = new Registry();
  private final List<String> heard = new ArrayList<>();
  private List<Range> owned = List.of(FIRST);
  private final RangeListeners listeners =
      new RangeListeners(registry.context, "main", Runnable::run, this::tell);

  private void tell() {
    listeners.tell(owned);
  }

  private static Range range(String after, String upTo) {
    NodeId node = new NodeId("n1");
    return new Range(after.repeat(40), upTo.repeat(40), node, List.of(), 0, true);
  }

  /** What was heard since this was asked last. */
  private List<String> heard() {
    List<String> all = List.copyOf(heard);
    heard.clear();
    return all;
  }

  @BeforeEach
  void open() {
    listeners.open();
  }

  @Test
  void whoNamesTheRingOrNoneHearsOfIt() {
    registry.tell(ServiceEvent.REGISTERED, null);
    assertEquals(List.of("main +1 -0"), heard());
    owned = List.of(SECOND);
    tell();
    assertEquals(List.of("main +1 -1"), heard());
    tell();
    registry.tell(ServiceEvent.UNREGISTERING, null);
    owned = List.of(FIRST);
    tell();
    assertEquals(List.of(), heard());
    registry.tell(ServiceEvent.REGISTERED, new String[] {"other", "main"});
    assertEquals(List.of("main +1 -0"), heard());
    listeners.close();
    assertEquals(0, registry.gotten);
  }

  @Test
  void whoCeasesToNameItHasLostAllAndHearsNothingMore() {
    registry.tell(ServiceEvent.REGISTERED, List.of("main"));
    assertEquals(List.of("main +1 -0"), heard());
    registry.tell(ServiceEvent.MODIFIED, "other");
    assertEquals(List.of("main +0 -1"), heard());
    owned = List.of(SECOND);
    tell();
    registry.tell(ServiceEvent.MODIFIED, "another");
    assertEquals(List.of(), heard());
    registry.tell(ServiceEvent.MODIFIED, null);
    assertEquals(List.of("main +1 -0"), heard());
    registry.tell(ServiceEvent.MODIFIED, "main");
    assertEquals(List.of(), heard());
    registry.tell(ServiceEvent.UNREGISTERING, "main");
    assertEquals(0, registry.gotten);
  }

  @Test
  void whoNamesItLaterHearsFromThenOn() {
    registry.tell(ServiceEvent.REGISTERED, "other");
    tell();
    assertEquals(List.of(), heard());
    assertEquals(0, registry.gotten);
    registry.tell(ServiceEvent.MODIFIED, "main");
    assertEquals(List.of("main +1 -0"), heard());
  }

  private static <T> T stub(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** The framework's registry as far as it is needed here, with one listener. */
  private final class Registry {
    final List<ServiceListener> services = new ArrayList<>();
    int gotten;
    private @Nullable Object rings;

    private final RangeListener listener =
        (ring, gained, lost) -> heard.add("%s +%d -%d".formatted(ring, gained.size(), lost.size()));

    private final ServiceReference<?> reference =
        stub(
            ServiceReference.class,
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getProperty" -> property((String) arguments[0]);
                  case "getPropertyKeys" -> new String[] {"objectClass", RangeListener.RINGS};
                  case "hashCode" -> 1;
                  case "equals" -> proxy == arguments[0];
                  case "compareTo" -> 0;
                  default -> throw new AssertionError(method + " is not expected");
                });

    final BundleContext context =
        stub(
            BundleContext.class,
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "createFilter" -> FrameworkUtil.createFilter((String) arguments[0]);
                  case "addServiceListener" -> services.add((ServiceListener) arguments[0]);
                  case "removeServiceListener" -> services.remove(arguments[0]);
                  case "getServiceReferences" -> null;
                  case "getService" -> {
                    gotten++;
                    yield listener;
                  }
                  case "ungetService" -> --gotten == 0;
                  default -> throw new AssertionError(method + " is not expected");
                });

    private @Nullable Object property(String key) {
      Map<String, Object> always =
          Map.of("objectClass", new String[] {RangeListener.class.getName()});
      return key.equals(RangeListener.RINGS) ? rings : always.get(key);
    }

    void tell(int event, @Nullable Object names) {
      rings = names;
      List.copyOf(services).forEach(it -> it.serviceChanged(new ServiceEvent(event, reference)));
    }
  }
}
