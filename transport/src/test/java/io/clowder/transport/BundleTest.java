// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.transport.Transport;
import java.io.IOException;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;

/** The bundle in a bare Felix with nothing but Declarative Services. */
@Timeout(120)
class BundleTest {
  private static final String API =
      "io.clowder.api;version=1.0.0,io.clowder.api.transport;version=1.0.0,"
          + "io.clowder.api.wire;version=1.0.0";
  private static final String LOGGING =
      "org.slf4j;version=2.0.20,org.slf4j.helpers;version=2.0.20,org.slf4j.spi;version=2.0.20,"
          + "org.slf4j.event;version=2.0.20";

  @TempDir private Path cache;
  private Framework framework;
  private Bundle bundle;

  @BeforeEach
  void start() throws Exception {
    Map<String, String> settings = new HashMap<>();
    settings.put(Constants.FRAMEWORK_STORAGE, cache.toString());
    settings.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, API + "," + LOGGING);
    framework = new FrameworkFactory().newFramework(settings);
    framework.start();
    BundleContext context = framework.getBundleContext();
    context.registerService(Node.class, TestNode.cluster(1).get(0), null);
    for (Class<?> one :
        List.of(
            org.osgi.util.function.Function.class,
            org.osgi.util.promise.Promise.class,
            org.osgi.service.component.ComponentContext.class,
            org.apache.felix.scr.info.ScrInfo.class)) {
      install(one).start();
    }
    bundle = install(TcpTransport.class);
  }

  @AfterEach
  void stop() throws Exception {
    framework.stop();
    framework.waitForStop(20_000);
    assertEquals(List.of(), threads());
  }

  @Test
  void itExportsNothingAndServes() throws Exception {
    bundle.start();
    assertNull(bundle.getHeaders().get(Constants.EXPORT_PACKAGE));
    assertEquals("io.clowder.transport", bundle.getSymbolicName());
    assertEquals("x", ownMessage());
  }

  @Test
  void stoppedStartedAndRefreshedItLeavesNothingBehind() throws Exception {
    ReferenceQueue<ClassLoader> unloaded = new ReferenceQueue<>();
    List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    List<String> before = List.of();
    for (int round = 0; round < 5; round++) {
      bundle.start();
      assertEquals("x", ownMessage());
      loaders.add(new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader(), unloaded));
      bundle.stop();
      assertEquals(List.of(), threads());
      if (round == 0) {
        // The first round leaves what the class library opens once, and keeps.
        before = channels();
      }
      List<String> left = channels();
      before.forEach(left::remove);
      assertEquals(List.of(), left);
      bundle.start();
      assertEquals("x", ownMessage());
      refresh();
    }
    for (int i = 0; i < loaders.size(); i++) {
      System.gc();
      assertNotNull(unloaded.remove(10_000), "class loaders left: " + loaders);
    }
  }

  /** Sends a message by this thread, which lives longer than the bundle. */
  private String ownMessage() throws Exception {
    BundleContext context = framework.getBundleContext();
    ServiceReference<Transport> reference = context.getServiceReference(Transport.class);
    assertNotNull(reference, "no transport");
    Transport transport = context.getService(reference);
    try {
      CompletableFuture<String> text = new CompletableFuture<>();
      Transport.Registration registration =
          transport.listen(
              "t", (from, payload) -> text.complete(Character.toString((char) payload.get())));
      transport.send(new NodeId("n1"), "t", ByteBuffer.wrap(new byte[] {'x'}));
      String result = text.get(20, TimeUnit.SECONDS);
      registration.close();
      return result;
    } finally {
      context.ungetService(reference);
    }
  }

  private void refresh() throws Exception {
    CompletableFuture<FrameworkEvent> refreshed = new CompletableFuture<>();
    framework.adapt(FrameworkWiring.class).refreshBundles(List.of(bundle), refreshed::complete);
    refreshed.get(20, TimeUnit.SECONDS);
  }

  private Bundle install(Class<?> of) throws BundleException {
    URL where = of.getProtectionDomain().getCodeSource().getLocation();
    return framework.getBundleContext().installBundle("reference:" + where);
  }

  /** The sockets, pipes and selectors this process has open, where the system tells. */
  private static List<String> channels() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    if (!Files.isDirectory(descriptors)) {
      return List.of();
    }
    List<String> open = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(descriptors)) {
      for (Path one : all) {
        try {
          open.add(Files.readSymbolicLink(one).toString());
        } catch (NoSuchFileException e) {
          // Closed meanwhile: the stream of this very directory is among them.
        }
      }
    }
    open.removeIf(it -> it.startsWith("/"));
    Collections.sort(open);
    return open;
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(it -> it.contains("clowder") || it.contains("lobalEventExecutor"))
        .toList();
  }
}
