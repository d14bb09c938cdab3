// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import org.jspecify.annotations.Nullable;

/**
 * How a task ended.
 *
 * @param id the task
 * @param state one of the ends
 * @param value what its handler returned; empty unless it {@link TaskState#SUCCEEDED}
 * @param error why it did not succeed, for people; null if it did
 * @param attempts how often it was assigned
 */
public record TaskResult(
    TaskId id, TaskState state, byte[] value, @Nullable String error, int attempts) {}
