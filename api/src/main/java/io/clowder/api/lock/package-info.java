// SPDX-License-Identifier: Apache-2.0
/**
 * Distributed locks that hand out fencing tokens and are never bound to a thread.
 *
 * <p>In the order of the log, grants of one lock never overlap and their tokens strictly rise. No
 * lock service can stop a holder that was paused past its session's end: let the resource refuse a
 * token smaller than the largest it has seen.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.lock;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
