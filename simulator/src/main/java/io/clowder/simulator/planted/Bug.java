// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.planted;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A mistake that could have been made: production code, and what would stand there instead. One
 * block of a text file:
 *
 * <pre>
 *   bug raft-figure-8
 *   what entries of earlier terms are committed by counting
 *   rule 15
 *   in consensus-raft/Leadership
 *   - reached &gt; replica.commit() &amp;&amp; log.term(reached) == term
 *   + reached &gt; replica.commit()
 *   found cluster 17: slot 3 of segment 0 is decided otherwise at n2
 * </pre>
 *
 * <p>The text after {@code -} must be there exactly once, however it is broken into lines. There
 * may be several of these. {@code found} is written by the search.
 *
 * @param rule number in the checklist, or words
 * @param found by what, if it was found
 */
public record Bug(String name, String what, String rule, List<Edit> edits, @Nullable Found found) {

  /**
   * One place.
   *
   * @param where {@code MODULE/CLASS}
   */
  public record Edit(String where, String before, String after) {
    /** The file of the class. */
    Path file(Path root) throws IOException {
      String[] parts = where.split("/", 2);
      Path sources = root.resolve(parts[0]).resolve("src/main/java");
      try (Stream<Path> files = Files.walk(sources)) {
        List<Path> found = files.filter(it -> it.endsWith(parts[1] + ".java")).toList();
        if (found.size() != 1) {
          throw new AssertionError(found.size() + " files of " + where + " in " + sources);
        }
        return found.get(0);
      }
    }

    /** The source with the mistake. */
    String apply(String source) {
      String pattern =
          Arrays.stream(before.strip().split("\\s+"))
              .map(Pattern::quote)
              .collect(Collectors.joining("\\s+"));
      Matcher matcher = Pattern.compile(pattern).matcher(source);
      long count = matcher.results().count();
      if (count != 1) {
        throw new AssertionError(where + " has " + count + " times, not once: " + before);
      }
      return matcher.reset().replaceFirst(Matcher.quoteReplacement(after));
    }
  }

  /**
   * How a bug was found.
   *
   * @param way see {@link Trial}
   * @param seed the first one that found it; 0 if the way has no seeds
   */
  public record Found(String way, long seed, String message) {
    @Override
    public String toString() {
      return way + " " + seed + ": " + message;
    }
  }

  /** The bugs of a file. */
  public static List<Bug> read(Path file) throws IOException {
    List<Bug> bugs = new ArrayList<>();
    for (String block : Files.readString(file).split("\n\\s*\n")) {
      List<String> lines = block.lines().filter(line -> !line.startsWith("#")).toList();
      if (!lines.isEmpty()) {
        bugs.add(parse(lines));
      }
    }
    return bugs;
  }

  private static Bug parse(List<String> lines) {
    String name = "";
    String what = "";
    String rule = "";
    Found found = null;
    String where = "";
    StringBuilder before = new StringBuilder();
    StringBuilder after = new StringBuilder();
    List<Edit> edits = new ArrayList<>();
    boolean ended = false;
    for (String line : lines) {
      String rest = line.length() < 2 ? "" : line.substring(line.indexOf(' ') + 1).strip();
      boolean begins = line.startsWith("in ") || line.startsWith("found ");
      if (begins || (line.startsWith("-") && ended)) {
        if (before.length() > 0) {
          edits.add(new Edit(where, before.toString(), after.toString()));
        }
        before.setLength(0);
        after.setLength(0);
        ended = false;
      }
      if (line.startsWith("bug ")) {
        name = rest;
      } else if (line.startsWith("what ")) {
        what = rest;
      } else if (line.startsWith("rule ")) {
        rule = rest;
      } else if (line.startsWith("in ")) {
        where = rest;
      } else if (line.startsWith("-")) {
        before.append(rest).append('\n');
      } else if (line.startsWith("+")) {
        after.append(rest).append('\n');
        ended = true;
      } else if (line.startsWith("found ")) {
        found = parseFound(rest);
      } else {
        throw new IllegalArgumentException("bug " + name + ": " + line);
      }
    }
    if (before.length() > 0) {
      edits.add(new Edit(where, before.toString(), after.toString()));
    }
    return new Bug(name, what, rule, List.copyOf(edits), found);
  }

  private static Found parseFound(String text) {
    String place = text.substring(0, text.indexOf(':'));
    int gap = place.lastIndexOf(' ');
    return new Found(
        place.substring(0, gap),
        Long.parseLong(place.substring(gap + 1)),
        text.substring(text.indexOf(':') + 1).strip());
  }

  /** Writes the bugs of a file with how they are found now. */
  public static void write(Path file, List<Bug> bugs) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String block : Files.readString(file).split("\n\\s*\n")) {
      List<String> old = new ArrayList<>(block.lines().toList());
      for (Bug bug : bugs) {
        if (old.contains("bug " + bug.name)) {
          old.removeIf(line -> line.startsWith("found "));
          if (bug.found != null) {
            old.add("found " + bug.found);
          }
        }
      }
      lines.addAll(old);
      lines.add("");
    }
    lines.remove(lines.size() - 1);
    Files.write(file, lines);
  }

  /** The same, found. */
  public Bug with(@Nullable Found how) {
    return new Bug(name, what, rule, edits, how);
  }
}
