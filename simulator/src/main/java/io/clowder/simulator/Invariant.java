// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

/** What must be true after every event of a {@link World}. */
@FunctionalInterface
public interface Invariant {
  /** Throws {@link AssertionError} that says what is broken. Must be cheap: it runs every step. */
  void check();
}
