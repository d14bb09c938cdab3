// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/** A set of so many at most, of which the one that came first is forgotten first. */
final class Latest<T> {
  private final int max;
  private final Set<T> all = new LinkedHashSet<>();

  Latest(int max) {
    this.max = max;
  }

  /** Adds one; false if it is there. */
  boolean add(T one) {
    if (!all.add(one)) {
      return false;
    }
    if (all.size() > max) {
      Iterator<T> oldest = all.iterator();
      oldest.next();
      oldest.remove();
    }
    return true;
  }

  boolean contains(T one) {
    return all.contains(one);
  }
}
