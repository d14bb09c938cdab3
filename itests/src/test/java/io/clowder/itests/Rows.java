// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rows of a command's table, from its JSON. */
final class Rows {
  private static final Pattern ROW = Pattern.compile("\\{(?:[^{}\"]|\"(?:[^\"\\\\]|\\\\.)*\")*}");
  private static final Pattern CELL =
      Pattern.compile("\"([\\w -]+)\": (?:\"((?:[^\"\\\\]|\\\\.)*)\"|([\\w.+-]+))");

  private Rows() {}

  /** Each a map from headings to cells; of no value, the cell is {@code null} as a word. */
  static List<Map<String, String>> of(String json) {
    List<Map<String, String>> rows = new ArrayList<>();
    Matcher row = ROW.matcher(json);
    while (row.find()) {
      Map<String, String> cells = new LinkedHashMap<>();
      Matcher cell = CELL.matcher(row.group());
      while (cell.find()) {
        cells.put(cell.group(1), cell.group(2) != null ? cell.group(2) : cell.group(3));
      }
      rows.add(cells);
    }
    return rows;
  }

  /** The only one. */
  static Map<String, String> one(String json) {
    List<Map<String, String>> rows = of(json);
    if (rows.size() != 1) {
      throw new AssertionError("one row expected: " + json);
    }
    return rows.get(0);
  }
}
