// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/**
 * The star: every bundle knows the API and no other bundle of ours, and shows nothing of itself.
 */
@RunWith(Parameterized.class)
public class ManifestIT {
  private static final String API = "io.clowder.api";

  /** The date that the build gives to every entry. */
  private static final LocalDateTime DATE = LocalDateTime.of(2026, 1, 1, 0, 0);

  private final String name;
  private final Path file;

  public ManifestIT(String name) {
    this.name = name;
    this.file = BundleFiles.of(name);
  }

  @Parameters(name = "{0}")
  public static List<String> bundles() {
    List<String> all = new ArrayList<>(BundleFiles.OWN);
    all.add("io.clowder.benchmarks");
    return all;
  }

  @Test
  public void theSymbolicNameIsTheNameOfTheArtifact() throws IOException {
    assertEquals(name, header("Bundle-SymbolicName"));
    assertEquals(name, header("Automatic-Module-Name"));
    // In a reactor the jar is the module's own; its name is the artifact's.
    assertEquals(
        name + "-" + System.getProperty("clowder.itests.version") + ".jar",
        file.getFileName().toString());
  }

  @Test
  public void ofOursOnlyTheApiIsImported() throws IOException {
    Map<String, String> imports = packages("Import-Package");
    List<String> ours =
        imports.keySet().stream().filter(it -> it.startsWith("io.clowder")).toList();
    assertEquals(ours.stream().filter(ManifestIT::isApi).toList(), ours);
    assertTrue("it imports nothing of ours: " + imports.keySet(), !ours.isEmpty());
    assertNull(header("Require-Bundle"));
    assertNull(header("DynamicImport-Package"));
  }

  @Test
  public void onlyTheApiExports() throws IOException {
    Map<String, String> exports = packages("Export-Package");
    if (name.equals(API)) {
      assertTrue(exports.toString(), exports.containsKey(API + ".consensus"));
      assertEquals(
          exports.keySet().stream().filter(ManifestIT::isApi).toList(),
          List.copyOf(exports.keySet()));
      exports.forEach((it, directives) -> assertTrue(it, directives.contains("version=\"1.")));
    } else {
      assertEquals(Map.of(), exports);
    }
  }

  @Test
  public void whatIsEmbeddedIsNotImported() throws IOException {
    List<String> embedded = List.of("io.netty", "org.HdrHistogram", "org.pcollections");
    assertEquals(
        List.of(),
        packages("Import-Package").keySet().stream()
            .filter(it -> embedded.stream().anyMatch(it::startsWith))
            .toList());
  }

  @Test
  public void loggingOfEitherGenerationWillDo() throws IOException {
    packages("Import-Package")
        .forEach(
            (it, directives) -> {
              if (it.startsWith("org.slf4j")) {
                assertTrue(it + ";" + directives, directives.contains("version=\"[1.7,3)\""));
              }
            });
  }

  @Test
  public void annotationsAndTheOptionParserAreOptional() throws IOException {
    packages("Import-Package")
        .forEach(
            (it, directives) -> {
              if (it.startsWith("org.jspecify") || it.startsWith("picocli")) {
                assertTrue(it + ";" + directives, directives.contains("resolution:=optional"));
              }
            });
  }

  @Test
  public void providersFollowMinorVersionsAndConsumersMajorOnes() throws IOException {
    Map<String, String> imports = packages("Import-Package");
    Map<String, String> provides =
        Map.ofEntries(
            Map.entry("io.clowder.storage", "storage"),
            Map.entry("io.clowder.transport", "transport"),
            Map.entry("io.clowder.consensus", "consensus"),
            Map.entry("io.clowder.consensus-raft", "protocol"),
            Map.entry("io.clowder.consensus-paxos", "protocol"),
            Map.entry("io.clowder.kv", "kv"),
            Map.entry("io.clowder.lock", "lock"),
            Map.entry("io.clowder.failure-detector", "failure"),
            Map.entry("io.clowder.replication", "store"),
            Map.entry("io.clowder.dht", "dht"),
            Map.entry("io.clowder.scheduler", "task"));
    String provided = provides.get(name);
    if (provided != null) {
      String range = provided.equals("protocol") ? "[1.0,2)" : "[1.0,1.1)";
      assertTrue(
          imports.toString(), imports.get(API + "." + provided).contains("\"" + range + "\""));
    }
    if (name.equals("io.clowder.kv") || name.equals("io.clowder.lock")) {
      assertTrue(imports.toString(), imports.get(API + ".consensus").contains("\"[1.0,2)\""));
    }
  }

  @Test
  public void twoBuildsGiveTheSameBytes() throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      List<JarEntry> entries = jar.stream().toList();
      assertTrue(file + " is empty", entries.size() > 5);
      entries.forEach(it -> assertEquals(it.getName(), DATE, it.getTimeLocal()));
    }
    for (String dated : List.of("Bnd-LastModified", "Built-By", "Build-Jdk", "Bundle-Developers")) {
      assertNull(dated, header(dated));
    }
  }

  private static boolean isApi(String packageName) {
    return packageName.equals(API) || packageName.startsWith(API + ".");
  }

  private String header(String header) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      Attributes attributes = jar.getManifest().getMainAttributes();
      return attributes.getValue(header);
    }
  }

  /** The packages of a header, with their attributes and directives. */
  private Map<String, String> packages(String header) throws IOException {
    Map<String, String> packages = new TreeMap<>();
    String value = header(header);
    if (value != null) {
      // At every comma that an even number of quotes follows.
      Arrays.stream(value.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"))
          .map(clause -> clause.split(";", 2))
          .forEach(clause -> packages.put(clause[0].strip(), clause.length > 1 ? clause[1] : ""));
    }
    return packages;
  }
}
