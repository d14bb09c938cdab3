// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import io.clowder.api.NodeId;
import java.util.List;

/**
 * A held lock.
 *
 * @param token the holder's fencing token
 * @param node whose session holds it
 * @param session the holder's session
 * @param sinceMillis when it was granted, milliseconds since 1970 by the leader's clock
 * @param waiters who waits, first in line first
 */
public record LockInfo(
    String name, long token, NodeId node, long session, long sinceMillis, List<NodeId> waiters) {
  /** Keeps its own copy. */
  public LockInfo {
    waiters = List.copyOf(waiters);
  }
}
