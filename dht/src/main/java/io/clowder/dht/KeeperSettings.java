// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/**
 * Times and limits of a keeper.
 *
 * @param replicas how many nodes keep a value
 * @param writeQuorum on how many of them it is before it is acknowledged, at least
 * @param attemptNanos after how long without an answer an owner is asked again
 * @param resendNanos after how long without an acknowledgement a value is sent again
 * @param operationsMax how many operations this node has under way at most: as many of its users,
 *     and as many as an owner
 * @param operationBytesMax how many bytes of keys and values these have at most
 * @param transferBytes how many bytes a second it sends to bring copies in order
 * @param tombstoneMillis how long a removal is remembered, and an expired value
 * @param antiEntropyNanos after how long copies are compared again
 */
record KeeperSettings(
    int replicas,
    int writeQuorum,
    long attemptNanos,
    long resendNanos,
    int operationsMax,
    long operationBytesMax,
    long transferBytes,
    long tombstoneMillis,
    long antiEntropyNanos) {
  private static final long MILLI = 1_000_000;

  /** As without any configuration. */
  static final KeeperSettings USUAL =
      new KeeperSettings(
          3,
          2,
          1_000 * MILLI,
          200 * MILLI,
          16_384,
          64L << 20,
          64L << 20,
          24L * 3_600_000,
          60_000 * MILLI);
}
