// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.RingView.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A ring as a picture: zero is at the top, and identifiers rise clockwise. In mode {@code peer} the
 * arc before a member is what it owns; in mode {@code consistent} what it owns is all over the
 * ring, so that its label alone says how much. The same ring is the same text.
 */
final class RingPicture {
  /** So many labels are written upright; more of them stand out from the ring like rays. */
  private static final int UPRIGHT_MAX = 12;

  private static final double UPRIGHT_DEGREES = 20;
  private static final double RADIUS_MIN = 200;
  private static final double LINE = 14;
  private static final double LETTER = 7;
  private static final double TOP = 56;
  private static final double MARGIN = 16;
  private static final int NAME_CHARS = 24;
  private static final int KINDS_MAX = 12;
  private static final int KIND_CHARS = 18;
  private static final double KIND_WIDTH = 150;
  private static final String WAY = "#c00000";

  /** Keeps text legible where lines cross it. */
  private static final String HALO = " stroke='#ffffff' stroke-width='3' paint-order='stroke'";

  /** Can be told apart by most people who are colour-blind (Okabe and Ito). */
  private static final List<String> COLOURS =
      List.of(
          "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#7f7f7f");

  /** A member where it is drawn. */
  private record Spot(Place place, double angle, double labelAngle) {
    boolean owns() {
      return !place.state().equals("joining");
    }
  }

  private final RingView view;
  private final @Nullable LookupResult found;
  private final List<Spot> spots;
  private final List<String> kinds;
  private final boolean hasDomains;
  private final boolean isUpright;
  private final double radius;
  private final double labelRadius;
  private final double centreX;
  private final double centreY;
  private final Svg svg = new Svg();

  private RingPicture(RingView view, @Nullable LookupResult found) {
    this.view = view;
    this.found = found;
    int count = view.places().size();
    this.isUpright = count <= UPRIGHT_MAX;
    // A fourth more than all labels need side by side: the crowded ones can move.
    this.radius = Math.max(RADIUS_MIN, 1.25 * count * LINE / (2 * Math.PI));
    this.labelRadius = radius + (isUpright ? 30 : 44);
    this.spots = spots();
    this.hasDomains = view.places().stream().anyMatch(it -> !it.domain().isEmpty());
    this.kinds = List.copyOf(new TreeSet<>(view.places().stream().map(this::kind).toList()));
    double longest =
        LETTER * view.places().stream().mapToInt(it -> label(it).length()).max().orElse(0);
    this.centreX = labelRadius + longest + MARGIN;
    this.centreY = TOP + labelRadius + (isUpright ? LINE : longest) + MARGIN;
  }

  /** The ring as SVG. */
  static String of(RingView view) {
    return new RingPicture(view, null).draw();
  }

  /** The ring with the way that a lookup took from this node, hop by hop. */
  static String of(RingView view, LookupResult found) {
    return new RingPicture(view, found).draw();
  }

  /** Where an identifier of 40 hexadecimal digits is: 0 to less than 360 degrees. */
  static double angle(String identifier) {
    // 52 bits are as much as a double holds.
    return Long.parseLong(identifier, 0, 13, 16) * 360.0 / (1L << 52);
  }

  private List<Spot> spots() {
    List<Place> places =
        view.places().stream()
            .sorted(Comparator.comparingDouble((Place it) -> angle(it.identifier())))
            .toList();
    double[] angles = places.stream().mapToDouble(it -> angle(it.identifier())).toArray();
    double least = isUpright ? UPRIGHT_DEGREES : Math.toDegrees(LINE / labelRadius);
    double[] labels = Spacing.spread(angles, least);
    List<Spot> spots = new ArrayList<>();
    for (int i = 0; i < angles.length; i++) {
      spots.add(new Spot(places.get(i), angles[i], labels[i]));
    }
    return spots;
  }

  private String draw() {
    int columns = Math.max(1, (int) ((2 * centreX - 2 * MARGIN) / KIND_WIDTH));
    int rows = (Math.min(kinds.size(), KINDS_MAX + 1) + columns - 1) / columns;
    double legendTop = 2 * centreY - TOP;
    svg.open(
        "svg xmlns='http://www.w3.org/2000/svg' width='%1$s' height='%2$s' viewBox='0 0 %1$s %2$s'"
            + " font-family='sans-serif' font-size='12' role='img'"
            + " aria-labelledby='ring-title ring-text'",
        2 * centreX, legendTop + LINE + rows * 1.3 * LINE);
    svg.text(title(), "title id='ring-title'").text(description(), "desc id='ring-text'");
    svg.empty("rect width='100%%' height='100%%' fill='#ffffff'");
    svg.text(title(), "text x='%s' y='24' font-size='16'", MARGIN);
    circle();
    arcs();
    spots.forEach(this::label);
    way();
    spots.forEach(this::member);
    legend(columns, legendTop);
    return svg.close("svg").toString();
  }

