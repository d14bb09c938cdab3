// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

/** What a worker says of an attempt. */
sealed interface Report {
  /** Which attempt. */
  long token();

  /** It has returned. */
  record Done(long token, byte[] value) implements Report {}

  /** It has thrown, or took too long. */
  record Threw(long token, String error, boolean isPermanent) implements Report {}

  /** It was not wanted here any more; whether its handler was called. */
  record GivenBack(long token, boolean hasBegun) implements Report {}

  /** It runs, and is so far. */
  record Progress(long token, int permille, String note) implements Report {}
}
