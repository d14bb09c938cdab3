// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.Assume;
import org.junit.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Refreshed 200 times, a node that serves has no more threads, files and class loaders than before.
 */
public class RefreshLeakIT {
  private static final int REFRESHES = 200;
  private static final int COLLECTIONS_MAX = 40;
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final String STORES = "io.clowder.replication";
  private static final String SCHEDULER = "io.clowder.scheduler";
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** All of ours but the API, which they all are wired to. */
  private static final List<String> REFRESHED =
      BundleFiles.OWN.stream().filter(it -> !it.equals("io.clowder.api")).toList();

  @Test
  public void refreshesLeaveNothingBehind() throws Exception {
    Assume.assumeTrue("needs " + DESCRIPTORS, Files.isDirectory(DESCRIPTORS));
    Path dir = Files.createTempDirectory("leak");
    // Alone, it elects itself: the sooner, the shorter the test.
    FelixNode node =
        FelixNode.start(
            dir,
            "n1",
            Ports.members(1),
            Map.of(
                "io.clowder.consensus.group~main",
                Map.of("heartbeat.millis", "5", "election.millis", "15"),
                STORES + "~main",
                Map.of("replicas", "1", "min.insync", "1")),
            BundleFiles.OWN);
    try {
      serve(node, "before");
      // What is opened or loaded once, and kept, is there after a round.
      for (String name : REFRESHED) {
        refresh(node, name, new ArrayList<>());
      }
      List<String> threads = threads();
      List<String> files = files();
      List<Loader> loaders = new ArrayList<>();
      for (int i = 0; i < REFRESHES; i++) {
        refresh(node, REFRESHED.get(i % REFRESHED.size()), loaders);
      }
      assertEquals(REFRESHES, loaders.size());
      assertBack("threads", threads, RefreshLeakIT::threads);
      assertBack("files", files, RefreshLeakIT::files);
      assertEquals("class loaders left", Map.of(), left(loaders));
    } finally {
      node.stop();
    }
    assertEquals(List.of(), threads().stream().filter(it -> it.contains("clowder")).toList());
  }

  private static void refresh(FelixNode node, String name, List<Loader> loaders) throws Exception {
    Bundle bundle = node.bundle(name);
    loaders.add(Loader.of(bundle));
    node.refresh(bundle);
    assertEquals(name, Bundle.ACTIVE, bundle.getState());
    serve(node, name);
  }

  private static void serve(FelixNode node, String value) throws Exception {
    node.probe().put("last", value);
    node.probe().lockOnce("lock");
    if (value.equals(STORES)) {
      node.probe().store("main").put("last", value);
    }
    if (value.equals(SCHEDULER)) {
      long task = node.probe().tasks().submit("try/echo", value, null);
      assertEquals(value, node.probe().tasks().result(task).value());
    }
    assertEquals(value, node.probe().applied("last"));
  }

  /** Waits until there is nothing that was not there before; threads and files end a bit later. */
  private static void assertBack(String what, List<String> before, Counted counted)
      throws Exception {
    List<String> more = new ArrayList<>();
    Deadline.in(WAIT)
        .until(
            () -> {
              more.clear();
              more.addAll(counted.now());
              // One by one: of two with the same name, one may be new.
              before.forEach(more::remove);
              return more.isEmpty();
            });
    assertEquals(what + " left", List.of(), more);
  }

  /** By bundle, how many class loaders of earlier wirings are still there. */
  private static Map<String, Integer> left(List<Loader> loaders) throws Exception {
    Map<String, Integer> left = new TreeMap<>();
    int[] collections = {0};
    Deadline.in(WAIT)
        .until(
            () -> {
              System.gc();
              left.clear();
              for (Loader loader : loaders) {
                if (loader.reference().get() != null) {
                  left.merge(loader.bundle(), 1, Integer::sum);
                }
              }
              return left.isEmpty() || ++collections[0] == COLLECTIONS_MAX;
            });
    return left;
  }

  private static List<String> threads() {
    return new ArrayList<>(
        Thread.getAllStackTraces().keySet().stream()
            .filter(Thread::isAlive)
            .map(it -> it.getName().replaceAll("\\d+", "#"))
            // The platform's, for whoever looks at this process; the framework's, in a pool.
            .filter(it -> !it.equals("Attach Listener") && !it.startsWith("FelixResolver"))
            .sorted()
            .toList());
  }

  /** What is open, without numbers of sockets and files, which change. */
  private static List<String> files() throws IOException {
    List<String> open = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path one : all) {
        try {
          open.add(Files.readSymbolicLink(one).toString().replaceAll("\\d+", "#"));
        } catch (NoSuchFileException e) {
          // Closed meanwhile: the stream of this very folder is among them.
        }
      }
    }
    open.sort(null);
    return open;
  }

  /** What there is of something, now. */
  private interface Counted {
    List<String> now() throws Exception;
  }

  /** The class loader of a wiring that will go. */
  private record Loader(String bundle, WeakReference<ClassLoader> reference) {
    static Loader of(Bundle bundle) {
      ClassLoader loader = bundle.adapt(BundleWiring.class).getClassLoader();
      assertTrue(bundle + " has no class loader", loader != null);
      return new Loader(bundle.getSymbolicName(), new WeakReference<>(loader));
    }
  }
}
