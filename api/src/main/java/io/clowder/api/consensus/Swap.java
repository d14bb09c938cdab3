// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

/**
 * What a swap came to.
 *
 * @param segment the number of the segment that serves now
 * @param protocol its protocol
 * @param sealedAt the last position of the segment before
 * @param gapMillis how long this node saw nothing decided, milliseconds: from the last command of
 *     the segment before, or its seal if there was none within 100 ms, to the first answer of the
 *     new one
 */
public record Swap(int segment, String protocol, long sealedAt, long gapMillis) {}
