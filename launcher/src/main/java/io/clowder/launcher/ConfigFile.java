// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A {@code .cfg} file of a node: the configuration of one PID, which people edit and File Install
 * applies. The launcher sets single keys and leaves every other line as it is.
 */
final class ConfigFile {
  private final Path path;

  ConfigFile(Path path) {
    this.path = path;
  }

  /** What is in it; nothing if it is not there. */
  Map<String, String> read() throws IOException {
    Properties properties = new Properties();
    if (Files.exists(path)) {
      properties.load(new StringReader(Files.readString(path)));
    }
    Map<String, String> values = new LinkedHashMap<>();
    properties.stringPropertyNames().stream()
        .sorted()
        .forEach(key -> values.put(key, properties.getProperty(key)));
    return values;
  }

  /** Sets keys, each where it already is or at the end; the file is replaced as a whole. */
  void set(Map<String, String> values, String heading) throws IOException {
    List<String> lines = new ArrayList<>();
    if (Files.exists(path)) {
      lines.addAll(Files.readAllLines(path));
    } else {
      lines.add("# " + heading);
    }
    Map<String, String> open = new LinkedHashMap<>(values);
    for (int i = 0; i < lines.size(); i++) {
      String key = keyOf(lines.get(i));
      String value = open.remove(key);
      if (value != null) {
        // A value may go on over several lines, each but the last ending in a backslash.
        while (lines.get(i).endsWith("\\") && i + 1 < lines.size()) {
          lines.remove(i);
        }
        lines.set(i, line(key, value));
      }
    }
    open.forEach((key, value) -> lines.add(line(key, value)));
    Path draft = path.resolveSibling("." + path.getFileName() + ".new");
    Files.write(draft, lines);
    Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
  }

  private static String line(String key, String value) {
    return key + " = " + value.replace("\\", "\\\\");
  }

  private static String keyOf(String line) {
    String text = line.strip();
    if (text.isEmpty() || text.startsWith("#") || text.startsWith("!")) {
      return "";
    }
    return text.split("[=:\\s]", 2)[0];
  }
}
