// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import java.util.List;

/**
 * Whether a node may be stopped now.
 *
 * @param reasons why not, a sentence each; empty if it is safe
 */
public record SafeToLeave(List<String> reasons) {
  /** Whether nothing gets lost or stops by it. */
  public boolean isSafe() {
    return reasons.isEmpty();
  }
}
