// SPDX-License-Identifier: Apache-2.0
/**
 * A linearizable map as a replicated state machine; the plug-in to copy when you write one.
 *
 * <pre>
 *   kv:put a 1 ─► KvCommands ─► ReplicatedKv ─ submit(Put) ─► ConsensusService ─► log of the group
 *                    (shell)      (KvStore)                                            │
 *                                     ▲                                                ▼
 *                                     └──────── Changed(version) ──────── KvMachine.apply, every node
 * </pre>
 *
 * <p>A plug-in is four things, and a file each here:
 *
 * <ol>
 *   <li>{@link io.clowder.kv.KvRequest} and {@link io.clowder.kv.KvResult}, its vocabulary: sealed
 *       records and their bytes. Each begins with a byte of kind and a byte of version, since a log
 *       outlives the code that wrote it.
 *   <li>{@link io.clowder.kv.KvMachine}, the state: deterministic, without clock, chance or I/O. It
 *       checks first and changes after. Its state is one immutable value, so that capturing it for
 *       a snapshot is reading a field. That state is the entries and {@link io.clowder.kv.Fences},
 *       the largest token of each resource; a write with a smaller one is refused within {@code
 *       apply}, where nothing can come between the check and the change.
 *   <li>{@link io.clowder.kv.ReplicatedKv}, the service that others call. It refuses what the
 *       machine would refuse, before it costs the cluster anything, and turns results into answers.
 *   <li>{@link io.clowder.kv.KvCommands}, the same for people.
 * </ol>
 *
 * <p>The wiring is a whiteboard in both directions. The machine is a service with the properties
 * {@code consensus.group} and {@code machine}; the runtime answers with a {@code ConsensusService}
 * that has the same ones; the facade's reference to it has a target filter, {@code
 * consensus.target}. When the runtime goes, the facade goes; when it comes back, so does the
 * facade. To put the map into another group, set {@code consensus.group} and {@code
 * consensus.target} of {@code io.clowder.kv}: the same on every node, before the map holds anything
 * worth keeping, for its entries stay behind.
 */
@NullMarked
package io.clowder.kv;

import org.jspecify.annotations.NullMarked;
