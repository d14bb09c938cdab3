// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.runtime.Timer;

/**
 * What else runs on every node of a simulated cluster, of another module: the simulator knows only
 * the bundles that it is built with.
 */
public interface Tenant {
  /** An incarnation of a node, as long as it lives. */
  interface Lodging {
    /** Which node. */
    NodeId id();

    /** Where it runs. */
    SimulatedProcess process();

    /** Has a machine replicated; the answer ends with the incarnation. */
    ConsensusService join(String name, StateMachine machine);

    /** Time, and a thread of its own. */
    Timer timer(String name);
  }

  /** A node begins. */
  void boot(Lodging lodging);

  /** From now on nothing goes wrong, and everything that was begun must end. */
  void heal();

  /** Whether it has. */
  boolean isOver();

  /**
   * The end.
   *
   * @throws AssertionError if anything was not as it must be
   */
  void check();
}
