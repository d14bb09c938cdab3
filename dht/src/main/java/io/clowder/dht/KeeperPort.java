// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/** What a {@link Keeper} does in the world; nothing of it waits. */
interface KeeperPort {
  /** Sends a message; false if it is certain that it does not arrive. */
  boolean send(Seat to, KeeperMessage message);

  /**
   * Has a value written to the journal, if there is one.
   *
   * @return its number, one more each time; {@link Keeper#durable} tells when it is on disk. 0 if
   *     there is no journal
   */
  long append(Value value);

  /** Has it written to the journal that a value is forgotten; returns as {@link #append}. */
  long forget(Identifier id);

  /** What was asked under a ticket is answered. */
  void answered(long ticket, Reply reply);

  /** The time in milliseconds since 1970. */
  long wallMillis();
}
