// SPDX-License-Identifier: Apache-2.0
/**
 * Durable state of one node: journals of opaque records, and snapshot files.
 *
 * <p>{@link io.clowder.api.storage.Disk} is the seam beneath: the same journal code runs on the
 * real file system and on the simulator's disk, which forgets unsynced bytes and tears writes.
 * Nothing here is thread-safe unless it says so: one thread owns a journal.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.storage;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
