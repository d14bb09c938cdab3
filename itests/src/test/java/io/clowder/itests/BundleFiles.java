// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** The bundles on the class path of the tests, by symbolic name: of this very build. */
final class BundleFiles {
  /** Our own, in an order in which they can be started. */
  static final List<String> OWN =
      List.of(
          "io.clowder.api",
          "io.clowder.storage",
          "io.clowder.transport",
          "io.clowder.consensus-raft",
          "io.clowder.consensus-paxos",
          "io.clowder.consensus",
          "io.clowder.kv",
          "io.clowder.lock",
          "io.clowder.failure-detector",
          "io.clowder.replication",
          "io.clowder.dht",
          "io.clowder.scheduler");

  /** What ours run on. */
  static final List<String> PLATFORM =
      List.of(
          "org.ops4j.pax.logging.pax-logging-api",
          "org.osgi.util.function",
          "org.osgi.util.promise",
          "org.osgi.service.component",
          "org.apache.felix.configadmin",
          "org.apache.felix.metatype",
          "org.apache.felix.scr",
          "org.apache.felix.gogo.runtime",
          "org.apache.felix.gogo.command",
          "picocli");

  private static final Map<String, Path> FILES = scan();

  private BundleFiles() {}

  static Path of(String symbolicName) {
    Path file = FILES.get(symbolicName);
    if (file == null) {
      throw new AssertionError(
          "no bundle " + symbolicName + " on the class path; there are " + FILES.keySet());
    }
    return file;
  }

  private static Map<String, Path> scan() {
    Map<String, Path> files = new TreeMap<>();
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : classPath.split(File.pathSeparator)) {
      if (entry.endsWith(".jar")) {
        try (JarFile jar = new JarFile(entry)) {
          Manifest manifest = jar.getManifest();
          String name =
              manifest == null
                  ? null
                  : manifest.getMainAttributes().getValue("Bundle-SymbolicName");
          if (name != null) {
            files.put(name.replaceFirst(";.*", "").strip(), Path.of(entry));
          }
        } catch (IOException e) {
          throw new AssertionError(entry + " on the class path cannot be read", e);
        }
      }
    }
    return files;
  }
}
