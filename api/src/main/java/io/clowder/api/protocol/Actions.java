// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import org.osgi.annotation.versioning.ProviderType;

/** Takes the actions of a step, in order. */
@ProviderType
public interface Actions {
  /** Appends one action. */
  void add(Action action);
}
