// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol tests as text: a trace has events and the actions that a core must answer them with.
 *
 * <pre>
 *   # A line that says why.
 *   &gt; receive n2 n1 VoteRequest term=1 …      an event, or something done to the world
 *   | Vote term=1 vote=-                        more lines of the command, if it has any
 *   Persist Vote term=1 vote=n2                 what comes of it
 * </pre>
 *
 * <p>Knows cores and actions, and of messages only how a {@link
 * io.clowder.simulator.trace.Vocabulary} writes them.
 */
@NullMarked
package io.clowder.simulator.trace;

import org.jspecify.annotations.NullMarked;
