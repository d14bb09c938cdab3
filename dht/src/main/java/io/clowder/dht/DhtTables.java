// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtAdmin.Load;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.Range;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.RingView.Place;
import io.clowder.api.shell.Table;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is known of rings, as the shell shows it: for scripts all digits and shares of 1, for people
 * the first digits and per cent.
 */
final class DhtTables {
  private static final int DIGITS = 8;

  private DhtTables() {}

  /** The first digits of an identifier: enough to tell members and partitions apart. */
  static String brief(String identifier) {
    return identifier.substring(0, Math.min(DIGITS, identifier.length()));
  }

  /** A share as per cent; null if it is not known. */
  static @Nullable String percent(double share) {
    return share < 0 ? null : String.format(Locale.ROOT, "%.1f%%", 100 * share);
  }

  /** The members, for scripts. */
  static Table members(RingView view) {
    Table table = new Table("node", "identifier", "domain", "share", "state", "self");
    for (Place place : view.places()) {
      table.row(
          place.node(),
          place.identifier(),
          place.domain(),
          place.share() < 0 ? null : place.share(),
          place.state(),
          place.node().equals(view.self()));
    }
    return table;
  }

  /** The members for people. */
  static String text(RingView view) {
    Table table = new Table("node", "identifier", "domain", "share", "state", "self");
    for (Place place : view.places()) {
      table.row(
          place.node(),
          brief(place.identifier()),
          place.domain(),
          percent(place.share()),
          place.state(),
          place.node().equals(view.self()) ? "*" : "");
    }
    String text =
        view.places().isEmpty()
            ? "no member is known"
            : table.withoutIfEmpty("domain").withoutIfEmpty("self").toText();
    return view.isMember() ? text : text + "\n" + view.self() + " is not on the ring";
  }

  /** Where a lookup passed, with this node in front. */
  static Table path(RingView view, LookupResult found) {
    Map<NodeId, String> identifiers =
        view.places().stream()
            .collect(Collectors.toMap(Place::node, Place::identifier, (one, other) -> one));
    Table table = new Table("hop", "node", "identifier");
    table.row(0, view.self(), identifiers.get(view.self()));
    for (int i = 0; i < found.path().size(); i++) {
      NodeId node = found.path().get(i);
      table.row(i + 1, node, identifiers.get(node));
    }
    return table;
  }

  /** Ranges, for scripts or for people. */
  static Table ranges(List<Range> ranges, boolean isBrief) {
    Table table = new Table("after", "up_to", "owner", "replicas", "epoch", "whole");
    for (Range range : ranges) {
      table.row(
          isBrief ? brief(range.after()) : range.after(),
          isBrief ? brief(range.upTo()) : range.upTo(),
          range.owner(),
          DhtCommand.names(range.replicas()),
          range.epoch(),
          range.isWhole());
    }
    return table;
  }

  /** What members have, for scripts. */
  static Table loads(Collection<Load> loads) {
    Table table = new Table("node", "share", "keys", "bytes", "owned", "moving");
    for (Load load : loads) {
      table.row(load.node(), load.share(), load.keys(), load.bytes(), load.owned(), load.moving());
    }
    return table;
  }

  /** What members have, for people, and how uneven it is. */
  static String text(Collection<Load> loads) {
    Table table = new Table("node", "share", "keys", "bytes", "owned", "moving");
    for (Load load : loads) {
      table.row(
          load.node(),
          percent(load.share()),
          load.keys(),
          load.bytes(),
          load.owned(),
          load.moving());
    }
    // The share as a whole number of many parts, so that all are measured alike.
    return table.toText()
        + "\nmax/mean: share %s, keys %s, bytes %s, owned %s"
            .formatted(
                unevenness(loads, load -> Math.round(1e12 * load.share())),
                unevenness(loads, Load::keys),
                unevenness(loads, Load::bytes),
                unevenness(loads, Load::owned));
  }

  private static String unevenness(Collection<Load> loads, ToLongFunction<Load> measure) {
    double mean = loads.stream().mapToLong(measure).average().orElse(0);
    long max = loads.stream().mapToLong(measure).max().orElse(0);
    return mean <= 0 ? "-" : String.format(Locale.ROOT, "%.2f", max / mean);
  }
}
