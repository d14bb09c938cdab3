// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

/**
 * A command's result.
 *
 * @param position where in the log of the group the command was applied
 * @param result what the state machine returned
 */
public record Committed(long position, byte[] result) {}
