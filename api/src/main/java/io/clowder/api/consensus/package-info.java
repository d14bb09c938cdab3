// SPDX-License-Identifier: Apache-2.0
/**
 * Replicated state machines.
 *
 * <p>Whiteboard both ways. A bundle registers a {@link io.clowder.api.consensus.StateMachine} with
 * the service properties {@code consensus.group} and {@code machine}; the runtime answers with a
 * {@link io.clowder.api.consensus.ConsensusService} that has the same two properties, and {@code
 * consensus.protocol}. What is submitted to that service on any node is applied to that machine on
 * every node, in one order, exactly once.
 *
 * <pre>
 *   facade ──submit──► ConsensusService ──► log of the group ──► StateMachine.apply (every node)
 *      ▲                                                              │ result
 *      └──────────────────────────────────────────────────────────────┘ (own node)
 * </pre>
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.consensus;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
