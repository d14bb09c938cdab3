// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import io.clowder.api.NodeId;

/**
 * What one bundle on one node has of locks.
 *
 * @param session the session of the node, which all of its bundles share and which alone is renewed
 * @param bundle symbolic name of the bundle
 * @param sinceMillis when it first asked for a lock, milliseconds since 1970 by the log's clock
 * @param holds how many locks it holds
 * @param waits how many it waits for
 */
public record LockSession(
    NodeId node, long session, String bundle, long sinceMillis, int holds, int waits) {}
