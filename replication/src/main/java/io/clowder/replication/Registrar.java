// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Where consensus is asked for the configurations of stores. Thread-safe; nothing waits. */
interface Registrar {
  /**
   * Has a command applied; completes with the configuration after it, null if there is no such
   * store. Fails if consensus does not answer in time.
   */
  CompletionStage<@Nullable StoreConfig> submit(String store, ConfigCommand command);

  /** The configuration as it is now or later: a linearizable read; fails as {@code submit} does. */
  CompletionStage<@Nullable StoreConfig> confirm(String store);

  /** Whether this node and consensus hear each other, so far as is known here. */
  boolean isReached();

  /** How many stores a node is the primary of, so far as is known here. */
  int load(NodeId node);
}
