// SPDX-License-Identifier: Apache-2.0
/**
 * A bench of planted bugs: does the simulator see what it is there to see? Each bug is a small
 * change of a production source that breaks one rule. Nothing in production code knows of it: the
 * class is compiled from the changed source in memory and loaded with all others in a class loader
 * of its own, where a seed of the simulator, a check of the kit, or a trace must fail.
 *
 * <pre>
 *   bugs.txt ──► Bug ──► Mutant: source ─ change ─ compile ─ load ──► Trial: seed → what went wrong
 * </pre>
 */
@NullMarked
package io.clowder.simulator.planted;

import org.jspecify.annotations.NullMarked;
