// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster knows of a schedule.
 *
 * @param schedule itself
 * @param isPaused whether its instants pass unused
 * @param next the next instant; null while it waits for its task to be over
 * @param last the last instant that made a task; null if none has
 * @param lastTask the task of that instant; null if none has
 * @param fired how many instants have made a task
 * @param missed how many have not, as nobody could serve them in time
 * @param skipped how many have not, as the earlier task was not over, the queue was full, or the
 *     schedule was made anew and had served them
 */
public record ScheduleStatus(
    Schedule schedule,
    boolean isPaused,
    @Nullable Instant next,
    @Nullable Instant last,
    @Nullable TaskId lastTask,
    long fired,
    long missed,
    long skipped) {}
