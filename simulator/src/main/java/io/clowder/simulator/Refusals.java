// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * The dials of those whose process is dead. Its computer says that nobody listens, unless it is off
 * or the way to it is blocked. Nothing happens and nothing is drawn for an endpoint whose receivers
 * do not want to hear of it: its runs are what they would be without.
 */
final class Refusals {
  private static final long MILLIS = 1_000_000;
  private static final long REDIAL_MILLIS_MIN = 20;
  private static final long REDIAL_MILLIS_MAX = 1_000;

  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private final TreeSet<NodeId> dark = new TreeSet<>();

  Refusals(SimulatedNetwork network, RandomGenerator random) {
    this.network = network;
    this.random = random;
  }

  /** The computer of {@code id} has no power. */
  void darken(NodeId id) {
    dark.add(id);
  }

  /** The computer of {@code id} has power. */
  void light(NodeId id) {
    dark.remove(id);
  }

  /** Has {@code dialler} dial {@code peer} soon, and until that lives, unless it does already. */
  void dial(Endpoint dialler, NodeId peer) {
    if (dialler.wantsRefusals()
        && network.dialsInVain(dialler, peer)
        && dialler.dialling().add(peer)) {
      attemptLater(dialler, peer, REDIAL_MILLIS_MIN);
    }
  }

  private void attemptLater(Endpoint dialler, NodeId peer, long millis) {
    dialler.soon(
        random.nextLong(millis / 2 * MILLIS, millis * MILLIS),
        "dial",
        () -> attempt(dialler, peer, millis));
  }

  private void attempt(Endpoint dialler, NodeId peer, long millis) {
    if (!network.dialsInVain(dialler, peer)) {
      // Whoever comes back connects.
      dialler.dialling().remove(peer);
      return;
    }
    boolean reached = network.isOpen(dialler.id(), peer) && network.isOpen(peer, dialler.id());
    if (reached && !dark.contains(peer)) {
      dialler.soon(
          network.drawDelay(random) + network.drawDelay(random),
          "refused",
          () -> {
            if (!dialler.isConnected(peer)) {
              dialler.refused(peer);
            }
          });
    }
    attemptLater(dialler, peer, Math.min(REDIAL_MILLIS_MAX, 2 * millis));
  }
}
