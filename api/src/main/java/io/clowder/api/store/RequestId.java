// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

/**
 * Names a write, so that a retry of it is known for one: whichever node is asked, and whoever is
 * the primary, it is applied once, and each retry gets the first answer.
 *
 * <p>The answers to a client's last {@value #REMEMBERED} numbers are remembered; a retry of an
 * older one fails with {@code CONFLICT} and {@code MAY_HAVE_HAPPENED}. Of clients, a store
 * remembers those who wrote last, with {@value #REMEMBERED_OF_ALL} answers altogether.
 *
 * @param client who asks, unique for ever, not 0: draw a random number
 * @param number the client's number for the write, from 1 on; each larger than those before
 */
public record RequestId(long client, long number) {
  /** Answers that are remembered for one client. */
  public static final int REMEMBERED = 16_384;

  /** Answers that are remembered for all clients together. */
  public static final int REMEMBERED_OF_ALL = 131_072;

  /** Clients that are remembered. */
  public static final int CLIENTS = 10_000;

  /** Of what no client asked for. */
  public static final RequestId NONE = new RequestId(0, 0);
}
