// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Since when each backup lacks something. Under load there is always something on the way, so what
 * counts is not when a backup last had all, but the time as of which it has all.
 */
final class Lags {
  private static final class Mark {
    /** The log's end when it was last looked at, and when that was. */
    long seq;

    long at;

    /** The backup has all that there was at this time. */
    long since;

    Mark(long seq, long now) {
      this.seq = seq;
      this.at = now;
      this.since = now;
    }
  }

  private final Map<ReplicaId, Mark> marks = new HashMap<>();

  /** How far the peers of a primary are; nobody is far behind any more if there are none. */
  List<View.Lag> of(Collection<Peer> peers, OperationLog log, long now) {
    if (peers.isEmpty()) {
      marks.clear();
      return List.of();
    }
    List<View.Lag> lags = new ArrayList<>(peers.size());
    for (Peer peer : peers) {
      long records = log.end() - peer.acked;
      long nanos = nanos(peer, log.end(), now);
      lags.add(
          new View.Lag(
              peer.id,
              peer.acked,
              records,
              bytes(peer, log),
              TimeUnit.NANOSECONDS.toMillis(nanos)));
    }
    return lags;
  }

  private long nanos(Peer peer, long end, long now) {
    Mark mark = marks.computeIfAbsent(peer.id, it -> new Mark(end, now));
    if (peer.acked >= mark.seq) {
      mark.since = mark.at;
      mark.seq = end;
      mark.at = now;
    }
    if (peer.acked >= end) {
      mark.since = now;
    }
    return now - mark.since;
  }

  private static long bytes(Peer peer, OperationLog log) {
    if (peer.acked < log.base()) {
      return -1;
    }
    long records = log.end() - log.base();
    return records == 0 ? 0 : (long) ((double) log.bytes() / records * (log.end() - peer.acked));
  }
}
