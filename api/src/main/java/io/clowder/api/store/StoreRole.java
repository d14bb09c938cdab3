// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

/** What a node is to a store. */
public enum StoreRole {
  /** All writes go through its copy. */
  PRIMARY,
  /** Its copy is in sync: it has all that was ever acknowledged, and may become the primary. */
  BACKUP,
  /** Its copy is not in sync, and catches up. */
  LEARNER,
  /** It has no copy, and asks those who have. */
  CLIENT
}
