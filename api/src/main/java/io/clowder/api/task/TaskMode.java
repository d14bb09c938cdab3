// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

/** How often a task may run. */
public enum TaskMode {
  /**
   * Until one attempt is done, and that one counts alone: an attempt whose node was lost, or whose
   * handler threw, is followed by another. The usual.
   */
  AT_LEAST_ONCE,
  /**
   * One attempt at most: when its node is lost nobody knows how far it came, and it fails. One that
   * was given back before its handler was called may go elsewhere.
   */
  AT_MOST_ONCE
}
