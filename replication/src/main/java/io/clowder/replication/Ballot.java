// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.replication.ConfigCommand.Report;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A configuration, and who of it has reported where its log ends. Whoever is in sync has all that
 * was acknowledged and could be elected as it is; the longest log is taken so that as little as
 * possible of the rest is undone, and the last epoch counts first, as the tail of an earlier one
 * may be long and void. Of several that are equal, it is the one whose node leads the fewest other
 * stores.
 */
record Ballot(StoreConfig config, SortedMap<ReplicaId, Report> reports) {
  private static final Comparator<Report> BY_LOG =
      Comparator.comparingLong(Report::lastEpoch).thenComparingLong(Report::lastSeq);

  static Ballot empty(StoreConfig config) {
    return new Ballot(config, new TreeMap<>());
  }

  /**
   * After one more report; null if it does not count.
   *
   * @param load how many stores a node is the primary of
   */
  @Nullable Ballot with(Report report, ToIntFunction<NodeId> load) {
    if (!config.isElectable(report.by())) {
      return null;
    }
    SortedMap<ReplicaId, Report> next = new TreeMap<>(reports);
    next.put(report.by(), report);
    Ballot ballot = new Ballot(config, next);
    StoreConfig elected = ballot.elect(report.suspects(), load);
    return elected == null ? ballot : empty(elected);
  }

  /** The configuration after an election, when all that are not suspected have reported. */
  private @Nullable StoreConfig elect(SortedSet<NodeId> suspects, ToIntFunction<NodeId> load) {
    ReplicaId primary = config.primary();
    if (primary != null && !suspects.contains(primary.node())) {
      return null;
    }
    SortedSet<ReplicaId> present = present(config.insync(), suspects);
    if (!present.isEmpty()) {
      Report best = best(present, load);
      return best == null ? null : elected(present, best);
    }
    Report best = best(present(config.eligible(), suspects), load);
    if (best == null) {
      return null;
    }
    // The others may have tails of their own: they join again when they have been compared.
    return elected(new TreeSet<>(List.of(best.by())), best);
  }

  private StoreConfig elected(SortedSet<ReplicaId> insync, Report best) {
    return config.withInsync(insync).withPrimary(config.epoch() + 1, best.by(), best.life());
  }

  private static SortedSet<ReplicaId> present(
      SortedSet<ReplicaId> replicas, SortedSet<NodeId> suspects) {
    SortedSet<ReplicaId> present = new TreeSet<>(replicas);
    present.removeIf(it -> suspects.contains(it.node()));
    return present;
  }

  /** Who has the best log; null if there is nobody, or somebody has not reported. */
  private @Nullable Report best(SortedSet<ReplicaId> candidates, ToIntFunction<NodeId> load) {
    if (candidates.isEmpty() || !reports.keySet().containsAll(candidates)) {
      return null;
    }
    List<Report> all = new ArrayList<>();
    for (Map.Entry<ReplicaId, Report> entry : reports.entrySet()) {
      if (candidates.contains(entry.getKey())) {
        all.add(entry.getValue());
      }
    }
    ToIntFunction<Report> byLoad = it -> -load.applyAsInt(it.by().node());
    Comparator<Report> order = BY_LOG.thenComparingInt(byLoad).thenComparing(Report::by);
    return all.stream().max(order).orElseThrow();
  }
}
