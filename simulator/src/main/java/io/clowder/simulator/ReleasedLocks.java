// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.wire.WireReader;
import java.util.ArrayList;
import java.util.List;

/**
 * Which locks were released by a token, whoever did it, as the tables of the nodes saw it. Whether
 * anybody held with that token is not known here.
 */
final class ReleasedLocks {
  private static final int RELEASE = 6;
  private static final int DONE = 1;

  private final List<Observer> observers = new ArrayList<>();

  /** Who wants to know. */
  @FunctionalInterface
  interface Observer {
    /** The node has applied it, and its lock service has heard of it. */
    void released(NodeId node, String lock, long token);
  }

  void add(Observer observer) {
    observers.add(observer);
  }

  /** A table applied an entry. */
  void applied(NodeId node, Entry entry, byte[] result) {
    if (entry.kind() != Entry.Kind.COMMAND || result[0] != DONE || entry.command()[0] != RELEASE) {
      return;
    }
    var in = new WireReader(entry.command());
    in.readByte();
    in.readByte();
    String lock = in.readString(entry.command().length);
    long token = in.readVarLong();
    observers.forEach(observer -> observer.released(node, lock, token));
  }
}
