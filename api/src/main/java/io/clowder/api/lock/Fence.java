// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

/**
 * What a write carries to be refused when it comes too late: the store remembers the largest token
 * that it has seen for a resource, and refuses smaller ones. For what is written under an exclusive
 * lock: of several who share one, the last to come would lock out the others.
 *
 * <p>Who reads, computes and writes shows the token before he reads, by a fenced write of some key,
 * or writes by {@code compareAndSet}: the store knows of the new holder only when it sees his
 * token, and what an earlier one sent late may come until then.
 *
 * @param resource what the lock protects, by the name that all its users give it: mostly that of
 *     the lock; 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8
 * @param token of a {@link Grant}, 1 or larger
 */
public record Fence(String resource, long token) {
  /** The fence of a grant, under the name of its lock. */
  public static Fence of(Grant grant) {
    return new Fence(grant.claim().name(), grant.token());
  }
}
