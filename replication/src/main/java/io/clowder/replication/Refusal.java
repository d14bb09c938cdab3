// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

/** Why a request is not answered. */
enum Refusal {
  /** This replica is not the primary, or must be taken for deposed; ask the primary. */
  NOT_PRIMARY,
  /** Fewer copies than {@code min.insync} are in sync. */
  NOT_ENOUGH_COPIES,
  /** The request was retried so late that nobody remembers what became of it. */
  FORGOTTEN,
  /** The primary's place is being handed over: ask again in a moment. */
  HANDING_OVER,
  /** Too much waits already. */
  OVERLOADED,
  /** The primary's disk is nearly full. */
  NO_SPACE,
  /** A key, a value or a batch is over its limit. */
  TOO_LARGE
}
