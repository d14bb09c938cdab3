// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import io.clowder.api.lock.Fence;
import org.jspecify.annotations.Nullable;

/**
 * What goes with a write.
 *
 * @param fence the write fails with {@code CONFLICT} if the resource has seen a larger token. The
 *     store remembers the largest one that it has seen of each resource, and decides where the
 *     write takes effect: see {@link Fence}. {@link io.clowder.api.Limits#FENCES} resources are
 *     remembered by name; of more, those with the smallest tokens are forgotten, and any resource
 *     that is not known by name counts as having seen the largest token forgotten
 * @param request names the write for retries by the caller; each call is a write of its own without
 */
public record WriteOptions(@Nullable Fence fence, @Nullable RequestId request) {
  /** Nothing. */
  public static final WriteOptions NONE = new WriteOptions(null, null);

  /** A fence, alone. */
  public static WriteOptions fenced(Fence fence) {
    return new WriteOptions(fence, null);
  }

  /** A name for retries, alone. */
  public static WriteOptions named(RequestId request) {
    return new WriteOptions(null, request);
  }
}
