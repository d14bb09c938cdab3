// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

class ViewGroupTest {
  private final Registry registry = new Registry();
  private final CountDownLatch asked = new CountDownLatch(1);
  private final ConsensusService consensus =
      stub(
          ConsensusService.class,
          (proxy, method, arguments) -> {
            if (method.getName().equals("status")) {
              asked.countDown();
              throw new IllegalStateException("no time");
            }
            throw new AssertionError(method + " is not expected");
          });

  @Test
  void givesTheRuntimeItsMachineAndTakesItBack() {
    ViewGroup group = group();
    assertEquals(List.of("main/fd"), registry.registered);
    assertNull(group.view());
    group.tick(0);
    group.close();
    assertEquals(List.of(), registry.registered);
    assertEquals(List.of(), registry.listeners);
  }

  @Test
  void asksTheRuntimeWhileItIsThere() throws InterruptedException {
    ViewGroup group = group();
    registry.tell(ServiceEvent.REGISTERED);
    assertEquals(1, registry.gotten);
    assertTrue(asked.await(1, TimeUnit.MINUTES));
    group.tick(0);
    assertNull(group.status());
    registry.tell(ServiceEvent.UNREGISTERING);
    assertEquals(0, registry.gotten);
    registry.tell(ServiceEvent.REGISTERED);
    group.close();
    assertEquals(0, registry.gotten);
  }

  private ViewGroup group() {
    return new ViewGroup(
        registry.context, new NodeId("n1"), 1000, () -> 1, TreeMap::new, life -> {}, view -> {});
  }

  private static <T> T stub(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** The framework's registry as far as it is needed here. */
  private final class Registry {
    final List<String> registered = new ArrayList<>();
    final List<ServiceListener> listeners = new ArrayList<>();
    int gotten;

    final Map<String, Object> properties =
        Map.of(
            "objectClass",
            new String[] {ConsensusService.class.getName()},
            StateMachine.GROUP,
            "main",
            StateMachine.MACHINE,
            "fd");

    final ServiceReference<?> reference =
        stub(
            ServiceReference.class,
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getProperty" -> properties.get((String) arguments[0]);
                  case "getPropertyKeys" -> properties.keySet().toArray(new String[0]);
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
                  case "registerService" -> register((Dictionary<?, ?>) arguments[2]);
                  case "createFilter" -> FrameworkUtil.createFilter((String) arguments[0]);
                  case "addServiceListener" -> listeners.add((ServiceListener) arguments[0]);
                  case "removeServiceListener" -> listeners.remove(arguments[0]);
                  case "getServiceReferences" -> null;
                  case "getService" -> {
                    gotten++;
                    yield consensus;
                  }
                  case "ungetService" -> --gotten == 0;
                  default -> throw new AssertionError(method + " is not expected");
                });

    private ServiceRegistration<?> register(Dictionary<?, ?> of) {
      String name = of.get(StateMachine.GROUP) + "/" + of.get(StateMachine.MACHINE);
      registered.add(name);
      return stub(
          ServiceRegistration.class,
          (proxy, method, arguments) -> {
            assertEquals("unregister", method.getName());
            registered.remove(name);
            return null;
          });
    }

    void tell(int event) {
      listeners.forEach(it -> it.serviceChanged(new ServiceEvent(event, reference)));
    }
  }
}
