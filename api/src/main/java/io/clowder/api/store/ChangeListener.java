// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import io.clowder.api.CoordinationException;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/** Hears of changes, see {@link ReplicatedStore#watch}. Called by one thread at a time. */
@ConsumerType
public interface ChangeListener {
  /**
   * Changes in their order; all of one write come together. A listener that is slow delays nobody,
   * but see {@link #ended}.
   */
  void changed(List<Change> changes);

  /**
   * There is no more to hear: what comes next is not in this copy's log any more, since {@code
   * from} was too old or the listener too slow ({@code CONFLICT}, whose message says what to do);
   * the listener has thrown ({@code INVALID}); or the copy is gone ({@code UNAVAILABLE}).
   */
  void ended(CoordinationException reason);
}
