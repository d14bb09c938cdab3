// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Whom to probe next: all in a random order, then all in another one, so that it takes at most 2n -
 * 1 periods until a node is probed again (SWIM, section 4.3).
 */
final class SwimRing {
  private final List<SwimPeer> order = new ArrayList<>();
  private final List<SwimPeer> drawn = new ArrayList<>();
  private final Set<SwimPeer> urgent = new LinkedHashSet<>();
  private final RandomGenerator random;
  private int at;

  SwimRing(RandomGenerator random) {
    this.random = random;
  }

  int size() {
    return order.size();
  }

  /** Puts the peer where chance wills, as SWIM does: its turn may come in this pass or the next. */
  void add(SwimPeer peer) {
    int place = random.nextInt(order.size() + 1);
    order.add(place, peer);
    if (place < at) {
      at++;
    }
    drawn.add(peer);
  }

  void removeAll(Collection<SwimPeer> peers) {
    for (int i = order.size() - 1; i >= 0; i--) {
      if (peers.contains(order.get(i))) {
        order.remove(i);
        if (i < at) {
          at--;
        }
      }
    }
    drawn.removeAll(peers);
    urgent.removeAll(peers);
  }

  /** It is to be probed next, whenever its turn comes. */
  void hurry(SwimPeer peer) {
    urgent.add(peer);
  }

  /** One of those that are in a hurry; null if there is none. */
  @Nullable SwimPeer nextUrgent() {
    Iterator<SwimPeer> first = urgent.iterator();
    if (!first.hasNext()) {
      return null;
    }
    SwimPeer peer = first.next();
    first.remove();
    return peer;
  }

  /** Whose turn it is; null if there is nobody. */
  @Nullable SwimPeer next() {
    if (order.isEmpty()) {
      return null;
    }
    if (at >= order.size()) {
      shuffle();
      at = 0;
    }
    return order.get(at++);
  }

  /** Up to {@code count} peers by chance. */
  List<SwimPeer> draw(int count, Predicate<SwimPeer> wanted) {
    List<SwimPeer> picked = new ArrayList<>(count);
    for (int i = 0; i < drawn.size() && picked.size() < count; i++) {
      Collections.swap(drawn, i, i + random.nextInt(drawn.size() - i));
      if (wanted.test(drawn.get(i))) {
        picked.add(drawn.get(i));
      }
    }
    return picked;
  }

  private void shuffle() {
    for (int i = order.size() - 1; i > 0; i--) {
      Collections.swap(order, i, random.nextInt(i + 1));
    }
  }
}
