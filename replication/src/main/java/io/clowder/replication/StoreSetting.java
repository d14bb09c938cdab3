// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.time.Duration;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * What can be set about a store on a node.
 *
 * @param replicas so many nodes have a copy without being asked to
 * @param minInsync nothing is acknowledged while fewer are in sync
 * @param timeout of a call
 * @param lag how long a backup may make no progress before it is removed
 * @param logBytes how much of the log is kept for those who were away
 * @param rejoinBytes how much a second of a snapshot may be fetched
 */
public record StoreSetting(
    int replicas, int minInsync, Duration timeout, Duration lag, long logBytes, long rejoinBytes) {
  /** Where it is configured; what comes after {@code ~} is the store's name. */
  static final String PID = "io.clowder.replication";

  private static final int MEBIBYTE = 1 << 20;

  /** The configuration of one store on this node; a change of any key restarts its copy. */
  @ObjectClassDefinition(
      name = "Clowder store",
      description =
          "A replicated store, by the name after ~ in the name of this configuration; on each node"
              + " that is to use it")
  public @interface Config {
    /** How many copies there are. */
    @AttributeDefinition(
        name = "Copies",
        description =
            "How many nodes have a copy without being asked to, 1 to 32: the first that come. Counts"
                + " when the store is made; store:add and store:remove change it later",
        min = "1",
        max = "32")
    int replicas() default 3;

    /** How many copies a write needs. */
    @AttributeDefinition(
        name = "Least in sync",
        description =
            "No write is acknowledged while fewer copies are in sync, 1 to replicas. Counts when the"
                + " store is made",
        min = "1",
        max = "32")
    int min_insync() default 2;

    /** How long a call may take, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description = "How long a call may take, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int timeout_millis() default 5_000;

    /** How long a backup may lag, in milliseconds. */
    @AttributeDefinition(
        name = "Lag",
        description =
            "How long a backup may make no progress before the primary has it removed from the"
                + " in-sync set, in milliseconds, 150 to 600000; writes wait for it until then",
        min = "150",
        max = "600000")
    int lag_millis() default 1_000;

    /** How much of the log is kept, in mebibytes. */
    @AttributeDefinition(
        name = "Log",
        description =
            "How much of the log is kept in memory for copies that were away, in MiB, 1 to 65536;"
                + " who lacks more gets a snapshot",
        min = "1",
        max = "65536")
    int log_mebibytes() default 64;

    /** How fast a snapshot may be fetched, in mebibytes per second. */
    @AttributeDefinition(
        name = "Rejoin",
        description =
            "How much a second of a snapshot this node's copy fetches at most, in MiB, 1 to 65536",
        min = "1",
        max = "65536")
    int rejoin_mebibytes() default 100;
  }

  /**
   * What a configuration says; refuses values out of range with {@link IllegalArgumentException},
   * by the key.
   */
  static StoreSetting of(String store, Config config) {
    int replicas = checked(store, "replicas", config.replicas(), 1, StoreConfig.MEMBERS_MAX);
    return new StoreSetting(
        replicas,
        checked(store, "min.insync", config.min_insync(), 1, replicas),
        Duration.ofMillis(checked(store, "timeout.millis", config.timeout_millis(), 1, 600_000)),
        Duration.ofMillis(checked(store, "lag.millis", config.lag_millis(), 150, 600_000)),
        (long) MEBIBYTE * checked(store, "log.mebibytes", config.log_mebibytes(), 1, 65_536),
        (long) MEBIBYTE * checked(store, "rejoin.mebibytes", config.rejoin_mebibytes(), 1, 65_536));
  }

  private static int checked(String store, String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s~%s: %s is %d: use %d to %d".formatted(PID, store, key, value, min, max));
    }
    return value;
  }

  /** The times that count; all but the lag are the same everywhere. */
  Timing timing() {
    Timing usual = Timing.USUAL;
    return new Timing(usual.lease(), usual.heartbeat(), lag.toNanos(), usual.retry());
  }
}
