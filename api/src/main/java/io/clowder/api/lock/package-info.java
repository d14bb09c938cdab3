// SPDX-License-Identifier: Apache-2.0
/**
 * Distributed locks that hand out fencing tokens and are never bound to a thread.
 *
 * <pre>
 *   &#64;Reference private LockService locks;
 *
 *   try (Grant grant = locks.lock(Claim.exclusive("invoices"), Duration.ofSeconds(10))) {
 *     kv.put("invoices/next", bytes, Fence.of(grant));
 *   }
 * </pre>
 *
 * <p>In the order of the log, grants of one lock that exclude each other never overlap, and tokens
 * strictly rise. <b>No lock service can stop a holder that was paused past its session's end</b>:
 * let the resource refuse a token smaller than the largest it has seen, as our own stores do
 * ({@link io.clowder.api.lock.Fence}), or ask the {@link io.clowder.api.lock.FenceGate}.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.lock;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
