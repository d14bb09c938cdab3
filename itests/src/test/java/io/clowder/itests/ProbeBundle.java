// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import io.clowder.itests.inside.Inside;
import io.clowder.itests.probe.Probe;
import io.clowder.itests.worker.Craft;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The jars of packages that tests put into frameworks. */
final class ProbeBundle {
  private static final String TASKS = "io.clowder.api.task";

  private ProbeBundle() {}

  /** The package that the framework must lend it. */
  static String lent() {
    return Probe.class.getPackageName();
  }

  /** Writes the bundle that registers a {@link Probe}. */
  static void write(Path file) throws IOException {
    write(
        file,
        Inside.class,
        List.of(
            lent(),
            "io.clowder.api",
            "io.clowder.api.consensus",
            "io.clowder.api.dht",
            "io.clowder.api.failure",
            "io.clowder.api.kv",
            "io.clowder.api.lock",
            "io.clowder.api.store",
            TASKS,
            "org.apache.felix.service.command",
            "org.osgi.framework",
            "org.osgi.service.cm",
            "org.osgi.service.component.runtime",
            "org.osgi.service.component.runtime.dto",
            "org.osgi.util.tracker"));
  }

  /**
   * Writes a bundle that runs tasks.
   *
   * @param name its symbolic name
   * @param types of tasks, by spaces
   */
  static Path worker(Path file, String name, String version, String types) throws IOException {
    write(
        file,
        Craft.class,
        List.of(lent(), "io.clowder.api", "io.clowder.api.lock", TASKS, "org.osgi.framework"),
        Map.of("Bundle-SymbolicName", name, "Bundle-Version", version, "Task-Types", types));
    return file;
  }

  /** Writes the bundle of an activator's package. */
  static void write(Path file, Class<?> activator, List<String> imports) throws IOException {
    write(file, activator, imports, Map.of());
  }

  private static void write(
      Path file, Class<?> activator, List<String> imports, Map<String, String> more)
      throws IOException {
    String name = activator.getPackageName();
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue("Bundle-ManifestVersion", "2");
    headers.putValue("Bundle-SymbolicName", name);
    headers.putValue("Bundle-Activator", activator.getName());
    headers.putValue("Import-Package", String.join(",", imports));
    more.forEach(headers::putValue);
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out, manifest)) {
      Path folder = classes().resolve(name.replace('.', '/'));
      try (Stream<Path> all = Files.list(folder)) {
        for (Path one : all.sorted().toList()) {
          jar.putNextEntry(new ZipEntry(classes().relativize(one).toString()));
          Files.copy(one, jar);
          jar.closeEntry();
        }
      }
    }
  }

  private static Path classes() {
    try {
      URI folder = Inside.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      return Path.of(folder);
    } catch (URISyntaxException e) {
      throw new AssertionError("a class path entry is a URI", e);
    }
  }
}
