// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Whiteboard service: hears which ranges this node gains and loses. Called on one thread of the
 * runtime, once for each change, in order; first with all that it owns.
 */
@ConsumerType
public interface RangeListener {
  /**
   * Service property: the names of the rings to hear of, one or several; all if it is absent. It
   * may be modified: of a ring that it ceases to name, all is lost to it.
   */
  String RINGS = "dht.rings";

  /**
   * What this node owns is another than before. It answers for what is gained already, and does not
   * for what is lost.
   */
  void changed(String ring, List<Range> gained, List<Range> lost);
}
