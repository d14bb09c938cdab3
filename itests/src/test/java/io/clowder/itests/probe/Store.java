// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replicated store as a bundle inside a framework uses it. Each call waits for its end, and
 * before that for the service while that is away.
 */
public interface Store {
  /** Sets a key; the new version. */
  default long put(String key, String value) throws Exception {
    return put(key, value, With.NOTHING);
  }

  /** The same, with a fence or a name. */
  long put(String key, String value, With with) throws Exception;

  /** Sets a key that has a version; the new one. */
  long compareAndSet(String key, long expected, String value, With with) throws Exception;

  /** Removes a key; whether it was there. */
  boolean delete(String key) throws Exception;

  /**
   * Several steps at once: {@code put KEY VALUE}, {@code delete KEY}, {@code cas KEY EXPECTED
   * VALUE}.
   */
  long apply(List<String> steps) throws Exception;

  /**
   * Reads a key; null if it is absent.
   *
   * @param freshness {@code linearizable}, {@code local} or {@code bounded:MILLIS}
   */
  @Nullable Entry get(String key, String freshness) throws Exception;

  /** Reads several keys. */
  List<Entry> scan(String prefix, @Nullable String after, int limit, String freshness)
      throws Exception;

  /** Watches keys from a sequence number on. */
  Ear watch(String prefix, long from) throws Exception;

  /** What the service says of itself; null if it is not there. */
  @Nullable Offer offer();

  /** Whether a service for operators is there, with the same properties. */
  boolean isLookedAfter();

  /** What this node knows of the store. */
  Role status() throws Exception;

  /** Registers a listener that hears of these stores; without any, of all. */
  Roles listen(String... stores);

  /**
   * Starts two writers in a closed loop, each of keys of its own, who read back what they have
   * written; they wait for no lock.
   */
  Load load(String name);

  /** An entry. */
  record Entry(String key, String value, long version) {}

  /** A change of a key; the value is null if it was removed. */
  record Change(long seq, String key, @Nullable String value) {}

  /** Properties of the service. */
  record Offer(String role, long epoch, List<String> insync) {}

  /** What a node is to a store, as a listener hears it. */
  record Role(
      String store,
      String role,
      long epoch,
      @Nullable String primary,
      List<String> insync,
      List<String> removed) {}

  /**
   * What goes with a write.
   *
   * @param resource of the fence; none if it is empty
   * @param client who names the write; nobody if it is 0
   */
  record With(String resource, long token, long client, long number) {
    /** Nothing. */
    public static final With NOTHING = new With("", 0, 0, 0);

    /** A fence. */
    public static With fence(String resource, long token) {
      return new With(resource, token, 0, 0);
    }

    /** A name. */
    public static With name(long client, long number) {
      return new With("", 0, client, number);
    }
  }

  /** What a watch has heard. */
  interface Ear {
    /** In the order in which it was told. */
    List<Change> changes();

    /** Why there is no more to hear; empty while there is. */
    String ended();

    /** Watches no more. */
    void close();
  }

  /** What a listener has heard. */
  interface Roles {
    /** In the order in which it was told. */
    List<Role> heard();

    /** Says that it wants to hear of these stores from now on. */
    void rename(String... stores);

    /** Listens no more. */
    void close();
  }

  /** The service has failed a call, by the words of the API. */
  final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    private final String reason;
    private final String outcome;

    /** A failure. */
    public Failure(String reason, String outcome, String message) {
      super(reason + ", " + outcome + ": " + message);
      this.reason = reason;
      this.outcome = outcome;
    }

    /** Its kind. */
    public String reason() {
      return reason;
    }

    /** Whether it may have happened. */
    public String outcome() {
      return outcome;
    }
  }
}
