// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.shell.Table;
import io.clowder.api.store.StoreStatus;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.stream.Collectors;

/** What is known of stores, as the shell shows it. */
final class StatusTable {
  private static final List<String> HEADINGS =
      List.of(
          "store",
          "role",
          "epoch",
          "primary",
          "in-sync",
          "eligible",
          "learners",
          "removed",
          "min_insync",
          "committed",
          "end",
          "entries",
          "snapshot");

  private StatusTable() {}

  /** A row for each store. */
  static Table of(Collection<StoreStatus> stores) {
    Table table = new Table(HEADINGS.toArray(String[]::new));
    for (StoreStatus store : stores) {
      StoreStatus.Copy copy = store.copy();
      table.row(
          store.name(),
          store.role().name().toLowerCase(Locale.ROOT),
          store.epoch(),
          store.primary(),
          names(store.insync()),
          names(store.eligible()),
          names(store.learners()),
          names(store.removed()),
          store.minInsync(),
          copy == null ? null : copy.committed(),
          copy == null ? null : copy.end(),
          copy == null ? null : copy.entries(),
          copy == null ? null : copy.snapshot());
    }
    return table;
  }

  /** The table for people: what is said of no store does not widen every line. */
  static String toText(Table stores) {
    Table table = stores;
    for (String heading : HEADINGS) {
      table = table.withoutIfEmpty(heading);
    }
    return table.toText();
  }

  /** What is in force, in one line. */
  static String line(StoreStatus store) {
    StringBuilder line = new StringBuilder();
    line.append("%s: epoch %d, ".formatted(store.name(), store.epoch()));
    line.append(store.primary() == null ? "no primary" : "primary " + store.primary());
    append(line, "in sync", store.insync());
    append(line, "eligible", store.eligible());
    append(line, "learners", store.learners());
    append(line, "removed", store.removed());
    return line.toString();
  }

  private static void append(StringBuilder line, String what, SortedSet<NodeId> nodes) {
    if (!nodes.isEmpty()) {
      line.append(", ").append(what).append(' ').append(names(nodes));
    }
  }

  private static String names(SortedSet<NodeId> nodes) {
    return nodes.stream().map(NodeId::value).collect(Collectors.joining(","));
  }
}
