// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.Codec;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A protocol, as far as a toy world looks into it.
 *
 * @param <S> its cores, opened up
 */
public interface Specimen<S extends Specimen.Subject> {
  /** One core. */
  interface Subject {
    /** The core itself. */
    ProtocolCore core();

    /** The slots up to there are not held. */
    long base();

    /** What is held for a slot, or null. */
    byte @Nullable [] command(long slot);
  }

  /**
   * Opens a core.
   *
   * @param tail how many slots it keeps behind a snapshot: few, so that laggards often need one
   * @throws IllegalStateException if the records contradict each other
   */
  S open(CoreSetting setting, List<Message> records, int tail);

  /** The bytes of its messages. */
  Codec<Message> codec();

  /** Parameters for a segment of so many members. */
  default SortedMap<String, String> parameters(int members, RandomGenerator random) {
    return new TreeMap<>();
  }

  /** Whether the sender must never forget what it said: it gladly crashes then. */
  boolean binds(Message sent);

  /**
   * Checks what must hold between two cores at any time.
   *
   * @throws AssertionError if it does not
   */
  void compare(S one, S other);
}
