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

  /** The same with the lock service that a filter selects; fails if there is none. */
  long lockOnce(String filter, String name) throws Exception;

  /** Takes a lock and keeps it; its token. */
  long hold(String name) throws Exception;

  /** Whether a lock that was taken by {@link #hold} is still held, in its grant's own words. */
  boolean isHeld(String name);

  /** Gives back what {@link #hold} took. */
  void letGo(String name) throws Exception;

  /** What happened to locks whose name begins with {@code watched/}, as a listener heard it. */
  List<String> heard();

  /**
   * Runs a line in the node's shell.
   *
   * @return what it printed and gave
   * @throws IllegalStateException with the message of the command that failed
   */
  String shell(String line) throws InterruptedException;

  /** Returns when this node has applied all that was acknowledged anywhere. */
  void catchUp() throws Exception;

  /** What this node has applied, without asking others; null if the key is absent. */
  @Nullable String applied(String key) throws Exception;

  /** The components that do not serve, and why. */
  List<String> missing() throws InterruptedException;

  /** Starts a load under a name that no other load has. */
  Load load(String name);

  /** What its failure detector tells. */
  Watch watch();

  /** A replicated store, whether it is configured or not. */
  Store store(String name);

  /** A ring, whether it is configured or not. */
  Ring ring(String name);

  /** The tasks. */
  Tasks tasks();

  /** Takes away the configuration of {@code factory~name}. */
  void unconfigure(String pid) throws Exception;

  /**
   * A group seen from one node.
   *
   * @param leader null if unknown
   */
  record View(String role, @Nullable String leader, long committed, long applied) {}
}
