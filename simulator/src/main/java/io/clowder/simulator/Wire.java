// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** One direction between two nodes. */
final class Wire {
  final NodeId source;
  final NodeId target;

  /** Whether the source believes that it is connected. */
  boolean up;

  /** Counts connections and their ends; a message belongs to the one it was sent in. */
  int connection;

  /** The last connection that was made; not {@link #connection} if that has ended. */
  int openConnection = -1;

  long brokenFrom;
  final Lane main;
  final Lane urgent;
  boolean blocked;
  boolean keeps;
  int blockades;
  final List<SimulatedNetwork.Parcel> stalled = new ArrayList<>();

  Wire(NodeId source, NodeId target, RandomGenerator random, RandomGenerator urgentRandom) {
    this.source = source;
    this.target = target;
    this.main = new Lane(random, Limits.PEER_QUEUE_BYTES);
    this.urgent = new Lane(urgentRandom, Limits.URGENT_QUEUE_BYTES);
  }

  /** Nothing waits any more. */
  void clear() {
    main.queuedBytes = 0;
    urgent.queuedBytes = 0;
  }

  boolean isCurrent() {
    return connection == openConnection;
  }

  /** What keeps one order on a wire. */
  static final class Lane {
    final RandomGenerator random;
    final int queueBytesMax;
    long lastArrival;
    long queuedBytes;

    Lane(RandomGenerator random, int queueBytesMax) {
      this.random = random;
      this.queueBytesMax = queueBytesMax;
    }
  }
}
