// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The settings that bundles say they take, read from the Metatype descriptions in their jars. */
final class SettingsCatalog {
  /** The name of one instance in the middle of a setting's. */
  private static final Pattern INSTANCE = Pattern.compile("~[^.]*");

  /** The keys of each PID. */
  private final SortedMap<String, SortedSet<String>> keys = new TreeMap<>();

  /** Those of the keys, with their PIDs, whose values are whole numbers. */
  private final Set<String> numbers = new HashSet<>();

  /** Those of the keys, with their PIDs, whose values are true or false. */
  private final Set<String> switches = new HashSet<>();

  /** Reads the descriptions in these jars. */
  void read(Collection<Path> jars) throws IOException {
    for (Path path : jars) {
      try (JarFile jar = new JarFile(path.toFile())) {
        add(jar);
      } catch (SAXException | ParserConfigurationException e) {
        throw new IOException(path + ": its Metatype description cannot be read", e);
      }
    }
  }

  /** Knows a PID with its keys. */
  void add(String pid, Collection<String> settings) {
    keys.computeIfAbsent(pid, name -> new TreeSet<>()).addAll(settings);
  }

  /** Knows that a value is a whole number. */
  void addNumber(String pid, String key) {
    numbers.add(pid + "." + key);
  }

  /** Knows that a value is true or false. */
  void addSwitch(String pid, String key) {
    switches.add(pid + "." + key);
  }

  /** Whether a bundle takes settings of this PID. */
  boolean knows(String pid) {
    return keys.containsKey(pid);
  }

  /**
   * Splits {@code PID.key}; a PID may carry the name of one instance after a tilde.
   *
   * @return PID and key
   */
  List<String> split(String name) throws CommandFailure {
    for (int dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      String pid = name.substring(0, dot);
      SortedSet<String> settings = keys.get(pid.split("~", 2)[0]);
      if (settings != null) {
        String key = name.substring(dot + 1);
        if (settings.contains(key)) {
          return List.of(pid, key);
        }
      }
    }
    String near = nearest(name);
    throw CommandFailure.usage(
        "unknown setting '" + name + "'" + (near == null ? "" : "; did you mean " + near + "?"));
  }

  /**
   * Refuses keys that are a misspelling of one of ours, and words for numbers or for true or false,
   * which would be taken for false. Files for PIDs that are not in the catalog are plug-ins' own.
   */
  void check(NodeDirectory directory) throws IOException, CommandFailure {
    for (Path file : Distribution.files(directory.etc(), "*.cfg")) {
      String name = file.getFileName().toString();
      String pid = name.substring(0, name.length() - ".cfg".length()).split("-", 2)[0];
      SortedSet<String> known = keys.get(pid);
      for (Map.Entry<String, String> setting : new ConfigFile(file).read().entrySet()) {
        String key = setting.getKey();
        boolean framework = key.startsWith("service.") || key.startsWith("felix.");
        if (known != null && !known.contains(key) && !framework) {
          throw CommandFailure.usage(
              file + ": unknown setting '" + key + "'; known are " + String.join(", ", known));
        }
        if (numbers.contains(pid + "." + key)
            && !setting.getValue().matches("\\s*-?\\d{1,18}\\s*")) {
          throw CommandFailure.usage(
              file + ": " + key + " is " + setting.getValue() + ": use a whole number");
        }
        if (switches.contains(pid + "." + key)
            && !setting.getValue().strip().matches("true|false")) {
          throw CommandFailure.usage(
              file + ": " + key + " is " + setting.getValue() + ": use true or false");
        }
      }
    }
  }

  private @Nullable String nearest(String name) {
    Matcher matcher = INSTANCE.matcher(name);
    String instance = matcher.find() ? matcher.group() : "";
    String best = null;
    int distance = 4;
    for (Map.Entry<String, SortedSet<String>> pid : keys.entrySet()) {
      for (String key : pid.getValue()) {
        String candidate = pid.getKey() + instance + "." + key;
        int edits = edits(name, candidate);
        if (edits < distance) {
          distance = edits;
          best = candidate;
        }
      }
    }
    return best;
  }

  /** How many characters have to be changed, added or removed to make one of the other. */
  static int edits(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }

  private void add(JarFile jar) throws IOException, SAXException, ParserConfigurationException {
    for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
      JarEntry entry = entries.nextElement();
      if (entry.getName().matches("OSGI-INF/metatype/[^/]+\\.xml")) {
        try (InputStream in = jar.getInputStream(entry)) {
          add(parser().parse(in));
        }
      }
    }
  }

  private void add(Document description) {
    Map<String, Element> definitions = new HashMap<>();
    elements(description.getElementsByTagName("OCD"))
        .forEach(definition -> definitions.put(definition.getAttribute("id"), definition));
    for (Element designate : elements(description.getElementsByTagName("Designate"))) {
      String factory = designate.getAttribute("factoryPid");
      String pid = factory.isEmpty() ? designate.getAttribute("pid") : factory;
      for (Element object : elements(designate.getElementsByTagName("Object"))) {
        Element definition = definitions.get(object.getAttribute("ocdref"));
        if (definition != null) {
          describe(pid, elements(definition.getElementsByTagName("AD")));
        }
      }
    }
  }

  private void describe(String pid, List<Element> attributes) {
    add(pid, attributes.stream().map(attribute -> attribute.getAttribute("id")).toList());
    for (Element attribute : attributes) {
      String key = attribute.getAttribute("id");
      switch (attribute.getAttribute("type")) {
        case "Integer", "Long" -> addNumber(pid, key);
        case "Boolean" -> addSwitch(pid, key);
        default -> {}
      }
    }
  }

  private static List<Element> elements(NodeList nodes) {
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
  }

  private static DocumentBuilder parser() throws ParserConfigurationException {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    return factory.newDocumentBuilder();
  }
}
