// SPDX-License-Identifier: Apache-2.0
/**
 * Cores alone, by chance: a world of toy drivers that keep the laws of {@code
 * io.clowder.api.protocol} and nothing else, where a core may crash between any two actions.
 *
 * <pre>
 *   seed ──► ToyWorld ── ToyNode …      journal, snapshot, held actions of one core
 *                │
 *                ├─ Specimen            what the world must know of the protocol
 *                └─ Plant               a mistake that the checks must find, to know that they can
 * </pre>
 *
 * <p>It knows the cores of no protocol. It is much faster than the simulation of whole clusters,
 * and sees into the cores; that one runs the code that runs in production.
 */
@NullMarked
package io.clowder.simulator.toy;

import org.jspecify.annotations.NullMarked;
