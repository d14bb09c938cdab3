// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what this node is to its stores: register one as a service. It is told the present state of
 * each store first, and each change after it; of changes that follow fast only the last may be
 * told. Called by one thread at a time; one that does not return delays the other listeners,
 * nothing else.
 */
@ConsumerType
public interface RoleListener {
  /** Service property: names of the stores to hear of, a string or several; all if missing. */
  String STORES = "store.names";

  /** The role, the epoch or who is in sync has changed; {@link StoreStatus#lags} may be empty. */
  void changed(StoreStatus status);
}
