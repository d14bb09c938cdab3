// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Speaks for a part of this node: register one as a service, and the node's heartbeats say that it
 * is not well while any such service says no, throws, or does not answer. The others then suspect
 * it at once.
 */
@ConsumerType
public interface Liveness {
  /**
   * Service property: how the part is called in what others are told, 1 to 64 bytes of UTF-8; a
   * longer name is cut.
   */
  String NAME = "fd.name";

  /**
   * Whether the part does its work. Called about twice a second, by one thread for all; must not
   * wait: the node is unwell while a call has taken longer than a second, and a call that hangs is
   * interrupted when the service goes.
   */
  boolean isAlive();
}
