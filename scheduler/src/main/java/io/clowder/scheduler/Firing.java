// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import java.util.List;

/**
 * Instants of a schedule that have come, worked out by a node.
 *
 * @param name of the schedule
 * @param expected the next instant as the node knows it: another one, and nothing is done
 * @param instants those that make a task each
 * @param missed how many more have passed
 * @param next the next instant, {@link Plan#NEVER} if there is none yet or any more
 * @param due when that is to fire
 */
record Firing(String name, long expected, List<Long> instants, long missed, long next, long due) {}
