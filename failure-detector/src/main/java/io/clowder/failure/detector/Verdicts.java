// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.Suspicion.State;

/** Changes what peers are taken for, tells it, and counts which suspicions were mistakes. */
final class Verdicts {
  private final Outlet outlet;

  /** Number of the view that events are told with. */
  long view;

  Verdicts(Outlet outlet) {
    this.outlet = outlet;
  }

  /** It seems to have failed, or says that it goes or is not well. */
  void suspect(Peer peer, Evidence evidence, String detail, long now) {
    boolean wasSuspect = peer.isSuspect();
    become(peer, evidence == Evidence.GOODBYE ? State.LEFT : State.SUSPECT, evidence, detail);
    if (!wasSuspect) {
      peer.quality.suspected(now);
      tell(Kind.SUSPECT, peer);
    }
  }

  /** It lives. */
  void trust(Peer peer, Evidence evidence, String detail, long now) {
    State before = peer.state;
    boolean mistake = peer.isSuspect() && evidence != Evidence.RESTARTED && isGuess(peer.evidence);
    become(peer, evidence == Evidence.RELAYED ? State.UNREACHABLE : State.ALIVE, evidence, detail);
    if (before == State.SUSPECT || before == State.LEFT) {
      if (mistake) {
        peer.quality.mistaken(now);
      } else {
        peer.quality.trusted(now);
      }
      tell(Kind.TRUST, peer);
    } else if (before == State.NEW) {
      peer.quality.trusted(now);
    }
  }

  /** A new life of it has begun, so that the one before has ended. */
  void restart(Peer peer, long incarnation, long now) {
    if (peer.incarnation != 0 && !peer.isSuspect()) {
      suspect(peer, Evidence.RESTARTED, "its life " + peer.incarnation + " is over", now);
    }
    peer.begin(incarnation, now);
    if (peer.state != State.NEW) {
      trust(peer, Evidence.RESTARTED, "", now);
    }
  }

  /** It is no peer any more: to those who listen, nobody's state. */
  void forget(Peer peer) {
    if (peer.isSuspect()) {
      become(peer, State.NEW, Evidence.NONE, "no member any more");
      tell(Kind.TRUST, peer);
    }
  }

  private static boolean isGuess(Evidence evidence) {
    return evidence == Evidence.SILENCE
        || evidence == Evidence.HEARSAY
        || evidence == Evidence.REFUSED;
  }

  private void become(Peer peer, State state, Evidence evidence, String detail) {
    if (peer.state != state) {
      peer.state = state;
      peer.sinceMillis = outlet.millis();
    }
    peer.evidence = evidence;
    peer.detail = detail;
  }

  private void tell(Kind kind, Peer peer) {
    outlet.happened(
        new FailureEvent(
            kind, peer.id, peer.incarnation, peer.evidence, peer.detail, view, outlet.millis()));
  }
}
