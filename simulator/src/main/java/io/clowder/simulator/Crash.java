// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.io.Serial;

/**
 * Unwinds the code of a process that has just died, up to the world. No code of the process may
 * catch it; if some does, the process is dead all the same and nothing that it still does is seen.
 */
final class Crash extends Error {
  @Serial private static final long serialVersionUID = 1L;

  Crash(String where) {
    super(where, null, false, false);
  }
}
