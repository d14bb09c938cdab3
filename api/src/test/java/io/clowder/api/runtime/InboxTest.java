// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class InboxTest {
  private final AtomicInteger wakeups = new AtomicInteger();
  private final Inbox inbox = new Inbox(3, 100, wakeups::incrementAndGet);
  private final List<String> done = new ArrayList<>();

  private void take() {
    List<Runnable> taken = inbox.take();
    taken.forEach(Runnable::run);
    taken.clear();
  }

  private Runnable task(String name) {
    return () -> done.add(name);
  }

  @Test
  void givesWhatCameInOrderOnce() {
    assertTrue(inbox.offer(0, task("a")));
    inbox.add(task("b"));
    take();
    take();
    inbox.add(task("c"));
    take();
    assertEquals(List.of("a", "b", "c"), done);
    assertEquals(3, wakeups.get());
  }

  @Test
  void whatComesFromWithoutIsLimitedInNumber() {
    for (int i = 0; i < 3; i++) {
      assertTrue(inbox.offer(0, task("" + i)));
    }
    assertFalse(inbox.offer(0, task("too many")));
    inbox.add(task("own"));
    take();
    assertEquals(List.of("0", "1", "2", "own"), done);
    assertTrue(inbox.offer(0, task("again")));
  }

  @Test
  void bytesAreHeldUntilTheyAreReleased() {
    assertTrue(inbox.offer(60, task("a")));
    assertFalse(inbox.offer(41, task("too large")));
    take();
    assertFalse(inbox.offer(41, task("held still")));
    inbox.release(60);
    assertTrue(inbox.offer(100, task("b")));
  }

  @Test
  void onceItIsShutOnlyTheOwnerPuts() {
    inbox.shut();
    assertFalse(inbox.offer(0, task("late")));
    inbox.add(task("own"));
    take();
    assertEquals(List.of("own"), done);
  }
}
