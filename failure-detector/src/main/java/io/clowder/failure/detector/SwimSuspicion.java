// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;

/**
 * A suspicion that runs: it times out the sooner, the more nodes hold it independently (Lifeguard,
 * section IV-B).
 */
final class SwimSuspicion {
  private final List<NodeId> accusers = new ArrayList<>(4);
  private long startNanos;
  private long floorNanos = Long.MIN_VALUE;

  SwimSuspicion(NodeId accuser, long nanos) {
    accusers.add(accuser);
    startNanos = nanos;
  }

  List<NodeId> accusers() {
    return List.copyOf(accusers);
  }

  int confirmations() {
    return accusers.size() - 1;
  }

  /** Another node holds it too; false if that is known, or {@code max} others did so already. */
  boolean confirm(NodeId accuser, int max) {
    if (confirmations() >= max || accusers.contains(accuser)) {
      return false;
    }
    accusers.add(accuser);
    return true;
  }

  /**
   * When it times out in a cluster of {@code members}, this node and the suspect included. With
   * nobody there who could confirm it, there is nobody either to reach the suspect in another way,
   * so it has all of the time that the goal leaves.
   */
  long deadline(SwimSettings settings, int members) {
    long min = settings.suspicionNanosMin(members);
    long max = settings.suspicionNanosMax(members);
    int wanted = settings.confirmationsWanted(members);
    double share = wanted == 0 ? 0 : Math.log(confirmations() + 1.0) / Math.log(wanted + 1.0);
    long timeout = Math.max(min, max - Math.round((max - min) * share));
    return Math.max(floorNanos, startNanos + timeout);
  }

  /** The time out of which this node did not run is none of its. */
  void shift(long nanos, long floor) {
    startNanos += nanos;
    floorNanos = floor;
  }
}
