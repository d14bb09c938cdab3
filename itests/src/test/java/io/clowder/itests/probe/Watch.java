// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import java.util.List;

/** What a bundle hears from the failure detector of its node, and has a say in. */
public interface Watch {
  /** Registers a listener that hears of these nodes; without any, of all. */
  Ear listen(String... nodes);

  /** Registers an algorithm of this name, which doubts nobody. */
  void offerAlgorithm(String name);

  /** Takes it back. */
  void withdrawAlgorithm();

  /** Speaks for a part of the node, from now on so. */
  void speak(String part, boolean alive);

  /** Speaks for no part any more. */
  void fallSilent();

  /** What one listener has heard. */
  interface Ear {
    /** In the order in which it was told. */
    List<Event> events();

    /** The numbers of the views that it was told. */
    List<Long> views();

    /** Listens no more. */
    void close();
  }

  /** As the API has it, by words. */
  record Event(
      String kind, String node, long incarnation, String evidence, String detail, long view) {}
}
