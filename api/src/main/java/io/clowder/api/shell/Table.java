// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Rows under headings, as text for people or as JSON for scripts (an array of objects whose keys
 * are the headings). Cells are strings, numbers, booleans, null, or tables of their own.
 */
public final class Table {
  private final List<String> headings;
  private final List<List<@Nullable Object>> rows = new ArrayList<>();

  /** An empty table; headings in lower case. */
  public Table(String... headings) {
    this.headings = List.of(headings);
  }

  /** Adds a row with a cell for each heading. */
  public Table row(@Nullable Object... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(cells.length + " cells for " + headings);
    }
    List<@Nullable Object> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(cell);
    }
    rows.add(row);
    return this;
  }

  /** The same, less a column if nothing is in it. */
  public Table withoutIfEmpty(String heading) {
    int column = headings.indexOf(heading);
    boolean used =
        rows.stream()
            .map(row -> row.get(column))
            .anyMatch(cell -> cell != null && !"".equals(cell));
    return used ? this : without(heading);
  }

  /** The same, less a column. */
  public Table without(String heading) {
    int column = headings.indexOf(heading);
    List<String> kept = new ArrayList<>(headings);
    kept.remove(column);
    Table table = new Table(kept.toArray(String[]::new));
    for (List<@Nullable Object> row : rows) {
      List<@Nullable Object> cells = new ArrayList<>(row);
      cells.remove(column);
      table.row(cells.toArray());
    }
    return table;
  }

  /** Whether there are no rows. */
  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Columns under upper-case headings, numbers flush right, without a trailing line break. */
  public String toText() {
    int[] widths = new int[headings.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = headings.get(i).length();
      for (List<@Nullable Object> row : rows) {
        widths[i] = Math.max(widths[i], text(row.get(i)).length());
      }
    }
    StringBuilder out = new StringBuilder();
    List<@Nullable Object> titles = new ArrayList<>();
    headings.forEach(heading -> titles.add(heading.toUpperCase(Locale.ROOT)));
    line(out, titles, widths);
    rows.forEach(row -> line(out.append('\n'), row, widths));
    return out.toString();
  }

  /** A JSON array of objects, a line each. */
  public String toJson() {
    StringBuilder out = new StringBuilder("[");
    for (List<@Nullable Object> row : rows) {
      object(out.append(out.length() == 1 ? "\n  " : ",\n  "), row);
    }
    return out.append(rows.isEmpty() ? "]" : "\n]").toString();
  }

  /** JSON on one line, as it is within another table. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("[");
    for (List<@Nullable Object> row : rows) {
      object(out.append(out.length() == 1 ? "" : ", "), row);
    }
    return out.append(']').toString();
  }

  private void object(StringBuilder out, List<@Nullable Object> row) {
    out.append('{');
    for (int i = 0; i < headings.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      quote(out, headings.get(i));
      out.append(": ");
      Object cell = row.get(i);
      if (cell == null
          || cell instanceof Number
          || cell instanceof Boolean
          || cell instanceof Table) {
        out.append(cell);
      } else {
        quote(out, cell.toString());
      }
    }
    out.append('}');
  }

  private void line(StringBuilder out, List<@Nullable Object> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String text = text(cells.get(i));
      String gap = " ".repeat(widths[i] - text.length());
      boolean right = !rows.isEmpty() && rows.get(0).get(i) instanceof Number;
      line.append(i == 0 ? "" : "  ").append(right ? gap + text : text + gap);
    }
    out.append(line.toString().stripTrailing());
  }

  /** A cell on one line: control characters, which a key may hold, become visible. */
  private static String text(@Nullable Object cell) {
    if (cell == null) {
      return "-";
    }
    StringBuilder out = new StringBuilder();
    cell.toString()
        .codePoints()
        .forEach(
            c -> {
              if (Character.isISOControl(c)) {
                out.append(String.format("\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        default -> {
          if (Character.isISOControl(c) || Character.isSurrogate(c)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
