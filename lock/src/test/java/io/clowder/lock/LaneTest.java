// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaneTest {
  private final List<String> done = new ArrayList<>();

  @Test
  void whatATaskAddsComesAfterIt() {
    Lane lane = new Lane(Runnable::run);
    lane.execute(
        () -> {
          lane.execute(() -> done.add("second"));
          done.add("first");
        });
    lane.execute(() -> done.add("third"));
    assertEquals(List.of("first", "second", "third"), done);
  }

  @Test
  void aTaskThatFailsDoesNotKeepOthers() {
    Lane lane = new Lane(Runnable::run);
    lane.execute(
        () -> {
          lane.execute(() -> done.add("next"));
          throw new IllegalStateException("as the test wants it");
        });
    assertEquals(List.of("next"), done);
  }

  @Test
  void twoLanesOnTheSameThreadsDoNotWaitForEachOther() {
    VirtualTimer threads = new VirtualTimer();
    Lane one = new Lane(threads);
    Lane other = new Lane(threads);
    one.execute(
        () -> {
          assertTrue(one.isHere());
          assertFalse(other.isHere());
          other.execute(() -> done.add("other"));
          threads.run();
          done.add("one");
        });
    threads.run();
    assertEquals(List.of("other", "one"), done);
    assertFalse(one.isHere());
  }
}
