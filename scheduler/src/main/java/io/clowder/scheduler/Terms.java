// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskMode;
import java.util.Map;

/**
 * What tasks have in common that are submitted alike; kept once for many.
 *
 * @param retry how they are tried again
 * @param labels what a node must have
 * @param mode how often they may run
 * @param keepMillis how long a result is kept
 * @param agingMillis how long one waits until it goes before those with one priority more
 */
record Terms(
    Retry retry, Map<String, String> labels, TaskMode mode, long keepMillis, int agingMillis) {}
