// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node as the bundle inside its framework sees it; gone while that bundle restarts. */
public interface Probe {
  /** Sets the configuration of a PID, or of {@code factory~name}. */
  void configure(String pid, Map<String, String> values) throws Exception;

  /** What the node knows of its group. */
  View view() throws Exception;

  /** Sets a key and waits. */
  void put(String key, String value) throws Exception;

  /** Takes a lock, gives it back, and says which token it had. */
  long lockOnce(String name) throws Exception;

  /** Returns when this node has applied all that was acknowledged anywhere. */
  void catchUp() throws Exception;

  /** What this node has applied, without asking others; null if the key is absent. */
  @Nullable String applied(String key) throws Exception;

  /** The components that do not serve, and why. */
  List<String> missing() throws InterruptedException;

  /** Starts a load under a name that no other load has. */
  Load load(String name);

  /**
   * A group seen from one node.
   *
   * @param leader null if unknown
   */
  record View(String role, @Nullable String leader, long committed, long applied) {}
}
