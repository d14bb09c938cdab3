// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

/** What a read may miss. */
enum Consistency {
  /** Nothing that was acknowledged, or read by anybody, before the read began. */
  LINEARIZABLE,
  /** Anything; it is answered from what this replica has applied. */
  LOCAL
}
