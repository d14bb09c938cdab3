// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import org.osgi.annotation.versioning.ProviderType;

/** What lasts until it is closed, see {@link ReplicatedStore#watch}; closing again does nothing. */
@ProviderType
public interface Watch extends AutoCloseable {
  /** The most watches of one store on one node. */
  int WATCHES_MAX = 1_000;

  /** Ends it; no call to the listener begins after this returns, but one may be under way. */
  @Override
  void close();
}
