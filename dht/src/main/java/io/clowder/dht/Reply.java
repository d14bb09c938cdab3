// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/**
 * What a user is told.
 *
 * @param answer of the owner; the last one if no attempt succeeded in time
 * @param isOver whether the time was over before an owner had answered for good
 * @param mayHaveHappened whether a write may have happened, or may still, though it was not
 *     acknowledged
 */
record Reply(Answer answer, boolean isOver, boolean mayHaveHappened) {}
