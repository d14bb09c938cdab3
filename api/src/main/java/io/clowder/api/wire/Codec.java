// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Turns the values of one vocabulary into bytes and back. Stateless and thread-safe.
 *
 * @param <T> the vocabulary, usually a sealed interface
 */
@ConsumerType
public interface Codec<T> {
  /** Appends {@code value} to {@code out}. */
  void write(T value, WireWriter out);

  /**
   * Reads one value.
   *
   * @throws WireFormatException if the bytes are none of this vocabulary
   */
  T read(WireReader in);
}
