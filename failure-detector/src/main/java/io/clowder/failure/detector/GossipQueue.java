// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The rumours that this node still passes on, each a bounded number of times (SWIM, section 4.1):
 * those that were sent least often first, of these the youngest. Bounded by the membership: of each
 * node one claim, or one suspicion from each of the few sources that count.
 */
final class GossipQueue {
  private static final Comparator<Rumour> ORDER =
      Comparator.<Rumour>comparingInt(r -> r.sent).thenComparingLong(r -> -r.number);

  private final TreeSet<Rumour> order = new TreeSet<>(ORDER);
  private final Map<NodeId, List<Rumour>> byNode = new HashMap<>();
  private long made;
  private int news;

  /** Whether there is something that is worth a message of its own. */
  boolean hasNews() {
    return news > 0;
  }

  /** Whether anything is passed on about the node. */
  boolean contains(NodeId node) {
    return byNode.containsKey(node);
  }

  int size() {
    return order.size();
  }

  /**
   * Passes the claim on from now on, in place of what it overrides.
   *
   * @param isNews false for what only speeds up what time would bring anyway: it rides along, and
   *     half as often
   */
  void add(SwimClaim claim, boolean isNews) {
    List<Rumour> known = byNode.computeIfAbsent(claim.node(), node -> new ArrayList<>(1));
    for (Iterator<Rumour> i = known.iterator(); i.hasNext(); ) {
      Rumour old = i.next();
      if (!isBeside(old.claim, claim)) {
        order.remove(old);
        news -= old.isNews ? 1 : 0;
        i.remove();
      }
    }
    Rumour rumour = new Rumour(claim, isNews, ++made);
    known.add(rumour);
    order.add(rumour);
    news += isNews ? 1 : 0;
  }

  /** Nothing is passed on about a node that is no member any more. */
  void forget(NodeId node) {
    List<Rumour> known = byNode.remove(node);
    if (known != null) {
      for (Rumour rumour : known) {
        order.remove(rumour);
        news -= rumour.isNews ? 1 : 0;
      }
    }
  }

  /**
   * Adds to {@code claims} what fits into a message and counts it as sent.
   *
   * @param bytes that are left in the message
   * @param times how often a rumour may be sent
   */
  void take(List<SwimClaim> claims, int bytes, int times) {
    if (order.isEmpty()) {
      return;
    }
    List<Rumour> taken = new ArrayList<>();
    int left = bytes;
    for (Rumour rumour : order) {
      left -= rumour.claim.bytesMax();
      if (left < 0 || claims.size() + taken.size() == SwimGossip.CLAIMS) {
        break;
      }
      taken.add(rumour);
    }
    for (Rumour rumour : taken) {
      order.remove(rumour);
      if (!claims.contains(rumour.claim)) {
        claims.add(rumour.claim);
      }
      rumour.sent++;
      if (rumour.sent < (rumour.isNews ? times : times / 2)) {
        order.add(rumour);
      } else {
        drop(rumour);
      }
    }
  }

  private void drop(Rumour rumour) {
    news -= rumour.isNews ? 1 : 0;
    NodeId node = rumour.claim.node();
    List<Rumour> known = byNode.get(node);
    if (known != null) {
      known.remove(rumour);
      if (known.isEmpty()) {
        byNode.remove(node);
      }
    }
  }

  /** Suspicions of several sources count one by one (Lifeguard, section IV-B). */
  private static boolean isBeside(SwimClaim old, SwimClaim claim) {
    return old.kind() == SwimClaim.Kind.SUSPECT
        && claim.kind() == SwimClaim.Kind.SUSPECT
        && old.incarnation().equals(claim.incarnation())
        && !old.source().equals(claim.source());
  }

  /** A claim and how often it was sent. */
  private static final class Rumour {
    final SwimClaim claim;
    final boolean isNews;
    final long number;
    int sent;

    Rumour(SwimClaim claim, boolean isNews, long number) {
      this.claim = claim;
      this.isNews = isNews;
      this.number = number;
    }
  }
}
