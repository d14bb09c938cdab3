// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A ring as a bundle inside a framework uses it and looks after it. Each call waits for its end,
 * and before that for the service while that is away; what the service fails comes as a {@link
 * Store.Failure}.
 */
public interface Ring {
  /** Sets a key; the new version. */
  default String put(String key, String value) throws Exception {
    return put(key.getBytes(UTF_8), value.getBytes(UTF_8), With.NOTHING);
  }

  /** The same of any bytes, as is said. */
  String put(byte[] key, byte[] value, With with) throws Exception;

  /** Reads the newest value of a key; null if there is none. */
  default @Nullable Entry get(String key) throws Exception {
    return get(key.getBytes(UTF_8), "NEWEST");
  }

  /**
   * Reads a key.
   *
   * @param reading {@code NEWEST} or {@code ANY}
   */
  @Nullable Entry get(byte[] key, String reading) throws Exception;

  /** Removes a key; whether it was there. */
  boolean remove(byte[] key, With with) throws Exception;

  /** Who keeps a key, its owner first. */
  List<String> keepers(byte[] key) throws Exception;

  /** What the service says of itself; null if it is not there. */
  @Nullable Offer offer();

  /** Whether a service for operators is there, with the same properties. */
  boolean isLookedAfter();

  /** What this node knows of it. */
  Sight sight() throws Exception;

  /** What this node owns. */
  List<Part> owned() throws Exception;

  /** What all own, in the order of the ring. */
  List<Part> parts() throws Exception;

  /** What each member has. */
  List<Share> balance() throws Exception;

  /** What is not as it ought to be. */
  List<String> check() throws Exception;

  /** Why a node should not be stopped. */
  List<String> reasonsToStay(String node) throws Exception;

  /** Leaves it. */
  void leave() throws Exception;

  /** Comes back. */
  void join() throws Exception;

  /** Mends copies; how many values were moved. */
  long repair() throws Exception;

  /** Registers a listener that hears of these rings; without any, of all. */
  Ear listen(String... rings);

  /** Registers a policy by which one node owns everything. */
  Policy favour(String node);

  /** Registers a policy whose answers are of no use. */
  Policy talkNonsense();

  /**
   * Starts two writers in a closed loop, each of many keys of its own, who read back in mode {@code
   * consistent}.
   */
  Load load(String name);

  /**
   * What goes with a write.
   *
   * @param condition the version it must have; none if it is empty
   * @param ttlMillis how long it is there; for ever if it is 0
   * @param copies 0 for the ring's quorum
   */
  record With(String condition, long ttlMillis, int copies) {
    /** Nothing. */
    public static final With NOTHING = new With("", 0, 0);

    /** A condition. */
    public static With version(String version) {
      return new With(version, 0, 0);
    }
  }

  /**
   * An entry.
   *
   * @param leftMillis negative if it is there for ever
   */
  record Entry(String value, String version, long leftMillis) {}

  /** Properties of the service. */
  record Offer(String mode, int replicas, long epoch, boolean isIdeal) {}

  /** What a node knows. */
  record Sight(long epoch, boolean isMember, List<String> members, List<String> successors) {}

  /** A range; the ends are 40 hexadecimal digits. */
  record Part(String after, String upTo, String owner, List<String> replicas, boolean isWhole) {}

  /** What a member has. */
  record Share(String node, double share, long keys, long owned, long moving) {}

  /** What a listener was told at once. */
  record Change(String ring, List<Part> gained, List<Part> lost) {}

  /** What a listener has heard. */
  interface Ear {
    /** In the order in which it was told. */
    List<Change> heard();

    /** Listens no more. */
    void close();
  }

  /** A policy that is registered. */
  interface Policy {
    /** How often it was asked. */
    int asked();

    /** Takes it back. */
    void close();
  }
}
