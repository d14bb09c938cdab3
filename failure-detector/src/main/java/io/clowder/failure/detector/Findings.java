// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.Suspicion;

/** What is known of a peer, in the words of the API. */
final class Findings {
  private Findings() {}

  static Suspicion suspicion(Watch watch, Peer peer) {
    double level = peer.isHeard ? watch.detector.level(peer.id, watch.now) : 0;
    if (peer.isSuspect() && peer.evidence != Evidence.SILENCE) {
      level = Double.POSITIVE_INFINITY;
    }
    String detail = peer.detail;
    if (detail.isEmpty() && peer.isDeaf) {
      detail = "it hears this node through others only";
    } else if (detail.isEmpty() && peer.isDegraded) {
      detail = "it stalled lately";
    }
    return new Suspicion(
        peer.id,
        peer.state,
        level,
        peer.sinceMillis,
        peer.isHeard ? (watch.now - peer.heardNanos) / 1_000_000 : -1,
        peer.incarnation,
        peer.evidence,
        detail);
  }

  static QosReport quality(Watch watch, Peer peer) {
    Quality quality = peer.quality;
    long doubt = Math.max(watch.detector.doubtAt(peer.id), peer.floorNanos);
    boolean isKnown = peer.isHeard && doubt - watch.now < 10 * watch.goalNanos();
    long roundTrip = quality.roundTripNanos();
    long detection = doubt - peer.heardNanos + watch.answerNanos() + Math.max(0, roundTrip / 2);
    return new QosReport(
        peer.id,
        (watch.now - peer.bornNanos) / 1_000_000,
        watch.detector.intervalNanos(peer.id) / 1_000_000,
        isKnown ? detection / 1_000_000 : -1,
        quality.heartbeats(),
        quality.lossRate(),
        peer.arrivals.jitterNanos() / 1e6,
        roundTrip < 0 ? -1 : roundTrip / 1e6,
        quality.mistakes(),
        quality.recurrenceNanos(watch.now) / 1e6,
        quality.durationNanos() / 1e6,
        quality.accuracy(watch.now));
  }
}