  private String title() {
    int count = view.places().size();
    return "ring %s: %d %s, mode %s"
            .formatted(
                view.name(),
                count,
                count == 1 ? "member" : "members",
                view.mode().name().toLowerCase(Locale.ROOT))
        + (view.epoch() == 0 ? "" : ", epoch " + view.epoch());
  }

  private String description() {
    String members = spots.stream().map(it -> sentence(it.place)).collect(Collectors.joining("; "));
    return (members.isEmpty() ? "no member is known" : members)
        + (found == null ? "" : "; " + sentence(found));
  }

  private String sentence(Place place) {
    String share = DhtTables.percent(place.share());
    return place.node()
        + (place.node().equals(view.self()) ? " (this node)" : "")
        + " at "
        + DhtTables.brief(place.identifier())
        + (place.domain().isEmpty() ? "" : " in " + place.domain())
        + ", "
        + place.state()
        + (share == null ? "" : ", owns " + share);
  }

  private static String sentence(LookupResult found) {
    return "lookup of %s: owner %s, hops %d, timeouts %d, retries %d"
        .formatted(
            DhtTables.brief(found.identifier()),
            found.owner(),
            found.hops(),
            found.timeouts(),
            found.retries());
  }

  /** What a member's colour stands for: its domain, or what it is about where none has one. */
  private String kind(Place place) {
    return !hasDomains ? place.state() : place.domain().isEmpty() ? "no domain" : place.domain();
  }

  private String colour(Place place) {
    return COLOURS.get(kinds.indexOf(kind(place)) % COLOURS.size());
  }

  private double x(double angle, double distance) {
    return centreX + distance * StrictMath.sin(Math.toRadians(angle));
  }

  private double y(double angle, double distance) {
    return centreY - distance * StrictMath.cos(Math.toRadians(angle));
  }

  private void circle() {
    svg.empty(
        "circle cx='%s' cy='%s' r='%s' fill='none' stroke='#999999'", centreX, centreY, radius);
    line(0, radius - 6, 0, radius + 6, "#999999");
    svg.text(
        spots.isEmpty() ? "no member is known" : "0",
        "text x='%s' y='%s' text-anchor='middle' fill='#666666'",
        centreX,
        centreY - radius + 20);
  }

  private void arcs() {
    List<Spot> owners = spots.stream().filter(Spot::owns).toList();
    for (int i = 0; i < owners.size() && view.mode() == Dht.Mode.PEER; i++) {
      Spot before = owners.get((i + owners.size() - 1) % owners.size());
      Spot owner = owners.get(i);
      if (owner.place.share() >= 0) {
        arc(before, owner);
      }
    }
  }

  /** What lies between two members; the whole circle if they are one. */
  private void arc(Spot before, Spot owner) {
    double width = (owner.angle - before.angle + 360) % 360;
    String size = Svg.decimal(radius);
    // An arc whose ends are one point is none: two halves are.
    double middle = before.angle + (width == 0 ? 180 : width / 2);
    String path =
        "M%s A%s %s 0 0 1 %s A%s %s 0 0 1 %s"
            .formatted(
                point(before.angle), size, size, point(middle), size, size, point(owner.angle));
    svg.empty(
        "path class='arc' d='%s' fill='none' stroke='%s' stroke-width='10' stroke-opacity='0.45'",
        path, colour(owner.place));
  }

  private String point(double angle) {
    return Svg.decimal(x(angle, radius)) + " " + Svg.decimal(y(angle, radius));
  }

  private void line(
      double angle, double distance, double endAngle, double endDistance, String colour) {
    svg.empty(
        "line x1='%s' y1='%s' x2='%s' y2='%s' stroke='%s'",
        x(angle, distance),
        y(angle, distance),
        x(endAngle, endDistance),
        y(endAngle, endDistance),
        colour);
  }

  private static String label(Place place) {
    String share = DhtTables.percent(place.share());
    return cut(place.node().value(), NAME_CHARS) + (share == null ? "" : " " + share);
  }

