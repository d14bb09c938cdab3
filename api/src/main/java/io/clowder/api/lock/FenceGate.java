// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Refuses who comes with a smaller token than the largest that was shown for a resource before; on
 * any node, for the group remembers it durably. For resources that cannot remember it themselves. A
 * service, with the property {@code consensus.group}; thread-safe.
 *
 * <p>For what is used under an exclusive lock, as a {@link Fence} is. What the caller does after
 * the check is not covered by it: a caller that pauses in between may write late. A resource that
 * checks tokens as part of the write, as {@code KvStore} does with a {@link Fence}, has no such
 * hole.
 */
@ProviderType
public interface FenceGate {
  /**
   * Shows a token. Fails with {@code CONFLICT} if it is stale: a larger one was shown, for this
   * resource or, if more than {@link io.clowder.api.Limits#FENCES} resources were shown since, for
   * one that was forgotten.
   *
   * @param resource 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8
   * @param token of a {@link Grant}
   */
  CompletionStage<Void> check(String resource, long token);
}
