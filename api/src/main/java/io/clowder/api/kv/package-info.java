// SPDX-License-Identifier: Apache-2.0
/**
 * A linearizable map of keys to versioned values: the smallest useful replicated state machine, and
 * the example that authors of further ones copy.
 *
 * <p>A write under a lock carries its fencing token, and the map refuses the late write of a holder
 * that was paused past its session's end.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.kv;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
