// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * A {@code .cfg} file of a node: the configuration of one PID, which people edit and File Install
 * applies. The launcher sets single keys and leaves every other line as it is, byte by byte: the
 * format is ISO 8859-1, in which every byte is a character.
 */
final class ConfigFile {
  private static final String MARK = "# Set at each start, from the command line and --config: ";

  private final Path path;

  ConfigFile(Path path) {
    this.path = path;
  }

  /** What is in it; nothing if it is not there. */
  Map<String, String> read() throws IOException {
    Properties properties = new Properties();
    if (Files.exists(path)) {
      properties.load(new StringReader(Files.readString(path, ISO_8859_1)));
    }
    Map<String, String> values = new LinkedHashMap<>();
    properties.stringPropertyNames().stream()
        .sorted()
        .forEach(key -> values.put(key, properties.getProperty(key)));
    return values;
  }

  /**
   * Sets keys, each where it already is or at the end, and takes back those that the last call set
   * and this one does not; a comment in the file keeps count. The file is replaced as a whole.
   */
  void set(Map<String, String> values) throws IOException {
    List<String> lines = new ArrayList<>();
    if (Files.exists(path)) {
      lines.addAll(Files.readAllLines(path, ISO_8859_1));
    }
    Set<String> gone = new HashSet<>();
    for (String line : lines) {
      if (line.startsWith(MARK)) {
        gone.addAll(List.of(line.substring(MARK.length()).split(", ")));
      }
    }
    gone.removeAll(values.keySet());
    lines.removeIf(line -> line.startsWith(MARK));
    Map<String, String> open = new LinkedHashMap<>(values);
    for (int i = 0; i < lines.size(); i++) {
      String key = keyOf(lines.get(i));
      String value = open.remove(key);
      if (value != null || gone.contains(key)) {
        // A value may go on over several lines, each but the last ending in a backslash.
        while (lines.get(i).endsWith("\\") && i + 1 < lines.size()) {
          lines.remove(i);
        }
        lines.set(i, value == null ? "" : line(key, value));
      }
    }
    open.forEach((key, value) -> lines.add(line(key, value)));
    if (values.isEmpty() && lines.stream().allMatch(String::isBlank)) {
      // An empty file would still be a configuration.
      Files.deleteIfExists(path);
      return;
    }
    if (!values.isEmpty()) {
      lines.add(0, MARK + String.join(", ", values.keySet()));
    }
    Path draft = path.resolveSibling("." + path.getFileName() + ".new");
    Files.write(draft, lines, ISO_8859_1);
    Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
  }

  private static String line(String key, String value) {
    StringBuilder line = new StringBuilder(key + " = ");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '\\') {
        line.append("\\\\");
      } else if (c < ' ' || c > '~' || (c == ' ' && i == 0)) {
        line.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        line.append(c);
      }
    }
    return line.toString();
  }

  private static String keyOf(String line) {
    String text = line.strip();
    if (text.isEmpty() || text.startsWith("#") || text.startsWith("!")) {
      return "";
    }
    return text.split("[=:\\s]", 2)[0];
  }
}
