// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says what holds a bundle's work up on this node: register one as a service, and {@code
 * clowder:why} shows it.
 */
@ConsumerType
public interface Diagnosis {
  /**
   * What is wrong, a sentence each that begins with what it is about and a colon; empty when all is
   * well. Must not wait.
   */
  List<String> problems();
}
