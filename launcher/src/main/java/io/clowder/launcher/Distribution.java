// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The unpacked distribution: {@code bin/}, {@code lib/}, {@code bundle/START-LEVEL/}, {@code etc/}.
 *
 * @param home where it is
 */
record Distribution(Path home) {
  /** The one this process was started from. */
  static Distribution current() throws CommandFailure {
    String home = System.getProperty("clowder.home");
    if (home == null) {
      throw CommandFailure.usage("clowder.home is not set; start with bin/clowder");
    }
    Distribution distribution = new Distribution(Path.of(home));
    if (!Files.isDirectory(distribution.bundles())) {
      throw CommandFailure.usage(home + ": no distribution, bundle/ is missing; unpack it again");
    }
    return distribution;
  }

  /** The command line's script. */
  Path script() {
    return home.resolve("bin/clowder");
  }

  /** Configuration of the distribution itself. */
  Path etc() {
    return home.resolve("etc");
  }

  private Path bundles() {
    return home.resolve("bundle");
  }

  /** The bundles of every node, by start level. */
  SortedMap<Integer, List<Path>> bundlesByLevel() throws IOException {
    SortedMap<Integer, List<Path>> levels = new TreeMap<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(bundles(), "[0-9]*")) {
      for (Path folder : folders) {
        levels.put(Integer.valueOf(folder.getFileName().toString()), files(folder, "*.jar"));
      }
    }
    return levels;
  }

  /** The settings that its bundles take. */
  SettingsCatalog settings() throws IOException {
    SettingsCatalog catalog = new SettingsCatalog();
    for (List<Path> jars : bundlesByLevel().values()) {
      catalog.read(jars);
    }
    return catalog;
  }

  /** The protocols that come with it, by the names of their bundles. */
  List<String> protocols() throws IOException {
    List<String> names = new ArrayList<>();
    for (List<Path> jars : bundlesByLevel().values()) {
      for (Path jar : jars) {
        String name = jar.getFileName().toString();
        if (name.startsWith("io.clowder.consensus-")) {
          String rest = name.substring("io.clowder.consensus-".length());
          // A version starts with a digit, a protocol does not.
          if (!Character.isDigit(rest.charAt(0))) {
            names.add(rest.split("-", 2)[0]);
          }
        }
      }
    }
    return names;
  }

  /** The files in a folder that match, in the order of their names. */
  static List<Path> files(Path folder, String glob) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
      entries.forEach(files::add);
    }
    files.sort(null);
    return files;
  }
}
