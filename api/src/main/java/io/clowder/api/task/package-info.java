// SPDX-License-Identifier: Apache-2.0
/**
 * Tasks that the cluster runs.
 *
 * <p>Who has work to give calls {@link io.clowder.api.task.TaskScheduler#submit}; who can do some
 * registers a {@link io.clowder.api.task.TaskHandler}. In between is one queue in the replicated
 * log:
 *
 * <pre>
 *  SUBMITTED ──► READY ──► ASSIGNED ──► RUNNING ──► SUCCEEDED
 *   ▲  its time,   ▲  a slot   │           │    ├──► FAILED
 *   │  its turn    │  is free  │           │    ├──► CANCELLED
 *   │              └─ given ◄──┼───────────┤    ├──► EXPIRED
 *   │                 back     │           │    │
 *   └──────── to be retried ◄──┴───────────┴────┴──► DEAD: it failed too often
 * </pre>
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.task;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
