// SPDX-License-Identifier: Apache-2.0
/**
 * A store on a primary and its backups, which loses nothing at fail-over.
 *
 * <p>{@link io.clowder.api.store.ReplicatedStore} is for who keeps data in it, {@link
 * io.clowder.api.store.StoreAdmin} for who looks after it, {@link
 * io.clowder.api.store.RoleListener} for who wants to know which node is the primary.
 *
 * <p>The data does not pass through the log of consensus: only who holds it does. So f + 1 copies
 * survive f failures, where a log needs 2f + 1 (Lin, Yang, Zhang and Zhou, "PacificA", 2008).
 */
@Export
@Version("1.0.0")
@NullMarked
package io.clowder.api.store;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
