// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A value as it was read. The array is the caller's own.
 *
 * @param left how long it is still there, by the clock of the node that had it; null if for ever
 */
@SuppressWarnings("ArrayRecordComponent")
public record DhtEntry(byte[] value, DhtVersion version, @Nullable Duration left) {}
