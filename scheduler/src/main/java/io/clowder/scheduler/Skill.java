// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

/**
 * A handler that a worker has.
 *
 * @param concurrency how many it runs at a time, 0 for as many as there are slots
 * @param timeoutMillis how long an attempt may take, 0 for any time
 */
record Skill(int concurrency, long timeoutMillis) {}
