// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector.Probes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Probes one member in each period, first directly, then through others (SWIM, section 3.1), slower
 * and with more patience while this node is not well (Lifeguard, section IV-A).
 */
final class SwimProber {
  /** What a relay has of the second half of a probe: its nack is to come in time. */
  private static final double RELAY_SHARE = 0.8;

  private final SwimSettings settings;
  private final LifeguardHealth health;
  private final SwimTable table;
  private final SwimRing ring;
  private final Function<NodeId, byte[]> gossip;
  private final RandomGenerator random;
  private final List<Probe> running = new ArrayList<>();
  private long periodAt = Long.MAX_VALUE;
  private long tokens;

  SwimProber(
      SwimSettings settings,
      LifeguardHealth health,
      SwimTable table,
      SwimRing ring,
      Function<NodeId, byte[]> gossip,
      RandomGenerator random) {
    this.settings = settings;
    this.health = health;
    this.table = table;
    this.ring = ring;
    this.gossip = gossip;
    this.random = random;
  }

  /** The ring has changed: begins to probe, or ceases. */
  void peers(long nanos) {
    running.removeIf(probe -> table.peer(probe.peer.id) != probe.peer);
    if (ring.size() == 0) {
      periodAt = Long.MAX_VALUE;
    } else if (periodAt == Long.MAX_VALUE) {
      periodAt = nanos + random.nextLong(settings.periodNanos());
    }
  }

  long wakeAt() {
    long at = periodAt;
    for (int i = 0; i < running.size(); i++) {
      Probe probe = running.get(i);
      at = Math.min(at, probe.isIndirect ? probe.until : probe.directUntil);
    }
    return at;
  }

  void wake(long nanos, Probes out) {
    for (Iterator<Probe> i = running.iterator(); i.hasNext(); ) {
      Probe probe = i.next();
      if (!probe.isIndirect && nanos >= probe.directUntil) {
        goThroughOthers(probe, out);
      }
      if (nanos >= probe.until) {
        i.remove();
        fail(probe, nanos);
      }
    }
    if (nanos >= periodAt) {
      // From now, not from when it should have been: what was missed is not made up for.
      periodAt = nanos + settings.periodNanos() * health.factor();
      begin(nanos, out);
    }
  }

  /** An answer with this token is there; whether it came through others, null if it is too late. */
  @Nullable Boolean answered(SwimPeer peer, long token) {
    Probe probe = take(peer, token);
    if (probe == null) {
      return null;
    }
    health.better();
    return probe.isIndirect;
  }

  /** A relay has no answer, but is there itself. */
  void notAnswered(SwimPeer peer, long token) {
    for (Probe probe : running) {
      if (probe.token == token && probe.peer == peer) {
        probe.missing--;
      }
    }
  }

  /** A sign of life: the probes of it that run cannot fail any more. */
  void heard(SwimPeer peer) {
    for (int i = 0; i < running.size(); i++) {
      Probe probe = running.get(i);
      probe.isHeard |= probe.peer == peer;
    }
  }

  void shift(long stallNanos, long floor) {
    for (Probe probe : running) {
      probe.directUntil = Math.max(floor, probe.directUntil + stallNanos);
      probe.until = Math.max(floor, probe.until + stallNanos);
    }
    if (periodAt != Long.MAX_VALUE) {
      periodAt += stallNanos;
    }
  }

  /**
   * Who is in a hurry is probed beside who has its turn: with many rumours about, the others would
   * be forgotten.
   *
   * <p>The dead are asked too, or the ends of a healed partition would never meet; beside, so that
   * they cost the living none of their periods, and one in a period at most.
   */
  private void begin(long nanos, Probes out) {
    SwimPeer urgent = ring.nextUrgent();
    if (urgent != null && !urgent.isDead) {
      probe(urgent, nanos, out);
    }
    boolean isDeadAsked = false;
    for (int i = 0; i <= ring.size(); i++) {
      SwimPeer peer = ring.next();
      if (peer == null) {
        return;
      }
      if (!peer.isDead) {
        probe(peer, nanos, out);
        return;
      }
      if (!isDeadAsked) {
        isDeadAsked = true;
        out.ping(peer.id, ++tokens, gossip.apply(peer.id));
      }
    }
  }

  private void probe(SwimPeer peer, long nanos, Probes out) {
    long factor = health.factor();
    long token = ++tokens;
    long directUntil = nanos + settings.probeNanos() * factor;
    running.add(new Probe(peer, token, directUntil, nanos + settings.roundNanos() * factor));
    out.ping(peer.id, token, gossip.apply(peer.id));
  }

  private void goThroughOthers(Probe probe, Probes out) {
    probe.isIndirect = true;
    if (probe.isHeard) {
      return;
    }
    List<SwimPeer> relays =
        ring.draw(settings.relays(), peer -> peer.isAlive() && peer != probe.peer);
    probe.missing = relays.size();
    probe.relays = relays.size();
    long within = Math.round((probe.until - probe.directUntil) * RELAY_SHARE);
    for (SwimPeer relay : relays) {
      out.pingThrough(relay.id, probe.peer.id, probe.token, Math.max(1, within));
    }
  }

  /** Relays that do not even say no: it may be this node that hears nothing. */
  private void fail(Probe probe, long nanos) {
    if (probe.isHeard) {
      return;
    }
    table.worsen(probe.relays > 0 ? Math.max(0, probe.missing) : 1);
    table.accuse(probe.peer, nanos);
  }

  private @Nullable Probe take(SwimPeer peer, long token) {
    for (int i = 0; i < running.size(); i++) {
      Probe probe = running.get(i);
      if (probe.token == token && probe.peer == peer) {
        Collections.swap(running, i, running.size() - 1);
        return running.remove(running.size() - 1);
      }
    }
    return null;
  }

  /** A probe that runs. */
  private static final class Probe {
    final SwimPeer peer;
    final long token;
    long directUntil;
    long until;
    boolean isIndirect;
    boolean isHeard;
    int relays;
    int missing;

    Probe(SwimPeer peer, long token, long directUntil, long until) {
      this.peer = peer;
      this.token = token;
      this.directUntil = directUntil;
      this.until = until;
    }
  }
}
