// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;
import java.util.random.RandomGenerator;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A way to judge peers, as a service with the property {@link #ALGORITHM}; which one is used, the
 * key {@code algorithm} of {@code io.clowder.fd} says. Nodes need not agree on it: each chooses for
 * itself, and every node sends the heartbeats and answers the questions that others want.
 *
 * <p>It can be exchanged at any time. What was heard lately is told to the new detector as if it
 * came in then, and nobody is suspected or trusted because of the exchange.
 */
@ConsumerType
public interface DetectionAlgorithm {
  /** Service property: the algorithm's name, such as {@code phi}. */
  String ALGORITHM = "fd.algorithm";

  /**
   * Opens a detector without peers.
   *
   * @param self the node that judges
   * @param incarnation of this node, larger than in its earlier lives
   * @param goal what is wanted of it
   * @param random its only source of chance
   */
  Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random);
}
