// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import org.jspecify.annotations.Nullable;

/**
 * A key has got another value, or none.
 *
 * @param seq number of the write; several changes of one batch have the same
 * @param value null if the key was removed; not to be changed
 */
public record Change(long seq, String key, byte @Nullable [] value) {}
