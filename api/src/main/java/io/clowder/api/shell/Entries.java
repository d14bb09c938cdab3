// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import io.clowder.api.kv.KvEntry;
import io.clowder.api.wire.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries of a map in the shell. Values come and go as UTF-8; one that is something else is shown
 * with {@code \xNN} for people, and in JSON as {@code base64} instead of {@code value}.
 */
public final class Entries {
  private static final int BRIEF_CHARS = 60;

  private Entries() {}

  /** Where pages of entries come from. */
  @FunctionalInterface
  public interface Pages {
    /**
     * Entries after a key, from the first on if it is null; none if there are none.
     *
     * @param limit so many at most, fewer if they are large
     */
    List<KvEntry> page(@Nullable String after, int limit) throws Exception;
  }

  /**
   * So many entries at most, of as many pages as that takes.
   *
   * @throws Exception whatever a page fails with
   */
  public static List<KvEntry> paged(@Nullable String after, int limit, Pages pages)
      throws Exception {
    List<KvEntry> entries = new ArrayList<>();
    List<KvEntry> page = pages.page(after, limit);
    // A page is short when its values are large, not only when it is the last.
    while (!page.isEmpty()) {
      entries.addAll(page);
      if (entries.size() == limit) {
        break;
      }
      page = pages.page(entries.get(entries.size() - 1).key(), limit - entries.size());
    }
    return entries;
  }

  /** All of the entries, for scripts. */
  public static Table table(List<KvEntry> entries) {
    Table table = new Table("key", "value", "base64", "version");
    for (KvEntry entry : entries) {
      boolean text = Utf8.isValid(entry.value());
      table.row(
          entry.key(),
          text ? new String(entry.value(), StandardCharsets.UTF_8) : null,
          text ? null : Base64.getEncoder().encodeToString(entry.value()),
          entry.version());
    }
    return table;
  }

  /** The entries for people: long values are cut. */
  public static String toText(List<KvEntry> entries) {
    Table table = new Table("key", "value", "version");
    entries.forEach(entry -> table.row(entry.key(), brief(entry.value()), entry.version()));
    return table.toText();
  }

  /** One entry on a line, as it is confirmed to whoever has written it. */
  public static String line(KvEntry entry) {
    return "%s = %s (version %d)".formatted(entry.key(), brief(entry.value()), entry.version());
  }

  /** All of a value: itself if it is UTF-8, otherwise with {@code \xNN} for what is not ASCII. */
  public static String visible(byte[] value) {
    if (Utf8.isValid(value)) {
      return new String(value, StandardCharsets.UTF_8);
    }
    StringBuilder out = new StringBuilder();
    for (byte b : value) {
      out.append(
          b >= 0x20 && b < 0x7F && b != '\\' ? String.valueOf((char) b) : "\\x%02x".formatted(b));
    }
    return out.toString();
  }

  /** The beginning of a value, where all of it would be too long for a line. */
  public static String brief(byte[] value) {
    String text = visible(value);
    return text.length() <= BRIEF_CHARS
        ? text
        : text.substring(0, BRIEF_CHARS) + "… (" + value.length + " bytes)";
  }
}