  private void label(Spot spot) {
    line(spot.angle, radius + 8, spot.labelAngle, labelRadius - 4, "#bbbbbb");
    double x = x(spot.labelAngle, labelRadius);
    double y = y(spot.labelAngle, labelRadius);
    boolean isRight = (spot.labelAngle + 360) % 360 < 180;
    String tag = "text x='%1$s' y='%2$s' dy='0.35em' text-anchor='%3$s' font-weight='%4$s'";
    svg.text(
        label(spot.place),
        isUpright ? tag : tag + " transform='rotate(%5$s %1$s %2$s)'",
        x,
        y,
        isRight ? "start" : "end",
        spot.place.node().equals(view.self()) ? "bold" : "normal",
        spot.labelAngle + (isRight ? -90 : 90));
  }

  /** Who is on the ring is filled; this node has a circle around it. */
  private void member(Spot spot) {
    double x = x(spot.angle, radius);
    double y = y(spot.angle, radius);
    boolean isSelf = spot.place.node().equals(view.self());
    boolean isOwner = found != null && found.owner().equals(spot.place.node());
    if (isSelf) {
      svg.empty("circle class='self' cx='%s' cy='%s' r='11' fill='none' stroke='#000000'", x, y);
    }
    svg.open(
            "circle class='member' cx='%s' cy='%s' r='%s' fill='%s' stroke='%s' stroke-width='2'"
                + " stroke-dasharray='%s'",
            x,
            y,
            isUpright || isSelf ? 7.0 : 5.0,
            spot.owns() ? colour(spot.place) : "#ffffff",
            isOwner ? WAY : colour(spot.place),
            spot.place.state().equals("leaving") ? "3 2" : "none")
        .text(sentence(spot.place), "title")
        .close("circle");
  }

  /** The key, and an arrow for each hop between members that are drawn. */
  private void way() {
    if (found == null) {
      return;
    }
    svg.text(sentence(found), "text x='%s' y='44' fill='%s'", MARGIN, WAY);
    svg.open("defs")
        .open(
            "marker id='arrow' viewBox='0 0 10 10' refX='10' refY='5' markerWidth='8'"
                + " markerHeight='8' orient='auto'")
        .empty("path d='M0 0L10 5L0 10z' fill='%s'", WAY)
        .close("marker")
        .close("defs");
    double key = angle(found.identifier());
    line(key, radius - 12, key, radius + 12, WAY);
    svg.text(
        "key",
        "text x='%s' y='%s' dy='0.35em' text-anchor='middle' fill='%s'" + HALO,
        x(key, radius - 24),
        y(key, radius - 24),
        WAY);
    Map<NodeId, Spot> drawn = new HashMap<>();
    spots.forEach(spot -> drawn.put(spot.place.node(), spot));
    Spot from = drawn.get(view.self());
    for (int i = 0; i < found.path().size(); i++) {
      Spot to = drawn.get(found.path().get(i));
      if (from != null && to != null && !from.equals(to)) {
        hop(i + 1, from, to);
      }
      from = to;
    }
  }

  private void hop(int number, Spot from, Spot to) {
    double fromX = x(from.angle, radius);
    double fromY = y(from.angle, radius);
    double toX = x(to.angle, radius);
    double toY = y(to.angle, radius);
    double length = Math.max(1, StrictMath.hypot(toX - fromX, toY - fromY));
    // The point of the arrow touches the member.
    double end = Math.max(0, length - 8) / length;
    svg.empty(
        "line class='hop' x1='%s' y1='%s' x2='%s' y2='%s' stroke='%s' stroke-width='1.5'"
            + " marker-end='url(#arrow)'",
        fromX, fromY, fromX + end * (toX - fromX), fromY + end * (toY - fromY), WAY);
    svg.text(
        Integer.toString(number),
        "text x='%s' y='%s' fill='%s'" + HALO,
        (fromX + toX) / 2 + 6,
        (fromY + toY) / 2 - 6,
        WAY);
  }

  private void legend(int columns, double top) {
    int shown = Math.min(kinds.size(), KINDS_MAX);
    for (int i = 0; i < Math.min(kinds.size(), KINDS_MAX + 1); i++) {
      int row = i / columns;
      double x = MARGIN + (i % columns) * KIND_WIDTH;
      double y = top + row * 1.3 * LINE;
      if (i < shown) {
        String colour = COLOURS.get(i % COLOURS.size());
        svg.empty("rect x='%s' y='%s' width='10' height='10' fill='%s'", x, y - 9, colour);
      }
      String kind = i < shown ? kinds.get(i) : "and " + (kinds.size() - shown) + " more";
      svg.text(cut(kind, KIND_CHARS), "text x='%s' y='%s'", x + 16, y);
    }
  }

  private static String cut(String text, int chars) {
    return text.length() > chars ? text.substring(0, chars - 1) + "…" : text;
  }
}
