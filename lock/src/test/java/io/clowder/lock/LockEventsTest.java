// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.lock.LockEvent;
import io.clowder.api.lock.LockListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class LockEventsTest {
  private final Deque<Runnable> ready = new ArrayDeque<>();
  private final LockEvents events = new LockEvents(3, ready::add);
  private final List<String> heard = new ArrayList<>();
  private long position;

  /** Writes down what it hears. */
  private class Listener implements LockListener {
    @Override
    public void happened(LockEvent event) {
      heard.add(event.name() + " " + event.position());
    }

    @Override
    public void missed() {
      heard.add("missed");
    }
  }

  @Test
  void theLatestAreKept() {
    for (String name : List.of("a", "b", "a", "c")) {
      happen(name);
    }
    assertEquals(List.of("b", "a", "c"), events.of(null).stream().map(LockEvent::name).toList());
    assertEquals(List.of(3L), events.of("a").stream().map(LockEvent::position).toList());
    LockEvents none = new LockEvents(0, ready::add);
    none.happened(List.of(event("a")));
    assertEquals(List.of(), none.of(null));
  }

  @Test
  void listenersHearOfTheNamesThatTheyNamed() {
    happen("before");
    LockListener listener = new Listener();
    events.add(listener, LockGroup.names(new String[] {"a*z", "b"}));
    for (String name : List.of("az", "abcz", "b", "bb", "a.z", "za")) {
      happen(name);
    }
    run();
    assertEquals(List.of("az 2", "abcz 3", "b 4", "a.z 6"), heard);
    events.remove(listener);
    happen("b");
    run();
    assertEquals(4, heard.size());
  }

  @Test
  void namesAreLiteralButForTheStar() {
    Predicate<String> one = LockGroup.names("a.b");
    assertTrue(one.test("a.b"));
    assertFalse(one.test("axb"));
    assertTrue(LockGroup.names(null).test("anything"));
    assertTrue(LockGroup.names(List.of("x", "\\Q*")).test("\\Qy"));
    assertTrue(LockGroup.names("*").test("with\nlines"));
  }

  @Test
  void aListenerThatFailsDoesNotKeepOthersFromHearing() {
    events.add(
        new LockListener() {
          @Override
          public void happened(LockEvent event) {
            throw new IllegalStateException("as told");
          }
        },
        name -> true);
    events.add(new Listener(), name -> true);
    happen("a");
    happen("b");
    run();
    assertEquals(List.of("a 1", "b 2"), heard);
  }

  @Test
  void whoIsTooSlowIsToldThatHeMissedSomething() {
    events.add(new Listener(), name -> true);
    for (int i = 0; i < 10_001; i++) {
      happen("a");
    }
    run();
    assertEquals(List.of("missed", "a 10001"), heard);
    heard.clear();
    events.restored();
    run();
    happen("a");
    run();
    assertEquals(List.of("missed", "a 10002"), heard);
  }

  private void happen(String name) {
    events.happened(List.of(event(name)));
  }

  private LockEvent event(String name) {
    position++;
    return new LockEvent(
        position, 1, LockEvent.Kind.GRANTED, name, position, new NodeId("n1"), "bundle", "");
  }

  private void run() {
    while (!ready.isEmpty()) {
      ready.remove().run();
    }
  }
}
