// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.FailureListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AnnouncementsTest {
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");

  /** Runs what it is given when the test says so. */
  private static final class ByHand extends AbstractExecutorService {
    private final Deque<Runnable> tasks = new ArrayDeque<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    void runAll() {
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
      }
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return false;
    }

    @Override
    public boolean isTerminated() {
      return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return true;
    }
  }

  private static final class Ear implements FailureListener {
    final List<String> heard = new ArrayList<>();

    @Override
    public void happened(FailureEvent event) {
      heard.add(event.kind() + " " + event.node() + " " + event.incarnation());
    }

    @Override
    public void viewed(ClusterView view) {
      heard.add("view " + view.number());
    }
  }

  private final ByHand threads = new ByHand();
  private final Announcements announcements = new Announcements(threads);
  private final Ear ear = new Ear();

  private static FailureEvent event(Kind kind, NodeId node, long incarnation) {
    return new FailureEvent(kind, node, incarnation, Evidence.SILENCE, "", 1, 0);
  }

  @Test
  void whoComesLateHearsWhoIsSuspected() {
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.SUSPECT, N3, 1));
    announcements.happened(event(Kind.TRUST, N3, 1));
    announcements.add("ear", ear, node -> true);
    threads.runAll();
    assertEquals(List.of("SUSPECT n2 1"), ear.heard);
  }

  @Test
  void aRestartIsHeardAsBothOfItsEvents() {
    announcements.add("ear", ear, node -> true);
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.TRUST, N2, 2));
    threads.runAll();
    assertEquals(List.of("SUSPECT n2 1", "TRUST n2 2"), ear.heard);
  }

  @Test
  void whatIsNotAskedForIsNotHeard() {
    announcements.add("ear", ear, ClusterWatch.nodes(new String[] {"n3"}));
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.SUSPECT, N3, 1));
    threads.runAll();
    assertEquals(List.of("SUSPECT n3 1"), ear.heard);
  }

  @Test
  void whoIsSlowMissesPairsAndNeverTheLast() {
    announcements.add("ear", ear, node -> true);
    for (int i = 1; i <= 5 * Announcements.WAITING_MAX; i++) {
      announcements.happened(event(Kind.SUSPECT, N2, i));
      announcements.happened(event(Kind.TRUST, N2, i));
    }
    announcements.happened(event(Kind.SUSPECT, N2, 1_000_000));
    announcements.happened(event(Kind.SUSPECT, N3, 1));
    threads.runAll();
    assertTrue(ear.heard.size() <= Announcements.WAITING_MAX + 3, ear.heard.size() + " events");
    assertEquals("SUSPECT n3 1", ear.heard.get(ear.heard.size() - 1));
    assertEquals("SUSPECT n2 1000000", ear.heard.get(ear.heard.size() - 2));
    for (int i = 0; i < ear.heard.size() - 1; i++) {
      assertTrue(ear.heard.get(i).startsWith(i % 2 == 0 ? "SUSPECT n2" : "TRUST n2"));
    }
  }

  @Test
  void aListenerThatFailsOrHangsHurtsNobody() {
    FailureListener bad =
        event -> {
          throw new IllegalStateException("no");
        };
    announcements.add("bad", bad, node -> true);
    announcements.add("ear", ear, node -> true);
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.TRUST, N2, 1));
    threads.runAll();
    assertEquals(List.of("SUSPECT n2 1", "TRUST n2 1"), ear.heard);
  }

  @Test
  void ofViewsTheLastOneIsTold() {
    announcements.add("ear", ear, node -> true);
    for (int number = 1; number <= 3; number++) {
      announcements.viewed(new ClusterView(number, number, new TreeSet<>(), new TreeSet<>(), true));
    }
    threads.runAll();
    assertEquals(List.of("view 3"), ear.heard);
  }

  @Test
  void whenTheDetectorStopsNobodyStaysSuspected() {
    announcements.add("ear", ear, ClusterWatch.nodes("n2"));
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.SUSPECT, N3, 1));
    threads.runAll();
    announcements.end(0);
    threads.runAll();
    assertEquals(List.of("SUSPECT n2 1", "TRUST n2 1"), ear.heard);
  }

  @Test
  void whoWantsToHearOfOthersHearsTheEndOfWhatItKnows() {
    announcements.add("ear", ear, ClusterWatch.nodes(List.of("n2")));
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.happened(event(Kind.SUSPECT, N3, 1));
    threads.runAll();
    announcements.add("ear", ear, ClusterWatch.nodes(List.of("n3")));
    announcements.happened(event(Kind.TRUST, N2, 1));
    announcements.happened(event(Kind.SUSPECT, N2, 2));
    threads.runAll();
    assertEquals(List.of("SUSPECT n2 1", "SUSPECT n3 1", "TRUST n2 1"), ear.heard);
  }

  @Test
  void nothingIsToldAfterTheEnd() {
    announcements.add("ear", ear, node -> true);
    announcements.happened(event(Kind.SUSPECT, N2, 1));
    announcements.remove("ear");
    threads.runAll();
    announcements.happened(event(Kind.TRUST, N2, 1));
    threads.runAll();
    assertEquals(List.of(), ear.heard);
  }
}
