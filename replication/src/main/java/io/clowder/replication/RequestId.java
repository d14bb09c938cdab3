// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

/**
 * Names a write, so that a retry of it is known for one.
 *
 * @param client who asks, unique for ever; 0 for the replicas themselves
 * @param number the client's number for it, rising
 */
record RequestId(long client, long number) {
  /** Of what no client asked for. */
  static final RequestId NONE = new RequestId(0, 0);
}
